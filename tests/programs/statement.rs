//! Statements: the operations of a program with the guards that the model picked.

use std::fmt;

use crate::program::{Body, Empty, Ending, Kind, Making, Spec, Strict, Wrap};

/// The number of a guard, in the order of creation.
pub type Id = usize;

/// How often a future is polled before it is dropped; `None` if it is polled to its end.
pub type Polls = Option<u8>;

#[derive(Clone, Debug)]
pub enum Statement {
    Make {
        id: Id,
        kind: Kind,
        spec: Spec,
    },
    Empty {
        id: Id,
        kind: Kind,
        container: Empty,
    },
    Hold {
        id: Id,
        inner: Id,
        kind: Kind,
        spec: Spec,
    },
    Arc {
        id: Id,
        inner: Id,
    },
    Wrap {
        id: Id,
        inner: Id,
        how: Wrap,
    },
    /// `value` is the number of the guard that the future makes.
    Acquire {
        id: Id,
        value: Id,
        making: Making,
    },
    Open {
        opening: Id,
        polls: Polls,
        gives: Option<Id>,
    },
    /// `value` is the number of the guard that the future makes.
    Share {
        id: Id,
        value: Id,
        making: Making,
    },
    Ready {
        id: Id,
        inner: Id,
    },
    Get {
        handle: Id,
        polls: Polls,
        gives: Option<Id>,
    },
    Clone {
        id: Id,
        of: Id,
    },
    Downgrade {
        of: Id,
    },
    /// `weak` is the number of the weak reference. `id` is the new handle, if the value is there.
    Upgrade {
        weak: usize,
        id: Option<Id>,
    },
    Insert {
        map: Id,
        key: u8,
        guard: Id,
        replaced: Option<Id>,
    },
    Push {
        into: Id,
        guard: Id,
    },
    Remove {
        map: Id,
        key: u8,
        gives: Id,
    },
    Pop {
        vec: Id,
        gives: Id,
    },
    PopAll {
        id: Id,
        stack: Id,
    },
    /// `gives` is `None` if the handle is not the only one.
    IntoInner {
        wrapper: Id,
        gives: Option<Id>,
    },
    /// `gone` if the guard was cleaned up before and is converted to `Live`.
    Convert {
        guard: Id,
        kind: Kind,
        gone: bool,
    },
    Clean {
        guard: Id,
        polls: Polls,
    },
    Bracket {
        guard: Id,
        body: Body,
        polls: Polls,
    },
    Scope {
        guard: Id,
        body: Body,
        polls: Polls,
        how: Strict,
    },
    ScopeBoth {
        first: Id,
        second: Id,
        body: Body,
        polls: Polls,
    },
    Via {
        guard: Id,
        ending: Spec,
        polls: Polls,
    },
    Release {
        guard: Id,
    },
    /// `id` is the new guard, unless making its value panics.
    Remake {
        guard: Id,
        id: Id,
        spec: Spec,
        panics: bool,
    },
    Drop {
        guard: Id,
        unwinding: bool,
    },
    Drain {
        polls: u8,
    },
    Spawn,
    Run {
        polls: u8,
    },
    StopRun,
    Close,
    Abandon,
    CleanReaper {
        polls: Polls,
    },
    DropReaper {
        unwinding: bool,
    },
}

struct Times(Polls);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str(".await"),
            Some(polls) => write!(f, ", dropped after {polls} polls"),
        }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = match self.ending {
            Ending::Ok => "",
            Ending::Fails => ", fails",
            Ending::Panics => ", panics",
        };
        write!(f, "waits {}{ending}", self.waits)
    }
}

