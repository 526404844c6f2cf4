//! Searches all ends of an owner for an end that loses a cleanup.
//!
//! A scenario makes resources in a [`World`], adopts them, uses them and cleans them up. It runs once
//! to count its polls. Then it runs again for every end: it is dropped after every number of polls,
//! with and without a panic, and it panics at every one of its own steps. Each time the reaper is
//! drained. Then every cleanup must have begun once and ended once, every value must have been dropped
//! once, and nothing may be reported as lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use livedrop::testing::cancel_after;
use livedrop::{AsyncDropGuard, Reaper, ReaperHandle};

use super::{Ending, Log, Reports, Resource, block_on, run, wait};

/// The reaper and the resources of one run of a scenario.
pub struct World {
    pub reaper: ReaperHandle,
    resources: Mutex<Vec<(Arc<Log>, Ending)>>,
    steps: AtomicUsize,
    panic_at: usize,
}

impl World {
    fn new(reaper: &Reaper, panic_at: usize) -> Arc<Self> {
        Arc::new(Self {
            reaper: reaper.handle(),
            resources: Mutex::default(),
            steps: AtomicUsize::new(0),
            panic_at,
        })
    }

    /// A value whose counts are checked at the end.
    pub fn resource(&self, waits: usize, ending: Ending) -> Resource {
        let log = Arc::<Log>::default();
        self.resources.lock().unwrap().push((Arc::clone(&log), ending));
        Resource::new(&log, waits, ending)
    }

    pub fn checked(&self, waits: usize, ending: Ending) -> AsyncDropGuard<Resource> {
        AsyncDropGuard::new(self.resource(waits, ending))
    }

    /// Steps of the body. It may panic before each step and after the last, and waits once in each.
    pub async fn steps(&self, count: usize) {
        for _ in 0..count {
            self.step();
            wait(1).await;
        }
        self.step();
    }

    fn step(&self) {
        if self.steps.fetch_add(1, SeqCst) == self.panic_at {
            std::panic::panic_any(PANIC);
        }
    }
}

const PANIC: &str = "at a step of the body";
const NEVER: usize = usize::MAX;

pub type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How a scenario ends.
#[derive(Clone, Copy, Debug)]
enum Exit {
    /// It is dropped after this many polls.
    Dropped(usize),
    /// Another panic drops it after this many polls.
    Unwound(usize),
    /// It panics at this step.
    Panicked(usize),
}

/// Keeps the messages of expected panics out of the output.
pub fn silence_expected_panics() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.to_string().contains(PANIC) {
            others(info);
        }
    }));
}

/// Runs the scenario to its end, and then ends it at every point. Returns the number of points.
pub fn explore(name: &str, scenario: &dyn Fn(Arc<World>) -> Run) -> usize {
    let (polls, steps) = once(name, scenario, None);
    let dropped = (0..polls).map(Exit::Dropped);
    let unwound = (0..polls).map(Exit::Unwound);
    let panicked = (0..steps).map(Exit::Panicked);
    let mut points = 0;
    for exit in dropped.chain(unwound).chain(panicked) {
        once(name, scenario, Some(exit));
        points += 1;
    }
    points
}

/// One run. Returns its polls and its steps.
fn once(name: &str, scenario: &dyn Fn(Arc<World>) -> Run, exit: Option<Exit>) -> (usize, usize) {
    let reports = Reports::collect();
    let mut reaper = Reaper::new();
    let world =
        World::new(&reaper, if let Some(Exit::Panicked(step)) = exit { step } else { NEVER });
    let limit = match exit {
        Some(Exit::Dropped(polls) | Exit::Unwound(polls)) => polls,
        Some(Exit::Panicked(_)) | None => NEVER,
    };
    let mut polls = 0;
    let mut future = Some(scenario(Arc::clone(&world)));
    let left = catch_unwind(AssertUnwindSafe(|| {
        // Moved into the closure, so that a panic drops it while unwinding.
        let mut future = future.take().expect("the closure runs once");
        let output;
        (polls, output) = run(cancel_after(limit, &mut future));
        if let (Some(Exit::Unwound(_)), None) = (exit, output) {
            std::panic::panic_any(PANIC);
        }
        output.is_some()
    }));
    let as_expected = match (&left, exit) {
        (Ok(ended), _) => *ended == exit.is_none(),
        (Err(payload), Some(Exit::Panicked(_) | Exit::Unwound(_))) => {
            payload.downcast_ref::<&str>().is_some_and(|text| *text == PANIC)
        }
        (Err(_), _) => false,
    };
    assert!(as_expected, "{name}, {exit:?}: unexpected end: {left:?}");

    let failures = block_on(reaper.drain()).failures.len();
    assert_eq!(reports.take_failed().len(), failures, "{name}, {exit:?}: the hook is told of each");
    block_on(reaper.async_drop()).expect("drained before");
    let resources = std::mem::take(&mut *world.resources.lock().unwrap());
    let mut may_fail = 0;
    for (number, (log, ending)) in resources.into_iter().enumerate() {
        let ended = usize::from(ending != Ending::Panic);
        may_fail += usize::from(ending != Ending::Ok);
        assert_eq!(log.counts(), (1, ended, 1), "{name}, {exit:?}: resource {number}");
    }
    // An error after a panic of the body is not lost: the hook gets it.
    let (suppressed, lost): (Vec<_>, Vec<_>) =
        reports.take().into_iter().partition(|text| text.contains(" failed as well: Failed"));
    assert!(lost.is_empty(), "{name}, {exit:?}: {lost:?}");
    let failures = failures + suppressed.len();
    assert!(failures <= may_fail, "{name}, {exit:?}: {failures} failures");
    (polls, world.steps.load(SeqCst))
}
