//! Operations on one value: each function repeats its operation. `N` is the number of the value's type.

use std::convert::Infallible;
use std::hint::black_box;

use async_drop_guard as peer;
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
use livedrop::{AsyncDropGuard, Reaper, scope, with_async_drop};

use crate::baselines::{self, Close};
use crate::value::{Boxed, Numbered, Value, repeat, run};

type Outcome = Result<(), Infallible>;

fn done(result: Outcome) {
    let Ok(()) = result;
}

/// The loop itself, whose count is subtracted from all others.
pub(crate) fn nothing(times: u64) {
    repeat(times, || {
        black_box(());
    });
}

pub(crate) fn by_hand(times: u64) {
    repeat(times, || {
        let mut value = Value::new(0);
        value.touch();
        done(run(value.close()));
    });
}

pub(crate) fn live<const N: u64>(times: u64) {
    repeat(times, || {
        let mut guard = AsyncDropGuard::live(Numbered::<N>::new(0));
        guard.touch();
        done(run(guard.async_drop()).result);
    });
}

pub(crate) fn live_baseline<const N: u64>(times: u64) {
    repeat(times, || {
        let mut guard = baselines::live::Guard::new(Numbered::<N>::new(0));
        guard.touch();
        done(run(guard.close()));
    });
}

pub(crate) fn in_scope<const N: u64>(times: u64) {
    repeat(times, || {
        let guard = AsyncDropGuard::live(Numbered::<N>::new(0));
        done(run(scope!(guard, async |mut guard| {
            guard.touch();
            guard.async_drop().await.after(Ok(()))
        })));
    });
}

pub(crate) fn in_scope_function<const N: u64>(times: u64) {
    repeat(times, || {
        let guard = AsyncDropGuard::live(Numbered::<N>::new(0));
        done(run(scope(guard, async |mut guard| {
            guard.touch();
            guard.async_drop().await.after(Ok(()))
        })));
    });
}

/// The same with an adopted guard, whose cleanup is boxed, so that a reaper can finish it.
pub(crate) fn in_adopted_scope<const N: u64>(times: u64) {
    let mut reaper = Reaper::new();
    repeat(times, || {
        let guard = reaper.adopt(AsyncDropGuard::new(Numbered::<N>::new(0)));
        done(run(scope!(guard, async |mut guard| {
            guard.touch();
            guard.async_drop().await.after(Ok(()))
        })));
    });
    run(reaper.async_drop()).expect("no cleanup fails");
}

pub(crate) fn in_scope_baseline<const N: u64>(times: u64) {
    repeat(times, || {
        let guard = baselines::live::Guard::new(Numbered::<N>::new(0));
        let (closed, ()) = run(baselines::scope::scope(guard, async |guard| guard.touch()));
        done(closed);
    });
}

pub(crate) fn in_body_by_hand(times: u64) {
    repeat(times, || {
        let value = Value::new(0);
        let body = async |mut value: Value| {
            value.touch();
            value.close().await
        };
        done(run(body(value)));
    });
}

pub(crate) fn checked<const N: u64>(times: u64) {
    repeat(times, || {
        let mut guard = AsyncDropGuard::new(Numbered::<N>::new(0));
        guard.touch();
        done(run(guard.async_drop()));
    });
}

/// A second place that does the same: a function with one caller is always inlined.
pub(crate) fn checked_again<const N: u64>(times: u64) {
    repeat(times, || {
        let mut guard = AsyncDropGuard::new(Numbered::<N>::new(0));
        done(run(guard.async_drop()));
    });
}

pub(crate) fn checked_baseline_again(times: u64) {
    repeat(times, || {
        let mut guard = baselines::checked::Guard::new(Value::new(0));
        done(run(guard.close()));
    });
}

pub(crate) fn checked_baseline<const N: u64>(times: u64) {
    repeat(times, || {
        let mut guard = baselines::checked::Guard::new(Numbered::<N>::new(0));
        guard.touch();
        done(run(guard.close()));
    });
}

