//! `async_drop_all`: cleans up guards of any types concurrently, all of them, also if one fails or panics.

use crate::numbered::{Numbered, Row, Tested};
use crate::support::{Ending, Reports, block_on, cancel_after, panic_of, run, wait};
use async_trait::async_trait;
use livedrop::all::AllOutcome;
use livedrop::scope::Proof;
use livedrop::{AsyncDrop, AsyncDropGuard, CleanupErrors, Live, Reaper, async_drop_all, scope};

/// A value of another type with the same error.
struct Other;

#[async_trait]
impl AsyncDrop for Other {
    type Error = u32;

    async fn async_drop_impl(&mut self) -> Result<(), u32> {
        wait(1).await;
        Err(100)
    }
}

/// The output of a cleanup in any state, as a `Result`.
trait Answer {
    fn errors(self) -> Vec<u32>;
}

impl Answer for Result<(), CleanupErrors<u32>> {
    fn errors(self) -> Vec<u32> {
        self.err().into_iter().flatten().collect()
    }
}

impl<P> Answer for AllOutcome<P, u32> {
    fn errors(self) -> Vec<u32> {
        self.result.errors()
    }
}

in_both_states! {
    fn guard(row: &mut Row, waits: usize, ending: Ending) -> AsyncDropGuard<Numbered, S> {
        S::guard(row.value(waits, ending))
    }

    #[test]
    fn guards_of_several_types_are_cleaned() {
        let mut row = Row::default();
        let guards = (guard(&mut row, 2, Ending::Ok), S::guard(Other));
        assert_eq!(block_on(async_drop_all(guards)).errors(), [100]);
        row.expect_cleaned_once();
    }

    #[test]
    fn guard_alone_is_cleaned() {
        let mut row = Row::default();
        let guards = (guard(&mut row, 2, Ending::Err),);
        assert_eq!(block_on(async_drop_all(guards)).errors(), [0]);
        row.expect_cleaned_once();
    }

    #[test]
    fn twelve_guards_are_cleaned() {
        let mut row = Row::default();
        let mut next = || guard(&mut row, 1, Ending::Err);
        let guards = (
            next(), next(), next(), next(), next(), next(),
            next(), next(), next(), next(), next(), next(),
        );
        assert_eq!(block_on(async_drop_all(guards)).errors(), (0..12).collect::<Vec<_>>());
        row.expect_cleaned_once();
    }

    #[test]
    fn missing_guards_are_left_out() {
        let mut row = Row::default();
        let guards = (
            None::<AsyncDropGuard<Other, S>>,
            Some(guard(&mut row, 1, Ending::Err)),
            guard(&mut row, 0, Ending::Ok),
        );
        assert_eq!(block_on(async_drop_all(guards)).errors(), [0]);
        row.expect_cleaned_once();
    }

    #[test]
    fn cleanups_run_concurrently() {
        let mut row = Row::default();
        let guards = (
            guard(&mut row, 3, Ending::Ok),
            guard(&mut row, 3, Ending::Ok),
            guard(&mut row, 3, Ending::Ok),
        );
        assert_eq!(run(async_drop_all(guards)).0, 4);
        assert_eq!(row.concurrency.most(), 3);
    }

    #[test]
    fn all_errors_are_kept_as_they_are_found() {
        let (reports, mut row) = (Reports::collect(), Row::default());
        let guards = (
            guard(&mut row, 3, Ending::Err),
            guard(&mut row, 0, Ending::Ok),
            guard(&mut row, 1, Ending::Err),
        );
        assert_eq!(block_on(async_drop_all(guards)).errors(), [2, 0]);
        row.expect_cleaned_once();
        reports.expect_none();
    }

    #[test]
    fn cleans_the_others_and_resumes_the_first_panic() {
        let (reports, mut row) = (Reports::collect(), Row::default());
        let guards = (
            guard(&mut row, 2, Ending::Panic),
            guard(&mut row, 0, Ending::Panic),
            guard(&mut row, 1, Ending::Err),
            guard(&mut row, 3, Ending::Ok),
        );
        assert_eq!(panic_of(|| block_on(async_drop_all(guards)).errors()), "1 went wrong");
        row.expect_cleaned_once();
        assert_eq!(
            reports.take(),
            [
                "cleanup of (Numbered, Numbered, Numbered, Numbered) failed as well: \
                 panicked: 0 went wrong",
                "cleanup of (Numbered, Numbered, Numbered, Numbered) failed as well: 2",
            ]
        );
    }

    #[test]
    fn cancelled_reports_the_lost_guards_and_errors() {
        for polls in 0..4 {
            let (reports, mut row) = (Reports::collect(), Row::default());
            let guards = (guard(&mut row, 0, Ending::Err), guard(&mut row, 3, Ending::Ok));
            cancel_after(polls, async_drop_all(guards));
            let texts = reports.take();
            let begun = usize::from(polls > 0);
            assert_eq!(row.counts(), [(begun, begun, 1), (begun, 0, 1)]);
            let beginnings = match polls {
                0 => ["Forgot to call async_drop on Numbered"; 2],
                _ => [
                    "async_drop on Numbered was cancelled before it finished",
                    "cleanup of (Numbered, Numbered) failed as well: 0",
                ],
            };
            assert_eq!(texts.len(), 2, "{texts:?}");
            for (text, beginning) in texts.iter().zip(beginnings) {
                assert!(text.starts_with(beginning), "{texts:?}");
            }
        }
    }

    #[test]
    fn cancelled_under_the_default_hook_panics_once() {
        let mut row = Row::default();
        let guards = (guard(&mut row, 3, Ending::Ok), guard(&mut row, 3, Ending::Ok));
        let text = panic_of(|| cancel_after(2, async_drop_all(guards)));
        assert!(text.starts_with("async_drop on Numbered was cancelled"), "{text}");
        assert_eq!(row.counts(), [(1, 0, 1); 2]);
    }

    #[test]
    fn future_is_send() {
        fn send<T: Send>(value: T) -> T {
            value
        }
        let mut row = Row::default();
        let guards = (guard(&mut row, 1, Ending::Ok), Some(S::guard(Other)));
        assert_eq!(block_on(send(async_drop_all(guards))).errors(), [100]);
    }
}

