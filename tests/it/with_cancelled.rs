//! Cancelled cleanups after a body: the hook gets the errors and panics that were found before, since the
//! caller gets no result.

use std::sync::Arc;

use crate::support::{Ending, Failed, Reports, Resource, block_on, cancel_after};
use livedrop::{AsyncDropGuard, Reaper, with_async_drop};

const CANCELLED: &str = "async_drop on Resource was cancelled before it finished";
const FAILED: &str = "cleanup of Resource failed as well: Failed";
const PANICKED: &str = "cleanup of Resource failed as well: panicked: cleanup went wrong";
const BODY_PANICKED: &str = "the body that used Resource failed as well: panicked: body";

fn guard(waits: usize, ending: Ending) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(&Arc::default(), waits, ending))
}

#[track_caller]
fn expect_among(reports: &Reports, expected: &[&str]) {
    let mut texts = reports.take();
    texts.sort();
    assert_eq!(texts.len(), expected.len(), "{texts:?}");
    let as_expected = texts.iter().zip(expected).all(|(text, start)| text.starts_with(start));
    assert!(as_expected, "{texts:?}");
}

#[test]
fn error_or_panic_of_one_cleanup_is_reported() {
    for (ending, report) in [(Ending::Err, FAILED), (Ending::Panic, PANICKED)] {
        for polls in 1..=3 {
            let reports = Reports::collect();
            let (a, b) = (guard(0, ending), guard(3, Ending::Ok));
            cancel_after(polls, async { with_async_drop!(a, b, { Ok::<_, Failed>(()) }) });
            expect_among(&reports, &[CANCELLED, report]);
        }
    }
}

#[test]
fn error_of_one_adopted_guard_is_reported() {
    for polls in 1..=3 {
        let (reports, mut reaper) = (Reports::collect(), Reaper::new());
        let (a, b) = (reaper.adopt(guard(0, Ending::Err)), reaper.adopt(guard(3, Ending::Ok)));
        cancel_after(polls, async { with_async_drop!(a, b, { Ok::<_, Failed>(()) }) });
        block_on(reaper.async_drop()).unwrap();
        reports.expect(&[FAILED]);
    }
}

#[test]
fn body_panic_is_reported() {
    for polls in 1..=3 {
        let (reports, mut reaper) = (Reports::collect(), Reaper::new());
        let adopted = reaper.adopt(guard(3, Ending::Ok));
        let body = async |_: &mut Resource| -> Result<(), Failed> { panic!("body") };
        cancel_after(polls, with_async_drop(adopted, body));
        block_on(reaper.async_drop()).unwrap();
        reports.expect(&[BODY_PANICKED]);

        cancel_after(polls, with_async_drop(guard(3, Ending::Ok), body));
        expect_among(&reports, &[CANCELLED, BODY_PANICKED]);
    }
}

#[test]
fn block_panic_before_several_cleanups_is_reported() {
    for polls in 1..=3 {
        let reports = Reports::collect();
        let (a, b) = (guard(3, Ending::Ok), guard(3, Ending::Ok));
        cancel_after(polls, async {
            with_async_drop!(a, b, {
                assert!(a.touch() + b.touch() == 0, "body");
                Ok::<_, Failed>(())
            })
        });
        expect_among(&reports, &[CANCELLED, CANCELLED, BODY_PANICKED]);
    }
}