impl fmt::Display for Making {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, spec, before, after, ending } = self;
        let ending = match ending {
            Ending::Ok => "given",
            Ending::Fails => "lost by an error",
            Ending::Panics => "lost by a panic",
        };
        write!(f, "{kind:?}(value that {spec}), made after {before}, {ending} after {after}")
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { waits, ending } = *self;
        write!(f, "body that {}", Spec { waits, ending })
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Make { id, kind, spec } => write!(f, "let g{id} = {kind:?}(value that {spec});"),
            Self::Empty { id, kind, container } => {
                write!(f, "let g{id} = {kind:?}(empty {container:?});")
            }
            Self::Hold { id, inner, kind, spec } => {
                write!(f, "let g{id} = {kind:?}(value that holds g{inner}, {spec});")
            }
            Self::Arc { id, inner } => write!(f, "let g{id} = AsyncDropArc::new(g{inner});"),
            Self::Wrap { id, inner, how } => {
                write!(f, "let g{id} = AsyncDrop{how:?}::new(g{inner});")
            }
            Self::Acquire { id, value, making } => {
                write!(f, "let g{id} = reaper.acquire(future of g{value} = {making});")
            }
            Self::Open { opening, polls, gives } => {
                match polls {
                    None => write!(f, "g{opening}.await;")?,
                    Some(polls) => write!(f, "g{opening}, polled {polls} times;")?,
                }
                gives.map_or(Ok(()), |id| write!(f, " // gives g{id}"))
            }
            Self::Share { id, value, making } => {
                write!(f, "let g{id} = AsyncDropShared::new(future of g{value} = {making});")
            }
            Self::Ready { id, inner } => {
                write!(f, "let g{id} = AsyncDropShared::new_ready(g{inner});")
            }
            Self::Get { handle, polls, gives } => {
                write!(f, "g{handle}.get(){};", Times(polls))?;
                gives.map_or(Ok(()), |id| write!(f, " // gives g{id}"))
            }
            Self::Clone { id, of } => write!(f, "let g{id} = clone(&g{of});"),
            Self::Downgrade { of } => write!(f, "let weak = downgrade(&g{of});"),
            Self::Upgrade { weak, id: Some(id) } => {
                write!(f, "let g{id} = weak {weak}.upgrade().unwrap();")
            }
            Self::Upgrade { weak, id: None } => write!(f, "weak {weak}.upgrade(); // gives none"),
            Self::Insert { map, key, guard, replaced } => {
                write!(f, "g{map}.insert({key}, g{guard});")?;
                replaced.map_or(Ok(()), |id| write!(f, " // gives g{id} back"))
            }
            Self::Push { into, guard } => write!(f, "g{into}.push(g{guard});"),
            Self::Remove { map, key, gives } => write!(f, "let g{gives} = g{map}.remove({key});"),
            Self::Pop { vec, gives } => write!(f, "let g{gives} = g{vec}.pop();"),
            Self::PopAll { id, stack } => write!(f, "let g{id} = g{stack}.pop_all();"),
            Self::IntoInner { wrapper, gives: Some(id) } => {
                write!(f, "let g{id} = into_inner(g{wrapper}).unwrap();")
            }
            Self::IntoInner { wrapper, gives: None } => {
                write!(f, "let g{wrapper} = into_inner(g{wrapper}).unwrap_err();")
            }
            Self::Convert { guard, kind, gone } => {
                let proof = if gone { " // gives the proof" } else { "" };
                write!(f, "let g{guard} = g{guard} as {kind:?};{proof}")
            }
            Self::Clean { guard, polls } => write!(f, "g{guard}.async_drop(){};", Times(polls)),
            Self::Bracket { guard, body, polls } => {
                write!(f, "bracket(g{guard}, {body}){};", Times(polls))
            }
            Self::Scope { guard, body, polls, how } => {
                match how {
                    Strict::Function => write!(f, "scope(g{guard}, {body})")?,
                    Strict::Macro => write!(f, "scope!(g{guard}, {body})")?,
                    Strict::Via(spec) => {
                        write!(f, "scope!(g{guard}, {body}, via an ending that {spec})")?;
                    }
                }
                write!(f, "{};", Times(polls))
            }
            Self::ScopeBoth { first, second, body, polls } => {
                write!(f, "scope!((g{first}, g{second}), {body}){};", Times(polls))
            }
            Self::Via { guard, ending, polls } => {
                write!(f, "g{guard}.async_drop_via(ending that {ending}){};", Times(polls))
            }
            Self::Release { guard } => write!(f, "drop(into_inner_without_cleanup(g{guard}));"),
            Self::Remake { guard, id, spec, panics } => {
                write!(f, "let g{id} = map_without_cleanup(g{guard}, ")?;
                if panics { f.write_str("panic);") } else { write!(f, "value that {spec});") }
            }
            Self::Drop { guard, unwinding: false } => write!(f, "drop(g{guard});"),
            Self::Drop { guard, unwinding: true } => write!(f, "drop(g{guard}) by a panic;"),
            Self::Drain { polls } => write!(f, "reaper.drain(){};", Times(Some(polls))),
            Self::Spawn => f.write_str("let run = reaper.run();"),
            Self::Run { polls } => write!(f, "run, polled {polls} times;"),
            Self::StopRun => f.write_str("drop(run);"),
            Self::Close => f.write_str("reaper.close();"),
            Self::Abandon => f.write_str("reaper.abandon();"),
            Self::CleanReaper { polls } => write!(f, "reaper.async_drop(){};", Times(polls)),
            Self::DropReaper { unwinding: false } => f.write_str("drop(reaper);"),
            Self::DropReaper { unwinding: true } => f.write_str("drop(reaper) by a panic;"),
        }
    }
}
