//! Strict scopes that are safe from cancellation: over adopted guards, over several guards, and the ways
//! to end a guard in them.

use std::cell::RefCell;
use std::sync::Arc;

use crate::support::world::{World, explore};
use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, created_at, panic_of, run, wait,
};
use futures::FutureExt;
use livedrop::reaper::{Report, Stage};
use livedrop::scope::{Proof, ScopedGuard};
use livedrop::state::{Backs, EntersScope};
use livedrop::testing::{at_every_poll, leaks};
use livedrop::{
    Adopted, AsyncDropGuard, CleanupErrors, Live, Reaper, ReaperHandle, async_drop_all, scope,
    try_or_drop,
};

mod adopted;
mod boxed;
mod constructor;
mod converted;
mod forwarded;
mod handler;
mod helpers;
mod polled;
mod several;
mod try_or_drop;
mod via;
mod wrapped;

const WAITS: usize = 2;
const FORGOT: &str = "Forgot to call async_drop on Resource";
const CANCELLED: &str = "async_drop on Resource was cancelled before it finished";
const BEGUN: &str = "after its cleanup has begun";

type AdoptedGuard<T = Resource> = AsyncDropGuard<T, Adopted>;
type Errors = CleanupErrors<Failed>;

fn log() -> Arc<Log> {
    Arc::default()
}

fn resource(log: &Arc<Log>) -> Resource {
    Resource::new(log, WAITS, Ending::Ok)
}

fn checked(log: &Arc<Log>) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(resource(log))
}

fn live(log: &Arc<Log>) -> AsyncDropGuard<Resource, Live> {
    AsyncDropGuard::live(resource(log))
}

/// Runs `f` with a reaper, drains it, and asserts that nothing was reported.
fn under<R>(f: impl FnOnce(&Reaper) -> R) -> (R, Report) {
    let (mut reaper, reports) = (Reaper::new(), Reports::collect());
    let output = f(&reaper);
    let report = block_on(reaper.drain());
    block_on(reaper.async_drop()).unwrap();
    reports.expect_none();
    (output, report)
}

/// An adopted guard that is in a cleanup that was cancelled.
fn begun(reaper: &Reaper, log: &Arc<Log>) -> AdoptedGuard {
    let mut guard = reaper.adopt(checked(log));
    cancel_after(1, guard.async_drop());
    guard
}

/// An adopted guard that was cleaned up.
fn done(reaper: &Reaper, log: &Arc<Log>) -> AdoptedGuard {
    let mut guard = reaper.adopt(checked(log));
    block_on(guard.async_drop()).unwrap();
    guard
}

/// Asserts that `drain` has nothing to wait for.
#[track_caller]
fn expect_drained(reaper: &Reaper) {
    assert_eq!(reaper.pending(), []);
    assert_eq!(reaper.drain().now_or_never().expect("nothing is left").cleaned, 0);
}

/// What a scope does in these scenarios with each guard.
async fn log_out<K: Backs<Resource>>(guard: ScopedGuard<'_, Resource, K>) -> Proof<'_, Resource> {
    wait(1).await;
    guard.async_drop().await.proof
}
