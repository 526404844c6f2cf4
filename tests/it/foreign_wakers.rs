//! Wakers that panic: what a function returns is returned, or cleaned up or reported once. The list of all
//! foreign code is in `foreign_code.rs`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use crate::numbered::Row;
use crate::support::{Ending, Reports, block_on, panic_of};
use livedrop::collections::AsyncDropVec;
use livedrop::reaper::Run;
use livedrop::{AsyncDropGuard, Reaper};

/// A waker that panics.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("in the waker");
    }
}

fn waker() -> Waker {
    Waker::from(Arc::new(Panics))
}

/// Calls `body` with a reaper whose run waits with a waker that panics, and asserts that `body` panics with it:
/// the end of the last entry wakes the run.
fn expect_woken<R>(body: impl FnOnce(&Reaper) -> R) {
    let mut reaper = Reaper::new();
    let mut run: Run = reaper.run();
    assert!(Pin::new(&mut run).poll(&mut Context::from_waker(&waker())).is_pending());
    assert_eq!(panic_of(|| body(&reaper)), "in the waker");
    drop(run);
    block_on(reaper.async_drop()).unwrap();
}

const LOST: &str = "Numbered was dropped without its cleanup";

#[test]
fn error_is_reported_if_a_waker_panics() {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let value = row.value(0, Ending::Err);
    expect_woken(|reaper| block_on(reaper.adopt(AsyncDropGuard::new(value)).async_drop()));
    reports.expect_one("cleanup of Numbered failed as well: 0");
    row.expect_cleaned_once();
}

#[test]
fn shielded_output_is_reported_if_a_waker_panics() {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let guard = AsyncDropGuard::new(row.value(0, Ending::Ok));
    expect_woken(|reaper| block_on(reaper.handle().shield(async { guard })));
    reports.expect_one(LOST);
}

#[test]
fn output_of_an_ending_is_reported_if_a_waker_panics() {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let ended = row.value(0, Ending::Ok);
    let guard = AsyncDropGuard::new(row.value(0, Ending::Ok));
    expect_woken(|reaper| {
        let ended = reaper.adopt(AsyncDropGuard::new(ended));
        block_on(ended.async_drop_via(|_| async { guard }))
    });
    reports.expect_one(LOST);
}

#[test]
fn error_of_an_opening_is_dropped_if_a_waker_panics() {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let inside = AsyncDropGuard::new(row.value(0, Ending::Ok));
    expect_woken(|reaper| {
        let opening = async { Err::<AsyncDropGuard<crate::numbered::Numbered>, _>(inside) };
        block_on(reaper.handle().acquire(opening)).err()
    });
    reports.expect_one(LOST);
}

#[test]
fn value_taken_out_is_dropped_if_a_waker_panics() {
    let (reports, mut row) = (Reports::collect(), Row::default());
    let guard = AsyncDropGuard::new(row.value(0, Ending::Ok));
    expect_woken(|reaper| {
        let mut vec = AsyncDropVec::new();
        vec.push(guard);
        AsyncDropGuard::into_inner_without_cleanup(reaper.adopt(vec))
    });
    reports.expect_one(LOST);
}
