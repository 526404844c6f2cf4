//! Operations on one value: each function does its own so many times.

use std::convert::Infallible;
use std::hint::black_box;
use std::panic::AssertUnwindSafe;

use async_drop_guard as peer;
use futures::FutureExt;
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};
use livedrop::{AsyncDropGuard, Live, scope, with_async_drop};

use crate::twins::{self, Close};
use crate::value::{Alone, Boxed, Value, repeat, run};

type Outcome = Result<(), Infallible>;

fn done(result: Outcome) {
    let Ok(()) = result;
}

/// The loop itself, which is subtracted from all others.
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

/// The same with a future that holds the value in one place only, where an `async fn` moves it to
/// another when it is polled first.
pub(crate) fn by_hand_in_place(times: u64) {
    let close = |mut value: Value| async move { value.clean().await };
    repeat(times, || {
        let mut value = Value::new(0);
        value.touch();
        done(run(close(value)));
    });
}

pub(crate) fn live(times: u64) {
    repeat(times, || {
        let mut guard = AsyncDropGuard::live(Value::new(0));
        guard.touch();
        done(run(guard.async_drop()).result);
    });
}

pub(crate) fn live_twin(times: u64) {
    repeat(times, || {
        let mut guard = twins::live::Guard::new(Value::new(0));
        guard.touch();
        done(run(guard.close()));
    });
}

pub(crate) fn live_twin_apart(times: u64) {
    repeat(times, || {
        let mut guard = twins::live_apart::Guard::new(Value::new(0));
        guard.touch();
        done(run(guard.close()));
    });
}

pub(crate) fn live_twin_in_place(times: u64) {
    repeat(times, || {
        let mut guard = twins::live_in_place::Guard::new(Value::new(0));
        guard.touch();
        done(run(guard.close()));
    });
}

pub(crate) fn bomb(times: u64) {
    repeat(times, || {
        let mut guard = twins::bomb::Guard::new(Value::new(0));
        guard.value.touch();
        done(run(guard.close()));
    });
}

/// The same, with a drop flag of the compiler's in its future.
pub(crate) fn bomb_with_flag(times: u64) {
    repeat(times, || {
        let mut guard = twins::bomb::Guard::new(Value::new(0));
        guard.value.touch();
        done(run(guard.close_with_flag()));
    });
}

pub(crate) fn in_scope(times: u64) {
    repeat(times, || {
        let guard = AsyncDropGuard::live(Value::new(0));
        done(run(scope!(guard, async |mut guard| {
            guard.touch();
            guard.async_drop().await.after(Ok(()))
        })));
    });
}

pub(crate) fn in_scope_function(times: u64) {
    repeat(times, || {
        let guard = AsyncDropGuard::live(Value::new(0));
        done(run(scope(guard, async |mut guard| {
            guard.touch();
            guard.async_drop().await.after(Ok(()))
        })));
    });
}

/// The same body without a scope, which asks it for the proof.
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

pub(crate) fn in_scope_twin(times: u64) {
    repeat(times, || {
        let guard = twins::live::Guard::new(Value::new(0));
        let (closed, ()) = run(twins::scope::scope(guard, async |guard| guard.touch()));
        done(closed);
    });
}

pub(crate) fn in_scope_twin_apart(times: u64) {
    repeat(times, || {
        let guard = twins::live_apart::Guard::new(Value::new(0));
        let (closed, ()) = run(twins::scope::scope(guard, async |guard| guard.touch()));
        done(closed);
    });
}

pub(crate) fn in_scope_twin_in_place(times: u64) {
    repeat(times, || {
        let guard = twins::live_in_place::Guard::new(Value::new(0));
        let (closed, ()) = run(twins::scope::scope(guard, async |guard| guard.touch()));
        done(closed);
    });
}

pub(crate) fn in_body_bomb(times: u64) {
    repeat(times, || {
        let guard = twins::bomb::Guard::new(Value::new(0));
        let body = async |mut guard: twins::bomb::Guard| {
            guard.value.touch();
            guard.close().await
        };
        done(run(body(guard)));
    });
}

