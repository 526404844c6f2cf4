//! Random programs: how they are generated and printed.

use std::fmt;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use crate::model;
use crate::statement::{Polls, Statement};

/// The state of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Checked,
    Live,
    Adopted,
}

/// How the cleanup of a value ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Ok,
    Fails,
    Panics,
}

/// The cleanup of a value: how often it is pending, and how it ends.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub waits: u8,
    pub ending: Ending,
    pub panics: In,
}

/// The foreign code of a value that panics, beside its cleanup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum In {
    Nothing,
    /// The `Drop` of the value. While the thread is panicking only in a container, and after a panic of
    /// its cleanup, unless that is the cleanup of a `Live` guard alone: elsewhere that would abort, as
    /// in plain Rust.
    Drop,
    /// The `Drop` of the error of the cleanup. While the thread is panicking, the same holds.
    ErrorDrop,
    /// The `Debug` of the error of the cleanup, with the text that it would have.
    ErrorDebug,
}

impl Spec {
    /// For a value with a guard inside: a `Live` one whose `Drop` panics would lose the error of that guard.
    pub fn for_a_holder(self) -> Self {
        let panics = if self.panics == In::Drop { In::Nothing } else { self.panics };
        Self { panics, ..self }
    }

    /// For a member of a container: a `Debug` that panics hides the text of the errors beside it.
    pub fn for_a_member(self) -> Self {
        let panics = if self.panics == In::ErrorDebug { In::ErrorDrop } else { self.panics };
        Self { panics, ..self }
    }
}

/// The key of a map.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub number: u8,
    pub panics: KeyIn,
}

/// The code of a key that panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyIn {
    Nothing,
    Drop,
    Hash,
    /// The comparison with an equal key.
    Eq,
}

/// The containers that begin empty.
#[derive(Clone, Copy, Debug)]
pub enum Empty {
    Map,
    /// The limit of concurrent cleanups; 0 for no limit.
    Vec(u8),
    Stack,
}

/// The types that wrap one guard and take over its cleanup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    Mutex,
    TokioMutex,
    Result,
}

const WRAPS: &[Wrap] = &[Wrap::Mutex, Wrap::TokioMutex, Wrap::Result];

/// A future that makes a value in its guard, which is `Checked` or `Live`.
#[derive(Clone, Copy, Debug)]
pub struct Making {
    pub kind: Kind,
    pub spec: Spec,
    /// How often it is pending before there is a guard.
    pub before: u8,
    /// How often it is pending while it holds the guard.
    pub after: u8,
    /// How it ends; the guard is lost unless this is `Ok`.
    pub ending: Ending,
}

/// A body after which, or in which, guards are cleaned up.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    pub waits: u8,
    pub ending: Ending,
}

/// How a scope over one guard is written, and how its body ends the guard.
#[derive(Clone, Copy, Debug)]
pub enum Strict {
    /// The function, with `after`.
    Function,
    /// The macro, with `try_or_drop!`.
    Macro,
    /// The macro, with `try_or_drop!` and `async_drop_via`.
    Via(Spec),
}

/// A generated operation. `pick` chooses among the guards that fit. If none fits, it does nothing.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    Make {
        kind: Kind,
        spec: Spec,
    },
    Empty {
        kind: Kind,
        container: Empty,
    },
    Hold {
        pick: u8,
        kind: Kind,
        spec: Spec,
    },
    Arc {
        pick: u8,
    },
    Wrap {
        pick: u8,
        how: Wrap,
    },
    Acquire {
        making: Making,
    },
    Shield {
        spec: Spec,
    },
    /// Polls a value that is being acquired, or a shielded future.
    Open {
        pick: u8,
        polls: Option<u8>,
    },
    Share {
        making: Making,
    },
    Ready {
        pick: u8,
    },
    Get {
        pick: u8,
        polls: Option<u8>,
    },
    Clone {
        pick: u8,
    },
    Downgrade {
        pick: u8,
    },
    Upgrade {
        pick: u8,
    },
    /// Makes a new value if no guard fits.
    Put {
        pick: u8,
        into: u8,
        key: Key,
        spec: Spec,
    },
    Take {
        pick: u8,
        /// The code of the key that panics, if it takes from a map. Never `Drop`.
        panics: KeyIn,
    },
    Convert {
        pick: u8,
        kind: Kind,
    },
    TryAdopt {
        pick: u8,
    },
    Clean {
        pick: u8,
        polls: Option<u8>,
    },
    Bracket {
        pick: u8,
        /// Picks a guard that the body owns.
        held: Option<u8>,
        body: Body,
        polls: Option<u8>,
    },
    Scope {
        pick: u8,
        body: Body,
        polls: Option<u8>,
        how: Strict,
        /// Whether the conversion to the body's error panics.
        from_panics: bool,
    },
    /// A scope over two guards.
    ScopeBoth {
        first: u8,
        second: u8,
        body: Body,
        polls: Option<u8>,
        from_panics: bool,
    },
    /// Ends a guard by another ending than its cleanup.
    Via {
        pick: u8,
        ending: Spec,
        polls: Option<u8>,
    },
    Release {
        pick: u8,
    },
    /// Makes another value of a guarded one.
    Remake {
        pick: u8,
        spec: Spec,
        panics: bool,
    },
    Drop {
        pick: u8,
        unwinding: bool,
    },
    /// Picks the handle that adopts from now on: the plain one, an ordered one, or a new ordered one.
    Use {
        pick: u8,
    },
    Drain {
        polls: u8,
    },
    TakeReport,
    Pending,
    Limit {
        limit: u8,
    },
    Spawn {
        spawns: bool,
    },
    PollTask {
        pick: u8,
        polls: Polls,
    },
    DropTask {
        pick: u8,
    },
    /// Starts a run first if there is none.
    Run {
        pick: u8,
        polls: u8,
    },
    /// Drops an adopted guard, or cleans up the last one, while a run waits with a waker that panics.
    Wake {
        pick: u8,
        run: u8,
        cleans: bool,
    },
    StopRun {
        pick: u8,
    },
    Close,
    Abandon,
    CleanReaper {
        polls: u8,
    },
    DropReaper {
        unwinding: bool,
    },
}

