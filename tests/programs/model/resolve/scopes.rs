//! The strict scopes, and `async_drop_via`.

use super::*;
use crate::program::{Body, Ending, Strict, Wrap};

impl Resolver {
    pub(super) fn scope(
        &mut self,
        pick: u8,
        body: Body,
        polls: Polls,
        how: Strict,
        from_panics: bool,
    ) -> Option<()> {
        let id = self.pick_value(pick, |guard| guard.kind != Kind::Checked)?;
        let mut guard = self.vars.remove(&id)?;
        let mut panics = !guard.is_usable();
        let via = match how {
            Strict::Via(ending) if body.ending == Ending::Ok => Some(ending),
            _ => None,
        };
        let (mut end, mut polled) = (None, 0);
        self.model.alone = guard.is_live_value();
        while end.is_none() && !panics && polls.is_none_or(|polls| polled < polls) {
            if polled == body.waits {
                panics = body.panics(from_panics);
                if let Some(ending) = via {
                    guard.end_via(ending);
                }
            }
            if polled >= body.waits && !panics {
                end = self.model.poll(&mut guard);
            }
            polled += 1;
        }
        self.model.alone = false;
        let via_fails = via.is_some_and(|ending| fails(end, ending));
        self.fates(id).failures += usize::from(via_fails);
        panics |= end == Some(End::Panic) || (from_panics && via_fails);
        if end == Some(End::Err) {
            self.convert_error(body, from_panics, &mut panics);
        }
        self.model.lose(guard, &mut panics);
        let statement = Statement::Scope { guard: id, body, polls, how, from_panics };
        self.statements.push((statement, panics));
        Some(())
    }

    /// The body ends with `async_drop_all`, which polls the cleanups in the order of the guards.
    pub(super) fn scope_both(
        &mut self,
        (first, second): (u8, u8),
        body: Body,
        polls: Polls,
        from_panics: bool,
    ) -> Option<()> {
        let first = self.pick_value(first, |guard| {
            let form = matches!(guard.form, Form::Value | Form::Arc | Form::Wrap(Wrap::Mutex));
            form && guard.kind != Kind::Checked && !self.model.is_mute(guard)
        })?;
        let second = self.pick_value(second, |guard| {
            let fits = guard.form == Form::Value && guard.kind != Kind::Checked;
            fits && guard.id != first && !self.model.is_mute(guard)
        })?;
        let statement = Statement::ScopeBoth { first, second, body, polls, from_panics };
        let (mut first, mut second) = (self.vars.remove(&first)?, self.vars.remove(&second)?);
        let refused = !first.is_usable() || !second.is_usable();
        let (mut panics, mut polled) = (refused, 0);
        let mut ends = (None, None);
        let is_over = |ends: (Option<End>, Option<End>)| ends.0.is_some() && ends.1.is_some();
        while !is_over(ends) && !panics && polls.is_none_or(|polls| polled < polls) {
            if polled == body.waits {
                panics = body.panics(from_panics);
            }
            if polled >= body.waits && !panics {
                ends.0 = ends.0.or_else(|| self.model.poll(&mut first));
                ends.1 = ends.1.or_else(|| self.model.poll(&mut second));
            }
            polled += 1;
        }
        let end = if is_over(ends) { ends.0.max(ends.1) } else { None };
        panics |= end == Some(End::Panic);
        if end == Some(End::Err) {
            self.convert_error(body, from_panics, &mut panics);
        }
        // Variables are dropped in reverse order, the arguments of a future that was never polled and
        // a guard that was refused are not.
        let in_order = if refused { !first.is_usable() } else { polled == 0 };
        let lost = if in_order { [first, second] } else { [second, first] };
        for guard in lost {
            self.model.lose(guard, &mut panics);
        }
        if !is_over(ends) && [ends.0, ends.1].contains(&Some(End::Err)) {
            self.model.suppress(&mut panics);
        }
        self.statements.push((statement, panics));
        Some(())
    }

    /// The cleanup fails after the body: its error is suppressed, or converted.
    fn convert_error(&self, body: Body, from_panics: bool, panics: &mut bool) {
        if body.ending == Ending::Fails {
            self.model.suppress(panics);
        } else {
            *panics |= from_panics;
        }
    }

    pub(super) fn via(&mut self, pick: u8, ending: Spec, polls: Polls) -> Option<()> {
        let id = self.pick_value(pick, |_| true)?;
        let mut guard = self.vars.remove(&id)?;
        let mut panics = !guard.is_usable();
        let (mut end, mut polled) = (None, 0);
        while end.is_none() && !panics && polls.is_none_or(|polls| polled < polls) {
            if polled == 0 {
                guard.end_via(ending);
            }
            end = self.model.poll(&mut guard);
            polled += 1;
        }
        self.fates(id).failures += usize::from(fails(end, ending));
        panics |= end == Some(End::Panic);
        self.model.lose(guard, &mut panics);
        self.statements.push((Statement::Via { guard: id, ending, polls }, panics));
        Some(())
    }
}

impl Body {
    /// Whether it panics before the cleanup. It converts its own error before that.
    fn panics(self, from_panics: bool) -> bool {
        self.ending == Ending::Panics || (from_panics && self.ending == Ending::Fails)
    }
}

/// Whether the caller of `async_drop_via` gets an error.
fn fails(end: Option<End>, ending: Spec) -> bool {
    matches!(end, Some(End::Ok | End::Err)) && ending.ending == Ending::Fails
}