/// No body and no cleanup that the guard is handed to, and nothing that says so if it is not.
pub(crate) fn in_one_block_bomb(times: u64) {
    repeat(times, || {
        let mut guard = twins::bomb::Guard::new(Value::new(0));
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

pub(crate) fn checked(times: u64) {
    repeat(times, || {
        let mut guard = AsyncDropGuard::new(Value::new(0));
        guard.touch();
        done(run(guard.async_drop()));
    });
}

/// A second place that does so: with one caller alone, the compiler inlines whatever it is.
pub(crate) fn checked_again(times: u64) {
    repeat(times, || {
        let mut guard = AsyncDropGuard::new(Value::new(0));
        done(run(guard.async_drop()));
    });
}

pub(crate) fn checked_twin_again(times: u64) {
    repeat(times, || {
        let mut guard = twins::checked::Guard::new(Value::new(0));
        done(run(guard.close()));
    });
}

/// Two places, and nothing else in the program that cleans up such a value.
pub(crate) fn checked_alone(times: u64) {
    repeat(times, || {
        let mut guard = AsyncDropGuard::new(Alone(Value::new(0)));
        guard.0.touch();
        done(run(guard.async_drop()));
    });
}

pub(crate) fn checked_alone_again(times: u64) {
    repeat(times, || {
        let mut guard = AsyncDropGuard::new(Alone(Value::new(0)));
        done(run(guard.async_drop()));
    });
}

pub(crate) fn checked_twin(times: u64) {
    repeat(times, || {
        let mut guard = twins::checked::Guard::new(Value::new(0));
        guard.touch();
        done(run(guard.close()));
    });
}

pub(crate) fn checked_uncaught(times: u64) {
    repeat(times, || {
        let mut guard = twins::checked::Guard::new(Value::new(0));
        guard.touch();
        done(run(guard.close_uncaught()));
    });
}

pub(crate) fn with(times: u64) {
    repeat(times, || {
        let guard = AsyncDropGuard::new(Value::new(0));
        done(run(async {
            with_async_drop!(guard, {
                guard.touch();
                Ok::<(), Infallible>(())
            })
        }));
    });
}

pub(crate) fn with_function(times: u64) {
    repeat(times, || {
        let guard = AsyncDropGuard::new(Value::new(0));
        done(run(with_async_drop(guard, async |value| {
            value.touch();
            Ok::<(), Infallible>(())
        })));
    });
}

/// The twin written out where it is needed, as the macro does it.
macro_rules! with_twin_written_out {
    ($guard:ident) => {{
        let body = AssertUnwindSafe(async {
            $guard.touch();
            Ok::<(), Infallible>(())
        })
        .catch_unwind()
        .await;
        let closed = $guard.close_caught().await;
        twins::with::weigh(body, closed)
    }};
}

/// The guard is in the future, as that of the macro is.
pub(crate) fn with_twin_in_a_block(times: u64) {
    repeat(times, || {
        let mut guard = twins::checked::Guard::new(Value::new(0));
        done(run(async move { with_twin_written_out!(guard) }));
    });
}

/// The future only borrows the guard.
pub(crate) fn with_twin_borrowed(times: u64) {
    repeat(times, || {
        let mut guard = twins::checked::Guard::new(Value::new(0));
        done(run(async { with_twin_written_out!(guard) }));
    });
}

pub(crate) fn with_twin(times: u64) {
    repeat(times, || {
        let guard = twins::checked::Guard::new(Value::new(0));
        done(run(twins::with::with(guard, async |guard| {
            guard.touch();
            Ok::<(), Infallible>(())
        })));
    });
}

pub(crate) fn boxed(times: u64) {
    repeat(times, || {
        let mut guard = AsyncDropGuard::new(Boxed(Value::new(0)));
        guard.0.touch();
        done(run(guard.async_drop()));
    });
}

pub(crate) fn boxed_twin(times: u64) {
    repeat(times, || {
        let mut guard = twins::boxed::Guard::new(Boxed(Value::new(0)));
        guard.0.touch();
        done(run(guard.close()));
    });
}

pub(crate) fn boxed_by_hand(times: u64) {
    repeat(times, || {
        let mut value = Boxed(Value::new(0));
        value.0.touch();
        // Seen through, the box would not be made.
        done(run(black_box(value.clean_boxed())));
    });
}

pub(crate) fn boxed_peer(times: u64) {
    repeat(times, || {
        let mut guard = peer::AsyncDropGuard::new(Boxed(Value::new(0)));
        guard.0.touch();
        done(run(guard.async_drop()));
    });
}

pub(crate) fn arc(times: u64) {
    let mut first = AsyncDropArc::new(AsyncDropGuard::new(Value::new(0)));
    repeat(times, || {
        let mut handle = AsyncDropArc::clone(&first);
        black_box::<&Value>(&handle);
        done(run(handle.async_drop()));
    });
    done(run(first.async_drop()));
}

pub(crate) fn arc_twin(times: u64) {
    let mut first = twins::arc::Handle::new(twins::checked::Guard::new(Value::new(0)));
    repeat(times, || {
        let mut handle = first.share();
        black_box::<&Value>(&handle);
        done(run(handle.close()));
    });
    done(run(first.close()));
}

pub(crate) fn arc_peer(times: u64) {
    let mut first = peer::AsyncDropArc::new(peer::AsyncDropGuard::new(Boxed(Value::new(0))));
    repeat(times, || {
        let mut handle = peer::AsyncDropArc::clone(&first);
        black_box::<&Boxed>(&handle);
        done(run(handle.async_drop()));
    });
    done(run(first.async_drop()));
}

pub(crate) fn lock(times: u64) {
    let mut mutex = AsyncDropMutex::new(AsyncDropGuard::new(Value::new(0)));
    repeat(times, || {
        run(mutex.lock()).touch();
    });
    done(run(mutex.async_drop()));
}

pub(crate) fn lock_by_hand(times: u64) {
    let mutex = futures::lock::Mutex::new(Value::new(0));
    repeat(times, || {
        run(mutex.lock()).touch();
    });
    done(run(mutex.into_inner().close()));
}
