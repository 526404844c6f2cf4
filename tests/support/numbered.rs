//! Values with a number, of which several are cleaned up together: each keeps account of its
//! own cleanup, and all of them of how many run at a time.
#![allow(dead_code, unreachable_pub, unused_macros, reason = "each test file uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use livedrop::state::Cleanable;
use livedrop::{AsyncDrop, AsyncDropGuard, Checked, Live};

use crate::support::{Ending, wait};

/// What happened to a [`Numbered`].
#[derive(Debug, Default)]
pub struct Account {
    begun: AtomicUsize,
    ended: AtomicUsize,
    dropped: AtomicUsize,
}

impl Account {
    /// Cleanups begun, cleanups that came to their end, and values dropped.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.begun.load(SeqCst), self.ended.load(SeqCst), self.dropped.load(SeqCst))
    }
}

/// How many cleanups run, and how many ran at most.
#[derive(Debug, Default)]
pub struct Flight {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Flight {
    pub fn most(&self) -> usize {
        self.most.load(SeqCst)
    }

    fn enter(&self) -> Landing<'_> {
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
        Landing(self)
    }
}

struct Landing<'a>(&'a Flight);

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
    }
}

/// A value whose cleanup waits a given number of times, and then ends as given: an error and a
/// panic name its number.
#[derive(Debug)]
pub struct Numbered {
    pub number: u32,
    waits: usize,
    ending: Ending,
    account: Arc<Account>,
    flight: Arc<Flight>,
}

#[async_trait]
impl AsyncDrop for Numbered {
    type Error = u32;

    async fn async_drop_impl(&mut self) -> Result<(), u32> {
        self.account.begun.fetch_add(1, SeqCst);
        let _landing = self.flight.enter();
        wait(self.waits).await;
        self.account.ended.fetch_add(1, SeqCst);
        match self.ending {
            Ending::Ok => Ok(()),
            Ending::Err => Err(self.number),
            Ending::Panic => panic!("{} went wrong", self.number),
        }
    }
}

impl Drop for Numbered {
    fn drop(&mut self) {
        self.account.dropped.fetch_add(1, SeqCst);
    }
}

/// What a row of values is made after: how often each waits, and how it ends.
pub type Plan<'a> = &'a [(usize, Ending)];

/// The accounts of a row of values.
#[derive(Default)]
pub struct Row {
    accounts: Vec<Arc<Account>>,
    pub flight: Arc<Flight>,
}

impl Row {
    /// One more value: its number is how many there were before.
    pub fn value(&mut self, waits: usize, ending: Ending) -> Numbered {
        let account = Arc::<Account>::default();
        self.accounts.push(Arc::clone(&account));
        let number = u32::try_from(self.accounts.len() - 1).unwrap();
        Numbered { number, waits, ending, account, flight: Arc::clone(&self.flight) }
    }

    pub fn counts(&self) -> Vec<(usize, usize, usize)> {
        self.accounts.iter().map(|account| account.counts()).collect()
    }

    /// Asserts that each was cleaned up once, and dropped.
    #[track_caller]
    pub fn expect_cleaned_once(&self) {
        assert_eq!(self.counts(), vec![(1, 1, 1); self.accounts.len()]);
    }

    /// Asserts that the cleanup of each ended once, of those that had ended `before` without
    /// beginning again, and that all are dropped.
    #[track_caller]
    pub fn expect_only_the_rest_cleaned(&self, before: &[(usize, usize, usize)]) {
        for (number, (now, before)) in self.counts().into_iter().zip(before).enumerate() {
            let (begun, ended, dropped) = *before;
            assert_eq!(ended, dropped, "{number} was dropped with its cleanup");
            let begun = if ended == 1 { begun } else { begun + 1 };
            assert_eq!(now, (begun, 1, 1), "{number}, which was at {before:?}");
        }
    }
}

/// A state that the helpers are tested in.
pub trait Tested: Cleanable<Numbered> + Sized {
    fn guard<T: AsyncDrop>(value: T) -> AsyncDropGuard<T, Self>;
    /// A guard that is cleaned up in place, so that it can be cancelled and called again.
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

/// Cleans a guard up that a test is done with.
pub fn clean<S: Tested, T: AsyncDrop>(guard: AsyncDropGuard<T, S>) -> Result<(), T::Error> {
    crate::support::block_on(S::in_place(guard).async_drop())
}

/// The items once for each state, which is called `S` in them.
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
