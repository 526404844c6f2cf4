//! A value that owes something itself behind a cleanup that did not come to its end. After an error, a
//! guard in it panics: that goes on, and the error that led to it is not lost. A panic of the cleanup
//! drags the guard along.

use std::convert::Infallible;
use std::sync::Arc;

use crate::support::{Ending, Failed, Log, Reports, Resource, block_on, panic_of, wait};
use async_trait::async_trait;
use livedrop::collections::{AsyncDropHashMap, AsyncDropStack, AsyncDropVec};
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
use livedrop::{AsyncDrop, AsyncDropGuard, Live, Reaper, async_drop_all, scope, with_async_drop};

struct Second;

#[async_trait]
impl AsyncDrop for Second {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// As one writes it in a hurry: the first failure forgets the second member.
struct Members {
    waits: usize,
    first: AsyncDropGuard<Resource>,
    second: AsyncDropGuard<Second>,
}

#[async_trait]
impl AsyncDrop for Members {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        wait(self.waits).await;
        self.first.async_drop().await?;
        let Ok(()) = self.second.async_drop().await;
        Ok(())
    }
}

fn members(waits: usize, first: Ending) -> Members {
    let log = Arc::<Log>::default();
    Members {
        waits,
        first: AsyncDropGuard::new(Resource::new(&log, 0, first)),
        second: AsyncDropGuard::new(Second),
    }
}

fn checked(waits: usize) -> AsyncDropGuard<Members> {
    AsyncDropGuard::new(members(waits, Ending::Err))
}

fn live(waits: usize) -> AsyncDropGuard<Members, Live> {
    AsyncDropGuard::live(members(waits, Ending::Err))
}

const FORGOTTEN: &str = "Forgot to call async_drop on Second";
const ERROR: &str = "cleanup of Members failed as well: Failed";

/// The panic goes on, and the error goes to the hook.
#[track_caller]
fn expect_both<F: Future>(cleanup: F) {
    let reports = Reports::collect_and_panic();
    let text = panic_of(|| block_on(cleanup));
    assert!(text.starts_with(FORGOTTEN), "{text}");
    reports.expect(&[FORGOTTEN, ERROR]);
}

#[test]
fn of_a_guard() {
    for waits in 0..2 {
        let mut guard = checked(waits);
        expect_both(guard.async_drop());
        assert!(guard.is_dropped());
        expect_both(AsyncDropGuard::async_drop_on_err(checked(waits), Err::<(), _>("other")));
        expect_both(AsyncDropGuard::async_drop_on_err(live(waits), Err::<(), _>("other")));
    }
}

/// Where no byte and no instruction is left for it.
#[test]
fn of_a_live_guard_alone_the_error_goes_with_the_panic() {
    for waits in 0..2 {
        let reports = Reports::collect_and_panic();
        let text = panic_of(|| block_on(live(waits).async_drop()));
        assert!(text.starts_with(FORGOTTEN), "{text}");
        let text = panic_of(|| {
            block_on(scope!(live(waits), async |members| {
                members.async_drop().await.after(Ok::<_, Failed>(()))
            }))
        });
        assert!(text.starts_with(FORGOTTEN), "{text}");
        reports.expect(&[FORGOTTEN; 2]);
    }
}

#[test]
fn behind_a_body() {
    for waits in 0..2 {
        expect_both(with_async_drop(checked(waits), async |_| Ok::<_, Failed>(())));
        let a = live(waits);
        expect_both(async { with_async_drop!(a, { Ok::<_, Failed>(()) }) });
        let (a, b) = (live(waits), AsyncDropGuard::new(Second));
        expect_both(async {
            with_async_drop!(
                a,
                b,
                {
                    let _ = &b;
                    Ok::<_, &str>(())
                },
                |_| "failed"
            )
        });
    }
}

#[test]
fn inside_of_a_helper() {
    for waits in 0..2 {
        expect_both(async_drop_all((checked(waits),)));
        expect_both(async_drop_all((live(waits),)));
        let mut vec = AsyncDropVec::new();
        vec.push(checked(waits));
        expect_both(vec.async_drop());
        let mut vec = AsyncDropVec::live();
        vec.push(live(waits));
        expect_both(vec.async_drop());
        let mut map = AsyncDropHashMap::new();
        map.try_insert(1, checked(waits)).expect("it is empty");
        expect_both(map.async_drop());
        let mut stack = AsyncDropStack::new();
        stack.push(checked(waits));
        expect_both(stack.async_drop());
        expect_both(AsyncDropArc::new(checked(waits)).async_drop());
        expect_both(AsyncDropArc::new(live(waits)).async_drop());
        expect_both(AsyncDropMutex::new(checked(waits)).async_drop());
    }
}

#[test]
fn under_a_reaper() {
    for waits in 0..2 {
        let mut reaper = Reaper::new();
        let mut adopted = reaper.adopt(checked(waits));
        expect_both(adopted.async_drop());
        drop(reaper.adopt(live(waits)));
        let reports = Reports::collect_and_panic();
        let report = block_on(reaper.async_drop()).unwrap_err();
        let text = format!("{report:?}");
        assert!(text.contains(FORGOTTEN), "{text}");
        reports.expect(&[FORGOTTEN, ERROR]);
    }
}

/// The panic goes on, and the second member is reported as dragged along.
#[track_caller]
fn expect_dragged_along<F: Future>(cleanup: F) {
    let reports = Reports::collect_and_panic();
    assert_eq!(panic_of(|| block_on(cleanup)), "cleanup went wrong");
    reports.expect(&["Second was dropped without its cleanup"]);
}

#[test]
fn what_a_panic_of_the_cleanup_leaves_in_the_value_goes_while_the_thread_unwinds() {
    for waits in 0..2 {
        let panicking = || members(waits, Ending::Panic);
        let checked = || AsyncDropGuard::new(panicking());
        let live = || AsyncDropGuard::live(panicking());
        expect_dragged_along(checked().async_drop());
        expect_dragged_along(live().async_drop());
        expect_dragged_along(AsyncDropGuard::async_drop_on_err(checked(), Err::<(), _>("other")));
        expect_dragged_along(with_async_drop(checked(), async |_| Ok::<_, Failed>(())));
        let a = live();
        expect_dragged_along(async { with_async_drop!(a, { Ok::<_, Failed>(()) }) });
        expect_dragged_along(AsyncDropArc::new(checked()).async_drop());
        let mut vec = AsyncDropVec::live();
        vec.push(live());
        expect_dragged_along(vec.async_drop());
        let mut reaper = Reaper::new();
        expect_dragged_along(reaper.adopt(checked()).async_drop());
        block_on(reaper.async_drop()).expect("nothing is left");
    }
}
