//! A value that still holds an armed guard after its own cleanup failed. After an error, the inner guard
//! panics: the panic propagates, and the error is not lost. After a panic, the inner guard is dropped while
//! the thread unwinds.

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

/// A common mistake: the `?` at the first member forgets the second.
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

/// Asserts that the panic propagates, and that the error goes to the hook.
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

/// `Live::async_drop` does not keep the error: that would cost instructions.
#[test]
fn live_guard_alone_loses_the_error() {
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
fn after_a_body() {
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
        assert_eq!(reports.take_failed().len(), 1);
    }
}

/// Asserts that the panic propagates, and that the second member is reported as dropped while unwinding.
#[track_caller]
fn expect_dropped_while_unwinding<F: Future>(cleanup: F) {
    let reports = Reports::collect_and_panic();
    assert_eq!(panic_of(|| block_on(cleanup)), "cleanup went wrong");
    reports.expect(&["Second was dropped without its cleanup"]);
}

#[test]
fn panicking_cleanup_drops_inner_guards_while_unwinding() {
    for waits in 0..2 {
        let panicking = || members(waits, Ending::Panic);
        let checked = || AsyncDropGuard::new(panicking());
        let live = || AsyncDropGuard::live(panicking());
        expect_dropped_while_unwinding(checked().async_drop());
        expect_dropped_while_unwinding(live().async_drop());
        expect_dropped_while_unwinding(AsyncDropGuard::async_drop_on_err(
            checked(),
            Err::<(), _>("other"),
        ));
        expect_dropped_while_unwinding(with_async_drop(checked(), async |_| Ok::<_, Failed>(())));
        let a = live();
        expect_dropped_while_unwinding(async { with_async_drop!(a, { Ok::<_, Failed>(()) }) });
        expect_dropped_while_unwinding(AsyncDropArc::new(checked()).async_drop());
        let mut vec = AsyncDropVec::live();
        vec.push(live());
        expect_dropped_while_unwinding(vec.async_drop());
        let mut reaper = Reaper::new();
        expect_dropped_while_unwinding(reaper.adopt(checked()).async_drop());
        block_on(reaper.async_drop()).expect("nothing is left");
    }
}
