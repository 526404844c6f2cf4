//! Operations on many values: each function makes the values, and returns the function that cleans
//! them up, which is measured.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;

use futures::stream::{FuturesUnordered, StreamExt};
use livedrop::collections::{AsyncDropHashMap, AsyncDropStack, AsyncDropVec};
use livedrop::{AsyncDropGuard, Reaper};

use crate::value::{Numbered, Value, run};

pub(crate) type Cleanup = Box<dyn FnOnce()>;

type BoxedFuture = Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send>>;

pub(crate) fn map<const N: u64>(values: u64, waits: u64) -> Cleanup {
    let mut map = AsyncDropHashMap::new();
    for key in 0..values {
        let replaced = map.insert(key, AsyncDropGuard::new(Numbered::<N>::new(waits)));
        assert!(replaced.is_none(), "every key is new");
    }
    Box::new(move || run(map.async_drop()).expect("no cleanup fails"))
}

fn plain_map<const N: u64>(values: u64, waits: u64) -> HashMap<u64, Numbered<N>> {
    (0..values).map(|key| (key, Numbered::new(waits))).collect()
}

pub(crate) fn map_of_futures<const N: u64>(values: u64, waits: u64) -> Cleanup {
    let mut map = plain_map::<N>(values, waits);
    Box::new(move || await_all(map.drain().map(|(_, value)| value.close()).collect(), values))
}

/// The usual code without the library. It keeps all errors, as the library does.
fn await_all<F>(mut cleanups: FuturesUnordered<F>, values: u64)
where
    F: Future<Output = Result<(), Infallible>>,
{
    let (clean, errors) = run(async {
        let (mut clean, mut errors) = (0, Vec::new());
        while let Some(result) = cleanups.next().await {
            match result {
                Ok(()) => clean += 1,
                Err(error) => errors.push(error),
            }
        }
        (clean, errors)
    });
    assert!(clean == values && errors.is_empty(), "no cleanup fails");
}

pub(crate) fn vec<const N: u64>(values: u64, waits: u64) -> Cleanup {
    let mut vec = AsyncDropVec::new();
    vec.extend((0..values).map(|_| AsyncDropGuard::new(Numbered::<N>::new(waits))));
    Box::new(move || run(vec.async_drop()).expect("no cleanup fails"))
}

pub(crate) fn vec_of_futures<const N: u64>(values: u64, waits: u64) -> Cleanup {
    let vec: Vec<_> = (0..values).map(|_| Numbered::<N>::new(waits)).collect();
    Box::new(move || await_all(vec.into_iter().map(Numbered::close).collect(), values))
}

pub(crate) fn stack(values: u64, waits: u64) -> Cleanup {
    let mut stack = AsyncDropStack::new();
    for _ in 0..values {
        stack.push(AsyncDropGuard::new(Value::new(waits)));
    }
    Box::new(move || run(stack.async_drop()).expect("no cleanup fails"))
}

/// Awaits one future after the other, the last first. They are boxed, since they may have many types.
pub(crate) fn stack_of_boxes(values: u64, waits: u64) -> Cleanup {
    let mut stack: Vec<BoxedFuture> = Vec::new();
    for _ in 0..values {
        stack.push(Box::pin(Value::new(waits).close()));
    }
    Box::new(move || {
        run(async {
            while let Some(cleanup) = stack.pop() {
                let Ok(()) = cleanup.await;
            }
        });
    })
}

pub(crate) fn reaper<const N: u64>(values: u64, waits: u64) -> Cleanup {
    let mut reaper = Reaper::new();
    let guards: Vec<_> =
        (0..values).map(|_| AsyncDropGuard::new(Numbered::<N>::new(waits))).collect();
    Box::new(move || {
        for guard in guards {
            drop(reaper.adopt(guard));
        }
        let report = run(reaper.drain());
        assert_eq!(report.cleaned as u64, values, "every orphan is cleaned up");
        run(reaper.async_drop()).expect("the reaper is empty");
    })
}

pub(crate) fn reaper_of_boxes<const N: u64>(values: u64, waits: u64) -> Cleanup {
    let vec: Vec<_> = (0..values).map(|_| Numbered::<N>::new(waits)).collect();
    Box::new(move || {
        let cleanups: FuturesUnordered<BoxedFuture> = FuturesUnordered::new();
        for value in vec {
            cleanups.push(Box::pin(value.close()));
        }
        await_all(cleanups, values);
    })
}