#[test]
fn checked_guard_cleaned_before_is_not_cleaned_again() {
    let mut row = Row::default();
    let mut first = AsyncDropGuard::new(row.value(1, Ending::Err));
    let second = AsyncDropGuard::new(row.value(1, Ending::Ok));
    assert_eq!(block_on(first.async_drop()), Err(0));
    assert_eq!(block_on(async_drop_all((first, second))), Ok(()));
    row.expect_cleaned_once();
}

#[test]
fn live_guards_give_a_proof_each() {
    let mut row = Row::default();
    let guards = (
        AsyncDropGuard::live(row.value(1, Ending::Ok)),
        None::<AsyncDropGuard<Other, Live>>,
        Some(AsyncDropGuard::live(row.value(1, Ending::Ok))),
    );
    let outcome = block_on(async_drop_all(guards));
    let (_first, nothing, third) = outcome.into_result().unwrap();
    assert!(nothing.is_none() && third.is_some());
}

#[test]
fn failed_cleanups_give_their_proofs_too() {
    let mut row = Row::default();
    let guards = (AsyncDropGuard::live(row.value(1, Ending::Err)), AsyncDropGuard::live(Other));
    let outcome = block_on(async_drop_all(guards));
    let (first, second) = outcome.proofs;
    assert_eq!(format!("{first:?}, {second:?}"), "<Numbered: cleaned up>, <Other: cleaned up>");
    assert_eq!(outcome.result.errors(), [0, 100]);
    let guards = (AsyncDropGuard::live(row.value(1, Ending::Err)),);
    assert!(block_on(async_drop_all(guards)).into_result().is_err());
}

#[test]
fn proofs_end_their_own_scopes() {
    let mut row = Row::default();
    let outer = AsyncDropGuard::live(row.value(2, Ending::Err));
    let inner = AsyncDropGuard::live(Other);
    let errors = block_on(scope(outer, async |outer| {
        let mut outer = Some(outer);
        let mut proof: Option<Proof<'_, Numbered>> = None;
        let errors = scope(inner, async |inner| {
            let outer = outer.take().unwrap();
            let AllOutcome { proofs, result } = async_drop_all((outer, inner)).await;
            proof = Some(proofs.0);
            (proofs.1, result.errors())
        })
        .await;
        (proof.unwrap(), errors)
    }));
    assert_eq!(errors, [100, 0]);
    row.expect_cleaned_once();
}

#[test]
fn adopted_guards_are_cleaned() {
    let (mut reaper, mut row) = (Reaper::new(), Row::default());
    let first = reaper.adopt(AsyncDropGuard::new(row.value(2, Ending::Err)));
    let second = reaper.adopt(AsyncDropGuard::new(Other));
    let third = Some(reaper.adopt(AsyncDropGuard::new(row.value(0, Ending::Ok))));
    assert_eq!(block_on(async_drop_all((first, second, third))).errors(), [100, 0]);
    row.expect_cleaned_once();
    let report = block_on(reaper.drain());
    assert_eq!((report.cleaned, report.failures.len()), (0, 0), "nothing was left to the reaper");
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn cancelled_leaves_adopted_guards_to_the_reaper() {
    // The last cleanup waits four times.
    for polls in 0..5 {
        let (reports, mut row) = (Reports::collect(), Row::default());
        let mut reaper = Reaper::new();
        let mut adopt = |waits, ending| reaper.adopt(AsyncDropGuard::new(row.value(waits, ending)));
        let guards = (adopt(0, Ending::Err), adopt(2, Ending::Ok), adopt(4, Ending::Err));
        cancel_after(polls, async_drop_all(guards));
        let report = block_on(reaper.drain());
        row.expect_cleaned_once();
        let ended = [polls > 0, polls > 2, polls > 4].into_iter().filter(|ended| *ended).count();
        assert_eq!(report.cleaned, 3 - ended, "after {polls} polls");
        // The hook gets the errors of the cleanups that had ended.
        let texts = reports.take();
        let found = usize::from(polls > 0);
        assert_eq!(texts.len(), found, "after {polls} polls: {texts:?}");
        block_on(reaper.async_drop()).unwrap();
    }
}