/// What the hook does after it has recorded the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hook {
    #[default]
    Records,
    /// It panics on lost values and failed orphans, unless the thread is panicking.
    PanicsOnLosses,
    /// It panics on every report, also while the thread is panicking.
    Panics,
}

/// A random program, and its hook.
#[derive(Clone)]
pub struct Program {
    pub hook: Hook,
    pub ops: Vec<Op>,
    pub finish: Finish,
}

/// How the reaper ends, if it is still there after the last operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It is cleaned up, after the last run was dropped.
    Clean,
    /// It is dropped with its orphans, after the last run was dropped.
    Drop,
    /// It is dropped, and a run cleans up the orphans.
    Run,
}

/// The statements, printed like Rust code.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n    // hook: {:?}", self.hook)?;
        for statement in statements(self) {
            writeln!(f, "    {statement}")?;
        }
        Ok(())
    }
}

fn statements(program: &Program) -> Vec<Statement> {
    model::predict(program).statements.into_iter().map(|(statement, _)| statement).collect()
}

pub fn programs() -> impl Strategy<Value = Program> {
    let finish = prop_oneof![Just(Finish::Clean), Just(Finish::Drop), Just(Finish::Run)];
    let hook = prop_oneof![Just(Hook::Records), Just(Hook::PanicsOnLosses), Just(Hook::Panics)];
    (hook, vec(op(), 0..48), finish).prop_map(|(hook, ops, finish)| Program { hook, ops, finish })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![2 => Just(Kind::Checked), 2 => Just(Kind::Live), 3 => Just(Kind::Adopted)]
}

fn spec() -> impl Strategy<Value = Spec> {
    spec_that(rarely())
}

fn spec_that(panics: impl Strategy<Value = bool>) -> impl Strategy<Value = Spec> {
    let ending =
        prop_oneof![4 => Just(Ending::Ok), 2 => Just(Ending::Fails), 1 => Just(Ending::Panics)];
    (0..4_u8, ending, panics, any::<bool>()).prop_map(|(waits, ending, panics, in_debug)| {
        let panics = match ending {
            _ if !panics => In::Nothing,
            // A `Live` guard whose value panics in its `Drop` loses the error.
            Ending::Fails if in_debug => In::ErrorDebug,
            Ending::Fails => In::ErrorDrop,
            Ending::Ok | Ending::Panics => In::Drop,
        };
        Spec { waits, ending, panics }
    })
}

fn making() -> impl Strategy<Value = Making> {
    let kind = prop_oneof![Just(Kind::Checked), Just(Kind::Live)];
    let ending =
        prop_oneof![6 => Just(Ending::Ok), 1 => Just(Ending::Fails), 1 => Just(Ending::Panics)];
    (kind, spec(), 0..3_u8, 0..3_u8, ending).prop_map(|(kind, spec, before, after, ending)| {
        Making { kind, spec, before, after, ending }
    })
}

fn rarely() -> impl Strategy<Value = bool> {
    prop_oneof![3 => Just(false), 1 => Just(true)]
}

fn body() -> impl Strategy<Value = Body> {
    let ending =
        prop_oneof![4 => Just(Ending::Ok), 2 => Just(Ending::Fails), 1 => Just(Ending::Panics)];
    (0..3_u8, ending).prop_map(|(waits, ending)| Body { waits, ending })
}

fn strict() -> impl Strategy<Value = Strict> {
    prop_oneof![Just(Strict::Function), Just(Strict::Macro), spec().prop_map(Strict::Via)]
}

fn key() -> impl Strategy<Value = Key> {
    let panics = prop_oneof![
        6 => Just(KeyIn::Nothing), 2 => Just(KeyIn::Drop), 1 => Just(KeyIn::Hash), 1 => Just(KeyIn::Eq)
    ];
    (0..2_u8, panics).prop_map(|(number, panics)| Key { number, panics })
}

