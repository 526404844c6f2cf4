//! Operations on one value: each function repeats its operation. `N` is the number of the value's type.

use std::convert::Infallible;
use std::hint::black_box;
use std::panic::AssertUnwindSafe;

use async_drop_guard as peer;
use futures::FutureExt;
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
use livedrop::{AsyncDropGuard, Live, scope, with_async_drop};

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

/// The same with a future that holds the value in one place. An `async fn` moves it to a second place
/// at the first poll.
pub(crate) fn by_hand_in_place(times: u64) {
    let close = |mut value: Value| async move { value.clean().await };
    repeat(times, || {
        let mut value = Value::new(0);
        value.touch();
        done(run(close(value)));
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

pub(crate) fn live_baseline_apart(times: u64) {
    repeat(times, || {
        let mut guard = baselines::live_apart::Guard::new(Value::new(0));
        guard.touch();
        done(run(guard.close()));
    });
}

pub(crate) fn live_baseline_in_place(times: u64) {
    repeat(times, || {
        let mut guard = baselines::live_in_place::Guard::new(Value::new(0));
        guard.touch();
        done(run(guard.close()));
    });
}

pub(crate) fn bomb(times: u64) {
    repeat(times, || {
        let mut guard = baselines::bomb::Guard::new(Value::new(0));
        guard.value.touch();
        done(run(guard.close()));
    });
}

/// The same, with a compiler's drop flag in the future.
pub(crate) fn bomb_with_flag(times: u64) {
    repeat(times, || {
        let mut guard = baselines::bomb::Guard::new(Value::new(0));
        guard.value.touch();
        done(run(guard.close_with_flag()));
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

/// The same body without the scope that requires the proof.
pub(crate) fn in_body_live(times: u64) {
    repeat(times, || {
        let guard = AsyncDropGuard::live(Value::new(0));
        let body = async |mut guard: AsyncDropGuard<Value, Live>| {
            guard.touch();
            guard.async_drop().await.result
        };
        done(run(body(guard)));
    });
}

pub(crate) fn in_scope_baseline<const N: u64>(times: u64) {
    repeat(times, || {
        let guard = baselines::live::Guard::new(Numbered::<N>::new(0));
        let (closed, ()) = run(baselines::scope::scope(guard, async |guard| guard.touch()));
        done(closed);
    });
}

pub(crate) fn in_scope_baseline_apart(times: u64) {
    repeat(times, || {
        let guard = baselines::live_apart::Guard::new(Value::new(0));
        let (closed, ()) = run(baselines::scope::scope(guard, async |guard| guard.touch()));
        done(closed);
    });
}

pub(crate) fn in_scope_baseline_in_place(times: u64) {
    repeat(times, || {
        let guard = baselines::live_in_place::Guard::new(Value::new(0));
        let (closed, ()) = run(baselines::scope::scope(guard, async |guard| guard.touch()));
        done(closed);
    });
}

pub(crate) fn in_body_bomb(times: u64) {
    repeat(times, || {
        let guard = baselines::bomb::Guard::new(Value::new(0));
        let body = async |mut guard: baselines::bomb::Guard| {
            guard.value.touch();
            guard.close().await
        };
        done(run(body(guard)));
    });
}

/// Use and cleanup in one block: the guard is passed to no body and to no cleanup function.
pub(crate) fn in_one_block_bomb(times: u64) {
    repeat(times, || {
        let mut guard = baselines::bomb::Guard::new(Value::new(0));
        done(run(async move {
            guard.value.touch();
            let result = guard.value.clean().await;
            guard.bomb.defuse();
            result
        }));
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

pub(crate) fn checked_uncaught(times: u64) {
    repeat(times, || {
        let mut guard = baselines::checked::Guard::new(Value::new(0));
        guard.touch();
        done(run(guard.close_uncaught()));
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

/// The baseline as a macro, as in the library.
macro_rules! with_baseline_written_out {
    ($guard:ident) => {{
        let body = AssertUnwindSafe(async {
            $guard.touch();
            Ok::<(), Infallible>(())
        })
        .catch_unwind()
        .await;
        let closed = $guard.close_caught().await;
        baselines::with::combine(body, closed)
    }};
}

/// The future holds the guard, as in the library's macro.
pub(crate) fn with_baseline_in_a_block(times: u64) {
    repeat(times, || {
        let mut guard = baselines::checked::Guard::new(Value::new(0));
        done(run(async move { with_baseline_written_out!(guard) }));
    });
}

/// The future only borrows the guard.
pub(crate) fn with_baseline_borrowed(times: u64) {
    repeat(times, || {
        let mut guard = baselines::checked::Guard::new(Value::new(0));
        done(run(async { with_baseline_written_out!(guard) }));
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

pub(crate) fn boxed_by_hand(times: u64) {
    repeat(times, || {
        let mut value = Boxed(Value::new(0));
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
