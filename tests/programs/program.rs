//! Random programs: what is generated, and what they read like.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use crate::model;
use crate::statement::Statement;

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

/// The cleanup of a value: it is pending so many times, and then ends so.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub waits: u8,
    pub ending: Ending,
}

/// The containers that begin empty.
#[derive(Clone, Copy, Debug)]
pub enum Empty {
    Map,
    /// How many are cleaned up at a time; 0 for no limit.
    Vec(u8),
    Stack,
}

/// What takes one guard in, and owes what that owed.
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
    /// How often it is pending with the guard in it.
    pub after: u8,
    /// What it ends with; the guard is lost unless this is `Ok`.
    pub ending: Ending,
}

/// A body around which, or in which, a guard is cleaned up.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    pub waits: u8,
    pub panics: bool,
}

/// What is generated. `pick` chooses among the guards that this can be done to; if there is none,
/// nothing is done.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    Make {
        kind: Kind,
        spec: Spec,
    },
    Empty {
        kind: Kind,
        what: Empty,
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
    /// Polls what is being acquired.
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
    /// A new value if no other fits.
    Put {
        pick: u8,
        into: u8,
        key: u8,
        spec: Spec,
    },
    Take {
        pick: u8,
    },
    Convert {
        pick: u8,
        kind: Kind,
    },
    Clean {
        pick: u8,
        polls: Option<u8>,
    },
    Bracket {
        pick: u8,
        body: Body,
        polls: Option<u8>,
    },
    Scope {
        pick: u8,
        body: Body,
        polls: Option<u8>,
        by_macro: bool,
    },
    Release {
        pick: u8,
    },
    Drop {
        pick: u8,
        unwinding: bool,
    },
    Drain {
        polls: u8,
    },
    /// Starts it first, where none runs.
    Run {
        polls: u8,
    },
    StopRun,
    Close,
    Abandon,
    CleanReaper {
        polls: u8,
    },
    DropReaper {
        unwinding: bool,
    },
}

/// A random program, and the hook that it runs under.
#[derive(Clone)]
pub struct Program {
    /// Whether the hook panics, as the default one does, or only takes note.
    pub hook_panics: bool,
    pub ops: Vec<Op>,
    /// Whether the reaper is cleaned up in the end, or dropped with what it has.
    pub waits_in_the_end: bool,
}

/// The statements, as they would be written.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hook = if self.hook_panics { "panics" } else { "takes note" };
        writeln!(f, "\n    // the hook {hook}")?;
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
    (any::<bool>(), vec(op(), 0..48), any::<bool>()).prop_map(
        |(hook_panics, ops, waits_in_the_end)| Program { hook_panics, ops, waits_in_the_end },
    )
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Checked), Just(Kind::Live), Just(Kind::Adopted)]
}

fn spec() -> impl Strategy<Value = Spec> {
    let ending =
        prop_oneof![4 => Just(Ending::Ok), 2 => Just(Ending::Fails), 1 => Just(Ending::Panics)];
    (0..4_u8, ending).prop_map(|(waits, ending)| Spec { waits, ending })
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
    (0..3_u8, rarely()).prop_map(|(waits, panics)| Body { waits, panics })
}

fn polls() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![1 => Just(None), 2 => (0..5_u8).prop_map(Some)]
}

fn op() -> impl Strategy<Value = Op> {
    let pick = any::<u8>;
    let empty = prop_oneof![Just(Empty::Map), (0..3_u8).prop_map(Empty::Vec), Just(Empty::Stack)];
    let values = prop_oneof![
        6 => (kind(), spec()).prop_map(|(kind, spec)| Op::Make { kind, spec }),
        5 => (kind(), empty).prop_map(|(kind, what)| Op::Empty { kind, what }),
        4 => (pick(), kind(), spec()).prop_map(|(pick, kind, spec)| Op::Hold { pick, kind, spec }),
        5 => pick().prop_map(|pick| Op::Arc { pick }),
        3 => (pick(), select(WRAPS)).prop_map(|(pick, how)| Op::Wrap { pick, how }),
        10 => pick().prop_map(|pick| Op::Clone { pick }),
        4 => pick().prop_map(|pick| Op::Downgrade { pick }),
        6 => pick().prop_map(|pick| Op::Upgrade { pick }),
        16 => (pick(), pick(), 0..3_u8, spec())
            .prop_map(|(pick, into, key, spec)| Op::Put { pick, into, key, spec }),
        6 => pick().prop_map(|pick| Op::Take { pick }),
        3 => (pick(), kind()).prop_map(|(pick, kind)| Op::Convert { pick, kind }),
    ];
    let futures = prop_oneof![
        3 => making().prop_map(|making| Op::Acquire { making }),
        4 => (pick(), polls()).prop_map(|(pick, polls)| Op::Open { pick, polls }),
        3 => making().prop_map(|making| Op::Share { making }),
        1 => pick().prop_map(|pick| Op::Ready { pick }),
        5 => (pick(), polls()).prop_map(|(pick, polls)| Op::Get { pick, polls }),
    ];
    let ends = prop_oneof![
        8 => (pick(), polls()).prop_map(|(pick, polls)| Op::Clean { pick, polls }),
        2 => (pick(), body(), polls())
            .prop_map(|(pick, body, polls)| Op::Bracket { pick, body, polls }),
        3 => (pick(), body(), polls(), any::<bool>())
            .prop_map(|(pick, body, polls, by_macro)| Op::Scope { pick, body, polls, by_macro }),
        1 => pick().prop_map(|pick| Op::Release { pick }),
        2 => (pick(), rarely()).prop_map(|(pick, unwinding)| Op::Drop { pick, unwinding }),
    ];
    let reaper = prop_oneof![
        8 => (0..5_u8).prop_map(|polls| Op::Drain { polls }),
        6 => (0..5_u8).prop_map(|polls| Op::Run { polls }),
        2 => Just(Op::StopRun),
        1 => Just(Op::Close),
        1 => Just(Op::Abandon),
        1 => (0..5_u8).prop_map(|polls| Op::CleanReaper { polls }),
        1 => rarely().prop_map(|unwinding| Op::DropReaper { unwinding }),
    ];
    prop_oneof![9 => values, 3 => futures, 4 => ends, 2 => reaper]
}
