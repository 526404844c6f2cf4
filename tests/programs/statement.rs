//! Statements: the operations of a program with the guards that the model picked.

use std::fmt;

use livedrop::reaper::Stage;

use crate::program::{Body, Empty, Ending, In, Key, KeyIn, Kind, Making, Spec, Strict, Wrap};

/// The number of a guard, in the order of creation.
pub type Id = usize;

/// A value that the reaper names in `pending` or in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: Id,
    pub stage: Stage,
    pub has_begun: bool,
}

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
    Shield {
        id: Id,
        spec: Spec,
    },
    Await {
        shield: Id,
        polls: Polls,
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
        key: Key,
        guard: Id,
        replaced: Option<Id>,
    },
    Push {
        into: Id,
        guard: Id,
    },
    /// `gives` nothing if the key panics.
    Remove {
        map: Id,
        key: Key,
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
    /// A closed reaper refuses the guard.
    TryAdopt {
        guard: Id,
        refused: bool,
    },
    Clean {
        guard: Id,
        polls: Polls,
    },
    /// The body owns `held`.
    Bracket {
        guard: Id,
        held: Option<Id>,
        body: Body,
        polls: Polls,
    },
    Scope {
        guard: Id,
        body: Body,
        polls: Polls,
        how: Strict,
        from_panics: bool,
    },
    ScopeBoth {
        first: Id,
        second: Id,
        body: Body,
        polls: Polls,
        from_panics: bool,
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
    /// Later guards are adopted by the handle of this lane, a new one if there is none.
    Use {
        lane: Option<usize>,
    },
    /// `cleaned` is in the report if the drain ends.
    Drain {
        polls: u8,
        cleaned: Option<usize>,
    },
    TakeReport {
        cleaned: usize,
    },
    Pending {
        names: Vec<Named>,
    },
    Limit {
        limit: u8,
    },
    /// The new run has the next number. If it `spawns`, it is one of `run_with`.
    Spawn {
        spawns: bool,
    },
    /// Tasks have the numbers in which they were spawned.
    PollTask {
        task: usize,
        polls: Polls,
        ends: bool,
    },
    DropTask {
        task: usize,
    },
    Run {
        run: usize,
        polls: Polls,
        ends: bool,
    },
    /// The run waits with a waker that panics, and is woken.
    Wake {
        run: usize,
        guard: Id,
        cleans: bool,
    },
    StopRun {
        run: usize,
    },
    Close,
    Abandon {
        names: Vec<Named>,
        cleaned: usize,
    },
    CleanReaper {
        polls: Polls,
        cleaned: Option<usize>,
    },
    DropHandles,
    DropReaper {
        unwinding: bool,
    },
}

fn in_from(panics: bool) -> &'static str {
    if panics { " // `From` panics" } else { "" }
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
        let foreign = match self.panics {
            In::Nothing => "",
            In::Drop => ", panics in `Drop`",
            In::ErrorDrop => " with an error that panics in `Drop`",
            In::ErrorDebug => " with an error that panics in `Debug`",
        };
        write!(f, "waits {}{ending}{foreign}", self.waits)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)?;
        match self.panics {
            KeyIn::Nothing => Ok(()),
            panics => write!(f, " that panics in `{panics:?}`"),
        }
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
        write!(f, "body that {}", Spec { waits, ending, panics: In::Nothing })
    }
}

impl fmt::Display for Statement {
    #[expect(clippy::too_many_lines, reason = "it is a list")]
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
            Self::Shield { id, spec } => {
                write!(f, "let g{id} = reaper.shield(future that {spec});")
            }
            Self::Await { shield, polls: None } => write!(f, "g{shield}.await;"),
            Self::Await { shield, polls: Some(polls) } => {
                write!(f, "g{shield}, polled {polls} times;")
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
            Self::TryAdopt { guard, refused } => {
                let refused = if refused { " // refused" } else { "" };
                write!(f, "let g{guard} = handle.try_adopt(g{guard});{refused}")
            }
            Self::Clean { guard, polls } => write!(f, "g{guard}.async_drop(){};", Times(polls)),
            Self::Bracket { guard, held, body, polls } => {
                write!(f, "bracket(g{guard}, {body}")?;
                held.map_or(Ok(()), |held| write!(f, ", and holds g{held}"))?;
                write!(f, "){};", Times(polls))
            }
            Self::Scope { guard, body, polls, how, from_panics } => {
                match how {
                    Strict::Function => write!(f, "scope(g{guard}, {body})")?,
                    Strict::Macro => write!(f, "scope!(g{guard}, {body})")?,
                    Strict::Via(spec) => {
                        write!(f, "scope!(g{guard}, {body}, via an ending that {spec})")?;
                    }
                }
                write!(f, "{};{}", Times(polls), in_from(from_panics))
            }
            Self::ScopeBoth { first, second, body, polls, from_panics } => {
                let (times, in_from) = (Times(polls), in_from(from_panics));
                write!(f, "scope!((g{first}, g{second}), {body}){times};{in_from}")
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
            Self::Use { lane: None } => f.write_str("let handle = reaper.handle();"),
            Self::Use { lane: Some(lane) } => {
                write!(f, "let handle = lanes[{lane}]; // reaper.handle().ordered()")
            }
            Self::Drain { polls, cleaned } => {
                write!(f, "reaper.drain(){};", Times(Some(polls)))?;
                cleaned.map_or(Ok(()), |cleaned| write!(f, " // ends, {cleaned} cleaned"))
            }
            Self::TakeReport { cleaned } => {
                write!(f, "reaper.take_report(); // {cleaned} cleaned")
            }
            Self::Pending { ref names } => write!(f, "reaper.pending(); // {names:?}"),
            Self::Limit { limit } => write!(f, "reaper.set_concurrency({limit});"),
            Self::Spawn { spawns: false } => f.write_str("let run = reaper.run();"),
            Self::Spawn { spawns: true } => f.write_str("let run = reaper.run_with(tasks);"),
            Self::PollTask { task, polls, ends } => {
                match polls {
                    None => write!(f, "task {task}.await;")?,
                    Some(polls) => write!(f, "task {task}, polled {polls} times;")?,
                }
                f.write_str(if ends { " // ends" } else { "" })
            }
            Self::DropTask { task } => write!(f, "drop(task {task});"),
            Self::Run { run, polls, ends } => {
                match polls {
                    None => write!(f, "run {run}.await;")?,
                    Some(polls) => write!(f, "run {run}, polled {polls} times;")?,
                }
                f.write_str(if ends { " // ends" } else { "" })
            }
            Self::Wake { run, guard, cleans } => {
                let end = if cleans { ".async_drop().await" } else { ", dropped" };
                write!(f, "g{guard}{end}; // the waker of run {run} panics")
            }
            Self::StopRun { run } => write!(f, "drop(run {run});"),
            Self::Close => f.write_str("reaper.close();"),
            Self::Abandon { ref names, cleaned } => {
                write!(f, "reaper.abandon(); // {cleaned} cleaned, {names:?}")
            }
            Self::CleanReaper { polls, cleaned } => {
                write!(f, "reaper.async_drop(){};", Times(polls))?;
                cleaned.map_or(Ok(()), |cleaned| write!(f, " // ends, {cleaned} cleaned"))
            }
            Self::DropHandles => f.write_str("drop(handle); drop(lanes);"),
            Self::DropReaper { unwinding: false } => f.write_str("drop(reaper);"),
            Self::DropReaper { unwinding: true } => f.write_str("drop(reaper) by a panic;"),
        }
    }
}
