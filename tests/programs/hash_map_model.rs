//! `AsyncDropHashMap` compared with std's `HashMap`: after any sequence of operations, including cancelled
//! cleanups, the two hold the same entries, and every value was cleaned up once.

use std::collections::{BTreeSet, HashMap};

use crate::numbered::{Numbered, Row, Tested, clean};
use crate::support::{Ending, Reports, block_on, run};
use livedrop::collections::AsyncDropHashMap;
use livedrop::testing::cancel_after;
use livedrop::{AsyncDropGuard, Checked, Live};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};

trait Maps: Tested {
    fn map() -> AsyncDropGuard<AsyncDropHashMap<u8, Numbered, Self>>;
}

impl Maps for Checked {
    fn map() -> AsyncDropGuard<AsyncDropHashMap<u8, Numbered>> {
        AsyncDropHashMap::new()
    }
}

impl Maps for Live {
    fn map() -> AsyncDropGuard<AsyncDropHashMap<u8, Numbered, Live>> {
        AsyncDropGuard::into_checked(AsyncDropHashMap::live())
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert { key: u8, waits: usize, fails: bool },
    TryInsert { key: u8, waits: usize, fails: bool },
    Remove { key: u8 },
    Drain { count: usize },
    Limit { limit: usize },
    CancelledCleanup { polls: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let (key, waits) = (0..6_u8, 0..5_usize);
    prop_oneof![
        4 => (key.clone(), waits.clone(), any::<bool>())
            .prop_map(|(key, waits, fails)| Step::Insert { key, waits, fails }),
        4 => (key.clone(), waits, any::<bool>())
            .prop_map(|(key, waits, fails)| Step::TryInsert { key, waits, fails }),
        2 => key.prop_map(|key| Step::Remove { key }),
        1 => (0..4_usize).prop_map(|count| Step::Drain { count }),
        1 => (1..4_usize).prop_map(|limit| Step::Limit { limit }),
        2 => (0..4_usize).prop_map(|polls| Step::CancelledCleanup { polls }),
        1 => Just(Step::CancelledCleanup { polls: 1 }),
    ]
}

fn ending(fails: bool) -> Ending {
    if fails { Ending::Err } else { Ending::Ok }
}

/// The map, its model, and the values that must be accounted for at the end.
struct Run<S: Maps> {
    map: AsyncDropGuard<AsyncDropHashMap<u8, Numbered, S>>,
    model: HashMap<u8, u32>,
    row: Row,
    /// The numbers of the values that the map had to clean up.
    given: Vec<u32>,
    /// The guards that the map returned.
    back: Vec<AsyncDropGuard<Numbered, S>>,
    failing: BTreeSet<u32>,
}

impl<S: Maps> Run<S> {
    fn new() -> Self {
        Self {
            map: S::map(),
            model: HashMap::new(),
            row: Row::default(),
            given: Vec::new(),
            back: Vec::new(),
            failing: BTreeSet::new(),
        }
    }

    fn guard(&mut self, waits: usize, fails: bool) -> (u32, AsyncDropGuard<Numbered, S>) {
        let value = self.row.value(waits, ending(fails));
        if fails {
            self.failing.insert(value.number);
        }
        (value.number, S::guard(value))
    }

    /// Takes the step in the map and in the model. Returns the errors of a cleanup that ended.
    fn take(&mut self, step: &Step) -> Option<BTreeSet<u32>> {
        match *step {
            Step::Insert { key, waits, fails } => {
                let (number, guard) = self.guard(waits, fails);
                let replaced = self.map.insert(key, guard);
                let expected = self.model.insert(key, number);
                assert_eq!(replaced.as_ref().map(|guard| guard.number), expected);
                self.back.extend(replaced);
            }
            Step::TryInsert { key, waits, fails } => {
                let (number, guard) = self.guard(waits, fails);
                match self.map.try_insert(key, guard) {
                    Ok(guard) => {
                        assert_eq!(guard.number, number);
                        assert_eq!(self.model.insert(key, number), None);
                    }
                    Err(occupied) => {
                        assert_eq!(occupied.entry.get().number, self.model[&key]);
                        assert_eq!(occupied.value.number, number);
                        self.back.push(occupied.value);
                    }
                }
            }
            Step::Remove { key } => {
                let removed = self.map.remove(&key);
                assert_eq!(removed.as_ref().map(|guard| guard.number), self.model.remove(&key));
                self.back.extend(removed);
            }
            Step::Drain { count } => {
                for (key, guard) in self.map.drain().take(count) {
                    assert_eq!(self.model.remove(&key), Some(guard.number));
                    self.back.push(guard);
                }
            }
            Step::Limit { limit } => {
                self.map.set_concurrency(limit);
            }
            Step::CancelledCleanup { polls } => {
                if polls > 0 {
                    self.given.extend(self.model.drain().map(|(_, number)| number));
                }
                let cancelled = cancel_after(polls, self.map.async_drop());
                if let Some(result) = run(cancelled).1 {
                    return Some(result.err().into_iter().flatten().collect());
                }
            }
        }
        None
    }
}

fn check<S: Maps>(steps: &[Step]) -> Result<(), proptest::test_runner::TestCaseError> {
    let reports = Reports::collect();
    let mut run = Run::<S>::new();
    let mut errors = None;
    for step in steps {
        errors = run.take(step);
        if errors.is_some() {
            break;
        }
        prop_assert_eq!(run.map.len(), run.model.len());
        for (key, number) in &run.model {
            prop_assert_eq!(run.map.get(key).map(|guard| guard.number), Some(*number));
        }
    }
    let errors = errors.unwrap_or_else(|| {
        run.given.extend(run.model.drain().map(|(_, number)| number));
        block_on(run.map.async_drop()).err().into_iter().flatten().collect()
    });
    prop_assert!(run.map.is_dropped());
    // The errors of the values that the map had to clean up, and no others.
    let expected = run.given.iter().copied().filter(|number| run.failing.contains(number));
    prop_assert_eq!(errors, expected.collect::<BTreeSet<_>>());
    for guard in &run.back {
        prop_assert_eq!(run.row.counts()[guard.number as usize], (0, 0, 0));
    }
    for guard in run.back {
        let number = guard.number;
        prop_assert_eq!(clean(guard).is_err(), run.failing.contains(&number));
    }
    for (begun, ended, dropped) in run.row.counts() {
        prop_assert!(begun >= 1);
        prop_assert_eq!((ended, dropped), (1, 1));
    }
    drop(run.map);
    reports.expect_none();
    Ok(())
}

proptest! {
    #[test]
    fn checked_map_behaves_as_the_model(steps in vec(step(), 0..40)) {
        check::<Checked>(&steps)?;
    }

    #[test]
    fn live_map_behaves_as_the_model(steps in vec(step(), 0..40)) {
        check::<Live>(&steps)?;
    }
}
