//! Runs random programs of guard operations, and compares them with a model of the obligations.
//!
//! After each program, every obligation was discharged exactly once or reported exactly once, as the
//! model predicts, every error and every panic of a cleanup was reported once, and the cleanups began and
//! ended in the order of the model.
//!
//! `LIVEDROP_PROGRAMS` is the number of programs, 256 by default. With `LIVEDROP_NO_SHRINK`, the first
//! failing program is printed as it was generated. The creation site in a report identifies the guard.
//! In release builds that needs the feature `location`.
//!
//! ```text
//! LIVEDROP_PROGRAMS=100000 cargo test --release -p livedrop-programs --features location
//! ```
#![allow(unreachable_pub, reason = "the modules share these items")]
#![cfg(any(debug_assertions, feature = "location"))]

#[path = "../support/mod.rs"]
mod support;
#[macro_use]
#[path = "../support/numbered.rs"]
mod numbered;

mod executors;
#[macro_use]
mod guards;
mod hash_map_model;
mod machine;
mod making;
mod model;
mod program;
mod sites;
mod statement;
mod value;

use livedrop::hook::{Cause, GuardKind};
use machine::Machine;
use model::{Fate, Settled};
use program::{Program, programs};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use proptest::{prop_assert, prop_assert_eq};
use value::{Seen, named_in};

#[test]
fn every_obligation_is_discharged_or_reported_exactly_once() {
    machine::silence_expected_panics();
    let programs_to_run = std::env::var("LIVEDROP_PROGRAMS")
        .map_or(256, |number| number.parse().expect("LIVEDROP_PROGRAMS is a number"));
    let shrinks = std::env::var_os("LIVEDROP_NO_SHRINK").is_none();
    let config = Config {
        cases: programs_to_run,
        failure_persistence: None,
        max_shrink_iters: if shrinks { 100_000 } else { 0 },
        ..Config::default()
    };
    match TestRunner::new(config).run(&programs(), |program| check(&program)) {
        Err(TestError::Fail(reason, program)) if !shrinks => {
            panic!("{reason}\nfailing program: {program:?}");
        }
        Err(TestError::Fail(_, program)) => {
            let (program, reason) = without_the_rest(program);
            panic!("{reason}\nminimal failing program: {program:?}");
        }
        result => result.expect("programs are generated"),
    }
}

/// Removes the operations that the failure does not need, one or two at a time. The shrunk program of
/// proptest has some of them, since proptest does not retry a removal after other changes.
fn without_the_rest(mut program: Program) -> (Program, TestCaseError) {
    let mut reason = fails(&program).expect("it fails again");
    'shorter: loop {
        let count = program.ops.len();
        for (first, second) in (0..count).flat_map(|first| (first..count).map(move |i| (first, i)))
        {
            let mut shorter = program.clone();
            shorter.ops.remove(second);
            if first != second {
                shorter.ops.remove(first);
            }
            if let Some(error) = fails(&shorter) {
                (program, reason) = (shorter, error);
                continue 'shorter;
            }
        }
        return (program, reason);
    }
}

/// Checks the program several times: a failure may depend on the order of a map.
fn fails(program: &Program) -> Option<TestCaseError> {
    (0..32).find_map(|_| check(program).err())
}

fn check(program: &Program) -> Result<(), TestCaseError> {
    let prediction = model::predict(program);
    let mut machine = Machine::new(program.hook);
    for (statement, panics) in &prediction.statements {
        prop_assert_eq!(machine.carry_out(statement), *panics, "a panic out of `{}`", statement);
    }
    let told = machine.told.take();
    prop_assert_eq!(&told.broken_rules, &[""; 0]);
    prop_assert_eq!(told.body_panics, prediction.body_panics, "panics of bodies");
    if let Some(log) = &prediction.log {
        prop_assert_eq!(&*machine.world.log.lock().unwrap(), log, "the order of the cleanups");
    }
    let mut named = vec![0; prediction.fates.len()];
    for id in named_in(&machine.world.messages.lock().unwrap()) {
        named[id] += 1;
    }
    for (id, fate) in prediction.fates.iter().enumerate() {
        let reports: Vec<_> = told
            .losses
            .iter()
            .filter(|(lost, ..)| *lost == id)
            .map(|(_, cause, kind)| (*cause, *kind))
            .collect();
        check_one(id, fate, &reports, machine.world.seen(id), named[id])?;
        let failed = told.failures.iter().filter(|(failed, _)| *failed == id);
        let lanes: Vec<_> = failed.map(|(_, label)| label.clone()).collect();
        let expected: Vec<_> =
            fate.failed.iter().map(|lane| lane.map(|lane| lane.to_string())).collect();
        prop_assert_eq!(lanes, expected, "the labels of the failures of the orphan g{}", id);
    }
    Ok(())
}

/// Compares one obligation with the prediction of the model.
fn check_one(
    id: usize,
    fate: &Fate,
    reports: &[(Cause, GuardKind)],
    seen: Seen,
    named: usize,
) -> Result<(), TestCaseError> {
    let [settled] = fate.settled[..] else {
        panic!("the model does not settle g{id} exactly once: {fate:?}");
    };
    match settled {
        Settled::Reported(cause, kind) => {
            prop_assert_eq!(reports.len(), 1, "g{} is reported once; {:?}", id, seen);
            prop_assert!(
                cause.is_none_or(|cause| reports[0].0 == cause) && reports[0].1 == kind,
                "g{id}: {reports:?}, not {cause:?}, {kind:?}"
            );
        }
        Settled::Discharged | Settled::EndedVia | Settled::Released | Settled::Named => {
            prop_assert_eq!(reports, &[], "g{} is {:?}", id, settled);
        }
    }
    let ended = usize::from(fate.is_value && settled == Settled::Discharged);
    let expected = Seen {
        begun: fate.begun,
        ended,
        dropped: usize::from(fate.is_value),
        via_begun: fate.via_begun,
        via_ended: usize::from(settled == Settled::EndedVia),
    };
    prop_assert_eq!(seen, expected, "g{} is {:?}", id, settled);
    let named = if fate.is_uncounted { fate.failures } else { named };
    prop_assert_eq!(named, fate.failures, "how often the failure of g{} was reported", id);
    Ok(())
}
