//! `Send` is asked only where a value can change its thread: a value that is not `Send` is cleaned up where
//! it is, and generic code has no bound for it.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::ready;
use std::rc::Rc;
use std::sync::Arc;

use crate::support::{Failed, Log, Resource, block_on};
use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use livedrop::sync::AsyncDropArc;
use livedrop::{
    AsyncDrop, AsyncDropGuard, Live, bracket, flatten_async_drop, with_async_drop,
    with_async_drop_infallible,
};

/// Counts its cleanups on its own thread.
struct Local(Rc<Cell<u32>>);

impl AsyncDrop for Local {
    type Error = Infallible;

    // By hand: the future is `Send`, so it cannot hold the value.
    fn async_drop_impl<'a, 'async_trait>(
        &'a mut self,
    ) -> BoxFuture<'async_trait, Result<(), Infallible>>
    where
        'a: 'async_trait,
        Self: 'async_trait,
    {
        self.0.set(self.0.get() + 1);
        ready(Ok(())).boxed()
    }
}

struct Cleaned(Rc<Cell<u32>>);

impl Cleaned {
    fn new() -> Self {
        Self(Rc::default())
    }

    fn checked(&self) -> AsyncDropGuard<Local> {
        AsyncDropGuard::new(Local(Rc::clone(&self.0)))
    }

    fn live(&self) -> AsyncDropGuard<Local, Live> {
        AsyncDropGuard::live(Local(Rc::clone(&self.0)))
    }
}

#[test]
fn guard_cleans_up_on_its_thread() {
    let cleaned = Cleaned::new();
    block_on(cleaned.checked().async_drop()).unwrap();
    block_on(cleaned.live().async_drop()).result.unwrap();
    assert_eq!(cleaned.0.get(), 2);
}

#[test]
fn body_runs_on_the_values_thread() {
    let cleaned = Cleaned::new();
    block_on(async {
        bracket(cleaned.checked(), async |_| ()).await.1.unwrap();
        with_async_drop(cleaned.live(), async |_| Ok::<_, Infallible>(())).await.unwrap();
        let (a, b) = (cleaned.checked(), cleaned.live());
        assert_eq!(with_async_drop_infallible!(a, b, { a.0.get() + b.0.get() }), 4);
    });
    assert_eq!(cleaned.0.get(), 4);
}

#[test]
fn failed_step_cleans_up_on_its_thread() {
    let cleaned = Cleaned::new();
    let failed = AsyncDropGuard::async_drop_on_err(cleaned.checked(), Err::<(), _>("no"));
    assert_eq!(block_on(failed).err(), Some("no"));
    let (one, other) = (Ok::<_, &str>(cleaned.live()), Err::<AsyncDropGuard<Local>, _>("no"));
    let both = block_on(flatten_async_drop::<&str, _, _, _, _>(one, other));
    assert_eq!(both.err(), Some("no"));
    assert_eq!(cleaned.0.get(), 2);
}

#[test]
fn sync_drop_cleans_up_on_its_thread() {
    let cleaned = Cleaned::new();
    drop(livedrop::testing::SyncDrop::new(cleaned.checked()));
    drop(livedrop::testing::SyncDrop::new(cleaned.live()));
    assert_eq!(cleaned.0.get(), 2);
}

/// `Send`, but not `Sync`.
struct Counter(Cell<u32>);

#[async_trait]
impl AsyncDrop for Counter {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[test]
fn value_without_sync_is_shared_on_one_thread() {
    let mut first = AsyncDropArc::new(AsyncDropGuard::new(Counter(Cell::new(0))));
    let second = AsyncDropArc::downgrade(&first).upgrade().unwrap();
    second.0.set(first.0.get() + 1);
    block_on(async {
        first.async_drop().await.unwrap();
        let sum = with_async_drop_infallible!(second, { second.0.get() });
        assert_eq!(sum, 1);
    });
    let live = AsyncDropArc::new(AsyncDropGuard::live(Counter(Cell::new(0))));
    block_on(live.async_drop()).result.unwrap();
}

/// The code of a library that is generic over its storage has no bound on `Send`.
#[test]
fn generic_code_needs_only_async_drop() {
    async fn closed<T: AsyncDrop<Error = Infallible>>(values: [T; 3]) {
        let [mut a, b, c] = values.map(AsyncDropGuard::new);
        a.async_drop().await.unwrap();
        bracket(b, async |_| ()).await.1.unwrap();
        with_async_drop_infallible!(c, {});
    }
    let cleaned = Cleaned::new();
    block_on(closed([(); 3].map(|()| Local(Rc::clone(&cleaned.0)))));
    assert_eq!(cleaned.0.get(), 3);
}

/// A value that is `Send` keeps a future that is `Send`.
#[test]
fn futures_of_send_values_are_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let log = Arc::<Log>::default();
    let guard = || AsyncDropGuard::new(Resource::plain(&log));
    block_on(send(async {
        let (a, b, c) = (guard(), guard(), guard());
        bracket(a, async |_| ()).await.1.unwrap();
        let sum = with_async_drop!(b, c, { Ok::<_, Failed>(b.touch() + c.touch()) });
        assert_eq!(sum, Ok(6));
    }));
    assert_eq!(log.counts(), (3, 3, 3));
}
