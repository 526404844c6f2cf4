//! Panics that the library ends: their payload is dropped once, and a panic of that drop ends, too.

use std::convert::Infallible;
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::support::{Resource, block_on, panic_of};
use livedrop::sync::AsyncDropShared;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, hook, with_async_drop};

struct Payload {
    drops: Arc<AtomicUsize>,
    panics_in_drop: bool,
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.drops.fetch_add(1, SeqCst);
        assert!(!self.panics_in_drop, "in the payload");
    }
}

/// Its cleanup panics with a payload that counts its drops.
struct Panics {
    drops: Arc<AtomicUsize>,
    panics_in_drop: bool,
}

impl Panics {
    fn panic(&self) -> ! {
        panic_any(Payload { drops: Arc::clone(&self.drops), panics_in_drop: self.panics_in_drop })
    }
}

#[async_trait::async_trait]
impl AsyncDrop for Panics {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.panic()
    }
}

/// Calls `test` with a payload, and with one that panics in its `Drop`.
fn dropped_once(test: impl Fn(Panics)) {
    for panics_in_drop in [false, true] {
        let drops = Arc::<AtomicUsize>::default();
        test(Panics { drops: Arc::clone(&drops), panics_in_drop });
        assert_eq!(drops.load(SeqCst), 1, "panics_in_drop: {panics_in_drop}");
    }
}

#[test]
fn of_a_hook_while_unwinding() {
    dropped_once(|panics| {
        let _hook = hook::scoped(move |_| panics.panic());
        let text = panic_of(|| {
            let _guard = AsyncDropGuard::new(Resource::plain(&Arc::default()));
            panic!("first");
        });
        assert_eq!(text, "first");
    });
}

#[test]
fn of_a_cleanup_after_its_body_panicked() {
    dropped_once(|panics| {
        let _hook = hook::scoped(|_| {});
        let guard = AsyncDropGuard::new(panics);
        let text = panic_of(|| {
            block_on(with_async_drop(guard, async |_| -> Result<(), Infallible> {
                panic!("first")
            }))
        });
        assert_eq!(text, "first");
    });
}

#[test]
fn of_a_cleanup_by_the_reaper() {
    dropped_once(|panics| {
        let mut reaper = Reaper::new();
        drop(reaper.handle().adopt(AsyncDropGuard::new(panics)));
        let report = block_on(reaper.drain());
        assert_eq!(report.failures.len(), 1);
        block_on(reaper.async_drop()).unwrap();
    });
}

fn opening(panics: &Panics) -> AsyncDropGuard<Resource> {
    panics.panic()
}

#[test]
fn of_a_shared_future() {
    dropped_once(|panics| {
        let future = Box::pin(async move { opening(&panics) });
        let mut shared = AsyncDropShared::new(future);
        assert!(block_on(shared.get()).is_err());
        block_on(shared.async_drop()).unwrap();
    });
}