fn lookup() -> impl Strategy<Value = KeyIn> {
    prop_oneof![4 => Just(KeyIn::Nothing), 1 => Just(KeyIn::Hash), 1 => Just(KeyIn::Eq)]
}

fn polls() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![1 => Just(None), 2 => (0..5_u8).prop_map(Some)]
}

fn op() -> impl Strategy<Value = Op> {
    let pick = any::<u8>;
    let empty = prop_oneof![Just(Empty::Map), (0..3_u8).prop_map(Empty::Vec), Just(Empty::Stack)];
    let values = prop_oneof![
        6 => (kind(), spec()).prop_map(|(kind, spec)| Op::Make { kind, spec }),
        5 => (kind(), empty).prop_map(|(kind, container)| Op::Empty { kind, container }),
        4 => (pick(), kind(), spec()).prop_map(|(pick, kind, spec)| Op::Hold { pick, kind, spec }),
        5 => pick().prop_map(|pick| Op::Arc { pick }),
        3 => (pick(), select(WRAPS)).prop_map(|(pick, how)| Op::Wrap { pick, how }),
        10 => pick().prop_map(|pick| Op::Clone { pick }),
        4 => pick().prop_map(|pick| Op::Downgrade { pick }),
        6 => pick().prop_map(|pick| Op::Upgrade { pick }),
        16 => (pick(), pick(), key(), spec_that(any::<bool>()))
            .prop_map(|(pick, into, key, spec)| Op::Put { pick, into, key, spec }),
        6 => (pick(), lookup()).prop_map(|(pick, panics)| Op::Take { pick, panics }),
        3 => (pick(), kind()).prop_map(|(pick, kind)| Op::Convert { pick, kind }),
        2 => pick().prop_map(|pick| Op::TryAdopt { pick }),
    ];
    let futures = prop_oneof![
        3 => making().prop_map(|making| Op::Acquire { making }),
        2 => spec().prop_map(|spec| Op::Shield { spec }),
        5 => (pick(), polls()).prop_map(|(pick, polls)| Op::Open { pick, polls }),
        3 => making().prop_map(|making| Op::Share { making }),
        1 => pick().prop_map(|pick| Op::Ready { pick }),
        5 => (pick(), polls()).prop_map(|(pick, polls)| Op::Get { pick, polls }),
    ];
    let ends = prop_oneof![
        8 => (pick(), polls()).prop_map(|(pick, polls)| Op::Clean { pick, polls }),
        4 => (pick(), of(pick()), body(), polls())
            .prop_map(|(pick, held, body, polls)| Op::Bracket { pick, held, body, polls }),
        4 => (pick(), body(), polls(), strict(), any::<bool>()).prop_map(
            |(pick, body, polls, how, from_panics)| Op::Scope { pick, body, polls, how, from_panics }
        ),
        4 => (pick(), pick(), body(), polls(), any::<bool>()).prop_map(
            |(first, second, body, polls, from_panics)| {
                Op::ScopeBoth { first, second, body, polls, from_panics }
            }
        ),
        3 => (pick(), spec(), polls())
            .prop_map(|(pick, ending, polls)| Op::Via { pick, ending, polls }),
        1 => pick().prop_map(|pick| Op::Release { pick }),
        2 => (pick(), spec(), rarely())
            .prop_map(|(pick, spec, panics)| Op::Remake { pick, spec, panics }),
        9 => (pick(), any::<bool>()).prop_map(|(pick, unwinding)| Op::Drop { pick, unwinding }),
    ];
    let reaper = prop_oneof![
        10 => pick().prop_map(|pick| Op::Use { pick }),
        8 => (0..5_u8).prop_map(|polls| Op::Drain { polls }),
        1 => Just(Op::TakeReport),
        6 => Just(Op::Pending),
        1 => (1..4_u8).prop_map(|limit| Op::Limit { limit }),
        2 => any::<bool>().prop_map(|spawns| Op::Spawn { spawns }),
        3 => (pick(), polls()).prop_map(|(pick, polls)| Op::PollTask { pick, polls }),
        3 => pick().prop_map(|pick| Op::DropTask { pick }),
        6 => (pick(), 0..5_u8).prop_map(|(pick, polls)| Op::Run { pick, polls }),
        6 => (pick(), pick(), any::<bool>())
            .prop_map(|(pick, run, cleans)| Op::Wake { pick, run, cleans }),
        4 => pick().prop_map(|pick| Op::StopRun { pick }),
        1 => Just(Op::Close),
        1 => Just(Op::Abandon),
        1 => (0..5_u8).prop_map(|polls| Op::CleanReaper { polls }),
        1 => rarely().prop_map(|unwinding| Op::DropReaper { unwinding }),
    ];
    prop_oneof![9 => values, 3 => futures, 4 => ends, 3 => reaper]
}