pub(crate) fn with<const N: u64>(times: u64) {
    repeat(times, || {
        let guard = AsyncDropGuard::new(Numbered::<N>::new(0));
        done(run(async {
            with_async_drop!(guard, {
                guard.touch();
                Ok::<(), Infallible>(())
            })
        }));
    });
}

pub(crate) fn with_function<const N: u64>(times: u64) {
    repeat(times, || {
        let guard = AsyncDropGuard::new(Numbered::<N>::new(0));
        done(run(with_async_drop(guard, async |value| {
            value.touch();
            Ok::<(), Infallible>(())
        })));
    });
}

pub(crate) fn with_baseline<const N: u64>(times: u64) {
    repeat(times, || {
        let guard = baselines::checked::Guard::new(Numbered::<N>::new(0));
        done(run(baselines::with::with(guard, async |guard| {
            guard.touch();
            Ok::<(), Infallible>(())
        })));
    });
}

pub(crate) fn boxed<const N: u64>(times: u64) {
    repeat(times, || {
        let mut guard = AsyncDropGuard::new(Boxed(Numbered::<N>::new(0)));
        guard.0.touch();
        done(run(guard.async_drop()));
    });
}

pub(crate) fn boxed_baseline<const N: u64>(times: u64) {
    repeat(times, || {
        let mut guard = baselines::boxed::Guard::new(Boxed(Numbered::<N>::new(0)));
        guard.0.touch();
        done(run(guard.close()));
    });
}

pub(crate) fn boxed_by_hand<const N: u64>(times: u64) {
    repeat(times, || {
        let mut value = Boxed(Numbered::<N>::new(0));
        value.0.touch();
        // Without `black_box`, the compiler would remove the box.
        done(run(black_box(value.clean_boxed())));
    });
}

pub(crate) fn boxed_peer<const N: u64>(times: u64) {
    repeat(times, || {
        let mut guard = peer::AsyncDropGuard::new(Boxed(Numbered::<N>::new(0)));
        guard.0.touch();
        done(run(guard.async_drop()));
    });
}

pub(crate) fn arc<const N: u64>(times: u64) {
    let mut first = AsyncDropArc::new(AsyncDropGuard::new(Numbered::<N>::new(0)));
    repeat(times, || {
        let mut handle = AsyncDropArc::clone(&first);
        black_box::<&Numbered<N>>(&handle);
        done(run(handle.async_drop()));
    });
    done(run(first.async_drop()));
}

pub(crate) fn arc_baseline<const N: u64>(times: u64) {
    let mut first =
        baselines::arc::Handle::new(baselines::checked::Guard::new(Numbered::<N>::new(0)));
    repeat(times, || {
        let mut handle = first.share();
        black_box::<&Numbered<N>>(&handle);
        done(run(handle.close()));
    });
    done(run(first.close()));
}

pub(crate) fn arc_peer<const N: u64>(times: u64) {
    let mut first =
        peer::AsyncDropArc::new(peer::AsyncDropGuard::new(Boxed(Numbered::<N>::new(0))));
    repeat(times, || {
        let mut handle = peer::AsyncDropArc::clone(&first);
        black_box::<&Boxed<N>>(&handle);
        done(run(handle.async_drop()));
    });
    done(run(first.async_drop()));
}

pub(crate) fn lock<const N: u64>(times: u64) {
    let mut mutex = AsyncDropMutex::new(AsyncDropGuard::new(Numbered::<N>::new(0)));
    repeat(times, || {
        run(mutex.lock()).touch();
    });
    done(run(mutex.async_drop()));
}

pub(crate) fn lock_by_hand<const N: u64>(times: u64) {
    let mutex = futures::lock::Mutex::new(Numbered::<N>::new(0));
    repeat(times, || {
        run(mutex.lock()).touch();
    });
    done(run(mutex.into_inner().close()));
}
