//! Numbered values for tests that clean up several at once. Each value counts its own cleanups, and a
//! row of values counts how many run at a time.
#![allow(dead_code, unreachable_pub, unused_macros, reason = "each test binary uses only a part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use livedrop::state::Cleanable;
use livedrop::{AsyncDrop, AsyncDropGuard, Checked, Live};

use crate::support::{Ending, wait};

/// The counts of a [`Numbered`].
#[derive(Debug, Default)]
pub struct Counts {
    begun: AtomicUsize,
    ended: AtomicUsize,
    dropped: AtomicUsize,
}

impl Counts {
    /// The numbers of cleanups begun, cleanups ended, and values dropped.
    pub fn get(&self) -> (usize, usize, usize) {
        (self.begun.load(SeqCst), self.ended.load(SeqCst), self.dropped.load(SeqCst))
    }
}

/// How many cleanups run now, and how many ran at most.
#[derive(Debug, Default)]
pub struct Concurrency {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Concurrency {
    pub fn most(&self) -> usize {
        self.most.load(SeqCst)
    }

    fn enter(&self) -> Running<'_> {
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
        Running(self)
    }
}

struct Running<'a>(&'a Concurrency);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
    }
}

/// A value whose cleanup waits `waits` times, and then ends with `ending`. Its error and its panic
/// contain its number.
#[derive(Debug)]
pub struct Numbered {
    pub number: u32,
    waits: usize,
    ending: Ending,
    counts: Arc<Counts>,
    concurrency: Arc<Concurrency>,
}

#[async_trait]
impl AsyncDrop for Numbered {
    type Error = u32;

    async fn async_drop_impl(&mut self) -> Result<(), u32> {
        self.counts.begun.fetch_add(1, SeqCst);
        let _running = self.concurrency.enter();
        wait(self.waits).await;
        self.counts.ended.fetch_add(1, SeqCst);
        match self.ending {
            Ending::Ok => Ok(()),
            Ending::Err => Err(self.number),
            Ending::Panic => panic!("{} went wrong", self.number),
        }
    }
}

impl Drop for Numbered {
    fn drop(&mut self) {
        self.counts.dropped.fetch_add(1, SeqCst);
    }
}

/// How often the cleanup of each value in a row waits, and how it ends.
pub type Plan<'a> = &'a [(usize, Ending)];

/// The counts of a row of values.
#[derive(Default)]
pub struct Row {
    counts: Vec<Arc<Counts>>,
    pub concurrency: Arc<Concurrency>,
}

impl Row {
    /// Makes the next value. Numbers begin with 0.
    pub fn value(&mut self, waits: usize, ending: Ending) -> Numbered {
        let counts = Arc::<Counts>::default();
        self.counts.push(Arc::clone(&counts));
        let number = u32::try_from(self.counts.len() - 1).unwrap();
        Numbered { number, waits, ending, counts, concurrency: Arc::clone(&self.concurrency) }
    }

    pub fn counts(&self) -> Vec<(usize, usize, usize)> {
        self.counts.iter().map(|counts| counts.get()).collect()
    }

    /// Asserts that each value was cleaned up once, and dropped.
    #[track_caller]
    pub fn expect_cleaned_once(&self) {
        assert_eq!(self.counts(), vec![(1, 1, 1); self.counts.len()]);
    }

    /// Asserts that each cleanup ended once, that all values are dropped, and that no cleanup that had
    /// ended `before` began again.
    #[track_caller]
    pub fn expect_only_the_rest_cleaned(&self, before: &[(usize, usize, usize)]) {
        for (number, (now, before)) in self.counts().into_iter().zip(before).enumerate() {
            let (begun, ended, dropped) = *before;
            assert_eq!(ended, dropped, "{number} was dropped with its cleanup");
            let begun = if ended == 1 { begun } else { begun + 1 };
            assert_eq!(now, (begun, 1, 1), "{number}, whose counts were {before:?}");
        }
    }
}

/// A state in which the helpers are tested.
pub trait Tested: Cleanable<Numbered> + Sized {
    fn guard<T: AsyncDrop>(value: T) -> AsyncDropGuard<T, Self>;
    /// A guard that is cleaned up in place, so that the cleanup can be cancelled and called again.
    fn in_place<T: AsyncDrop>(guard: AsyncDropGuard<T, Self>) -> AsyncDropGuard<T>;
}

impl Tested for Checked {
    fn guard<T: AsyncDrop>(value: T) -> AsyncDropGuard<T> {
        AsyncDropGuard::new(value)
    }

    fn in_place<T: AsyncDrop>(guard: AsyncDropGuard<T>) -> AsyncDropGuard<T> {
        guard
    }
}

impl Tested for Live {
    fn guard<T: AsyncDrop>(value: T) -> AsyncDropGuard<T, Live> {
        AsyncDropGuard::live(value)
    }

    fn in_place<T: AsyncDrop>(guard: AsyncDropGuard<T, Live>) -> AsyncDropGuard<T> {
        AsyncDropGuard::into_checked(guard)
    }
}

/// Cleans up the guard to its end.
pub fn clean<S: Tested, T: AsyncDrop>(guard: AsyncDropGuard<T, S>) -> Result<(), T::Error> {
    crate::support::block_on(S::in_place(guard).async_drop())
}

/// Expands the items once for each state, with `S` as the state.
macro_rules! in_both_states {
    ($($item:item)+) => {
        mod checked {
            use super::*;
            type S = livedrop::Checked;
            $($item)+
        }
        mod live {
            use super::*;
            type S = livedrop::Live;
            $($item)+
        }
    };
}
