//! `Adopted`: what the owner does not clean up, its reaper does.

use std::task::Poll;

use crate::bomb::{Origin, report_lost};
use crate::exclusive::Exclusive;
use crate::hook::Cause;
use crate::reaper::{Cleanup, Entry, Erased, Stage, Ticket, start};
use crate::{
    Adopted, ArmsLike, AsyncDrop, AsyncDropGuard, CanAdopt, Cleaned, Cleans, Holds, Lends,
    Remembers,
};

/// What an `Adopted` guard stores.
#[expect(missing_debug_implementations, reason = "cannot be named outside of the crate")]
pub struct AdoptedSlot<T> {
    content: Content<T>,
    /// Chosen where the type was known to be adoptable, so that the slot itself asks nothing of
    /// it.
    start: fn(T) -> Cleanup,
    /// Missing if the reaper was closed, and after the end.
    ticket: Option<Ticket>,
    origin: Origin<T>,
}

enum Content<T> {
    Idle(T),
    Running(Exclusive<Cleanup>),
    /// Over, or in its `poll`, or panicked there.
    Done,
}

impl<T: CanAdopt> AdoptedSlot<T> {
    /// Looked after if there is a ticket.
    pub(crate) fn new(origin: Origin<T>, value: T, ticket: Option<Ticket>) -> Self {
        Self { content: Content::Idle(value), start: start::<T>, ticket, origin }
    }

    /// For a value that was cleaned up before.
    pub(crate) fn done(origin: Origin<T>) -> Self {
        Self { content: Content::Done, start: start::<T>, ticket: None, origin }
    }
}

impl<T> AdoptedSlot<T> {
    pub(super) fn is_done(&self) -> bool {
        matches!(self.content, Content::Done)
    }

    fn take(&mut self) -> Content<T> {
        std::mem::replace(&mut self.content, Content::Done)
    }

    /// Begins the cleanup, or goes on with it.
    fn run(&mut self) -> impl Future<Output = Result<(), Erased>> + use<'_, T> {
        std::future::poll_fn(|cx| {
            // Both are away during the poll: a panic leaves nothing that could be polled again,
            // and nothing that is waited for.
            let ticket = self.ticket.take();
            let mut cleanup = match self.take() {
                Content::Idle(value) => {
                    if let Some(ticket) = &ticket {
                        ticket.update(|entry| entry.stage = Stage::Cleaning);
                    }
                    (self.start)(value)
                }
                Content::Running(cleanup) => cleanup.into_inner(),
                Content::Done => return Poll::Ready(Ok(())),
            };
            let poll = cleanup.as_mut().poll(cx);
            if poll.is_pending() {
                self.content = Content::Running(Exclusive::new(cleanup));
                self.ticket = ticket;
            }
            poll
        })
    }
}

impl<T: AsyncDrop + 'static> AdoptedSlot<T> {
    pub(super) fn clean(&mut self) -> impl Future<Output = Result<(), T::Error>> + use<'_, T> {
        let run = self.run();
        async move { run.await.map_err(Erased::into_error) }
    }
}

impl<T> Drop for AdoptedSlot<T> {
    fn drop(&mut self) {
        let (cleanup, cause) = match (self.take(), &self.ticket) {
            (Content::Done, _) => return,
            (Content::Running(cleanup), _) => (cleanup.into_inner(), Cause::CancelledInCleanup),
            (Content::Idle(value), Some(_)) => ((self.start)(value), Cause::Forgotten),
            (Content::Idle(value), None) => {
                // Reported first, as every guard does: what is inside of the value comes after.
                let _value = value;
                return self.lost(Cause::Forgotten);
            }
        };
        let refused = match self.ticket.take() {
            Some(ticket) => ticket.hand_over(cleanup).err(),
            None => Some(cleanup),
        };
        if let Some(_cleanup) = refused {
            self.lost(cause);
        }
    }
}

impl<T> AdoptedSlot<T> {
    #[cold]
    fn lost(&self, cause: Cause) {
        report_lost(&crate::type_name::of::<T>(), self.origin.created_at(), cause);
    }
}

impl Holds for Adopted {
    const GONE: &'static str = "after its cleanup has begun";

    #[inline]
    fn value<T>(slot: &AdoptedSlot<T>) -> Result<&T, Origin<T>> {
        match &slot.content {
            Content::Idle(value) => Ok(value),
            _ => Err(slot.origin),
        }
    }

    #[inline]
    fn value_mut<T>(slot: &mut AdoptedSlot<T>) -> Result<&mut T, Origin<T>> {
        match &mut slot.content {
            Content::Idle(value) => Ok(value),
            _ => Err(slot.origin),
        }
    }

    fn into_value<T>(mut slot: AdoptedSlot<T>) -> Result<(Origin<T>, T), Origin<T>> {
        let origin = slot.origin;
        match slot.take() {
            Content::Idle(value) => Ok((origin, value)),
            running => {
                slot.content = running;
                Err(origin)
            }
        }
    }
}

impl<U: CanAdopt> ArmsLike<U> for Adopted {
    type Model = Option<Ticket>;

    fn model<T>(slot: &AdoptedSlot<T>) -> Option<Ticket> {
        // Its entry is made out for the new value once that is there.
        let entry = Entry::new(slot.origin, Stage::Alive);
        slot.ticket.as_ref().and_then(|ticket| ticket.sibling(entry))
    }

    fn arm_like(ticket: Option<Ticket>, origin: Origin<U>, value: U) -> AdoptedSlot<U> {
        if let Some(ticket) = &ticket {
            ticket.update(|entry| entry.renew(origin));
        }
        AdoptedSlot::new(origin, value, ticket)
    }
}

impl<T: CanAdopt> Lends<T> for Adopted {
    type Owned = Adopted;

    fn lend(slot: AdoptedSlot<T>) -> AdoptedSlot<T> {
        slot
    }
}

impl<T: CanAdopt> Cleans<T> for Adopted {
    fn clean_in_place(
        held: &mut Option<AsyncDropGuard<T, Adopted>>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send {
        async move {
            let EmptiesWhenDone(held) = &mut EmptiesWhenDone(held);
            match held {
                Some(guard) => guard.slot.clean().await,
                None => Ok(()),
            }
        }
    }
}

/// Drops the guard if its cleanup has ended.
struct EmptiesWhenDone<'a, T>(&'a mut Option<AsyncDropGuard<T, Adopted>>);

impl<T> Drop for EmptiesWhenDone<'_, T> {
    fn drop(&mut self) {
        if self.0.as_ref().is_some_and(|guard| guard.slot.is_done()) {
            *self.0 = None;
        }
    }
}

impl<T: CanAdopt> Remembers<T> for Adopted {
    fn clean_caught(slot: &mut AdoptedSlot<T>) -> impl Future<Output = Cleaned<T>> + Send {
        Cleaned::from_future(slot.clean())
    }

    // Looks after its panics by itself.
    fn clean_uncaught(
        slot: &mut AdoptedSlot<T>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send {
        slot.clean()
    }

    fn end(slot: AdoptedSlot<T>) {
        drop(slot);
    }
}
