//! The behaviour of `#[derive(AsyncDrop)]` and `#[livedrop::unboxed]`.

mod allocations;
mod cancelled;
mod endings;
mod enums;
mod facade;
mod generics;
mod hygiene;
mod structs;
mod unboxed;

use std::sync::{Arc, Mutex, PoisonError};

use crate::support::{Ending, block_on, wait};
use livedrop::{AsyncDrop, AsyncDropGuard};

/// Cleans up through a guard.
fn clean<T: AsyncDrop>(value: T) -> Result<(), T::Error> {
    block_on(AsyncDropGuard::new(value).async_drop())
}

/// The events in order: `+a` when a cleanup begins, `-a` when it ends, `~a` when its value is dropped.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, sign: char, name: &str) {
        // A panicking cleanup may poison the lock, which does not matter here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{sign}{name}"));
    }

    /// The events since the last call.
    fn read(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).join(" ")
    }

    /// A guard of a value whose cleanup waits once and succeeds.
    fn guard(&self, name: &'static str) -> AsyncDropGuard<Part> {
        self.ending(name, 1, Ending::Ok)
    }

    fn ending(&self, name: &'static str, waits: usize, ending: Ending) -> AsyncDropGuard<Part> {
        AsyncDropGuard::new(self.part(name, waits, ending))
    }

    fn part(&self, name: &'static str, waits: usize, ending: Ending) -> Part {
        Part { name, waits, ending, diary: self.clone() }
    }
}

/// A value that records its cleanup in a diary. Its error is its name.
struct Part {
    name: &'static str,
    waits: usize,
    ending: Ending,
    diary: Diary,
}

#[livedrop::unboxed]
impl AsyncDrop for Part {
    type Error = &'static str;

    async fn async_drop_impl(&mut self) -> Result<(), &'static str> {
        self.diary.note('+', self.name);
        wait(self.waits).await;
        assert!(self.ending != Ending::Panic, "{} went wrong", self.name);
        self.diary.note('-', self.name);
        if self.ending == Ending::Err { Err(self.name) } else { Ok(()) }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.diary.note('~', self.name);
    }
}

/// A value with an error of another type.
struct Other(Result<(), u8>);

#[livedrop::unboxed]
impl AsyncDrop for Other {
    type Error = u8;

    async fn async_drop_impl(&mut self) -> Result<(), u8> {
        self.0
    }
}

/// Every error of the values here converts into it.
#[derive(Debug, PartialEq)]
enum AnyError {
    Part(&'static str),
    Other(u8),
}

impl From<&'static str> for AnyError {
    fn from(name: &'static str) -> Self {
        Self::Part(name)
    }
}

impl From<u8> for AnyError {
    fn from(number: u8) -> Self {
        Self::Other(number)
    }
}
