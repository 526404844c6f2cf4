//! A future is dropped while it opens, uses or cleans up a value.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;

use livedrop::testing::leaks;
use livedrop::{Adopted, AsyncDropGuard, Reaper, ReaperHandle};

use crate::support::{Ending, Failed, Resource, block_on, cancel_after, wait};
use crate::{Server, log};

#[test]
fn p1_a_cancelled_acquire_leaks_nothing() {
    let leaky = Server::default();
    cancel_after(2, leaky.clone().connect());
    assert_eq!(leaky.sessions(), 1, "the complaint: the session is never closed");

    for polls in 1..Server::POLLS_TO_CONNECT {
        let server = Server::default();
        block_on(leaks(async |reaper| {
            cancel_after(polls, reaper.acquire(server.clone().connect()));
            assert_eq!(server.sessions(), 1);
        }));
        assert_eq!(server.sessions(), 0);
    }
}

#[test]
fn p2_a_release_that_was_cancelled_has_lost_nothing() {
    /// Takes the guard by value, as the releases in the complaints do.
    async fn release(mut guard: AsyncDropGuard<Resource, Adopted>) -> Result<(), Failed> {
        guard.async_drop().await
    }

    for polls in 0..=3 {
        let log = log();
        let mut guard = AsyncDropGuard::new(Resource::plain(&log));
        cancel_after(polls, guard.async_drop());
        assert_eq!(guard.touch(), 3, "the value is still in its guard");
        block_on(guard.async_drop()).unwrap();
        let begun = 1 + usize::from(polls > 0);
        assert_eq!(log.counts(), (begun, 1, 1));

        let log = self::log();
        block_on(leaks(async |reaper| {
            let guard = reaper.adopt(AsyncDropGuard::new(Resource::plain(&log)));
            cancel_after(polls, release(guard));
        }));
        assert_eq!(log.counts(), (1, 1, 1), "resumed, not begun again");
    }
}

#[test]
fn p17_a_second_cancellation_does_not_interrupt_the_cleanup_for_good() {
    for first in 0..=3 {
        for second in 0..=3 - first {
            let (log, mut reaper) = (log(), Reaper::new());
            let mut guard = reaper.adopt(AsyncDropGuard::new(Resource::new(&log, 6, Ending::Ok)));
            cancel_after(first, guard.async_drop());
            drop(guard);
            cancel_after(second, reaper.drain());
            let report = block_on(reaper.drain());
            assert_eq!(report.cleaned, 1);
            assert_eq!(log.counts(), (1, 1, 1), "begun once and resumed");
            block_on(reaper.async_drop()).unwrap();
        }
    }

    // `abandon` gives up a cleanup that never ends, and names it.
    let mut reaper = Reaper::new();
    drop(reaper.adopt(AsyncDropGuard::with_cleanup((), |()| pending::<()>())));
    cancel_after(10, reaper.drain());
    let report = reaper.abandon();
    assert_eq!(report.abandoned.len(), 1);
    assert!(report.abandoned[0].type_name.starts_with("Deferred"), "{report}");
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn p25_a_handler_whose_client_disconnects_is_not_cut() {
    type Done = Arc<Mutex<Vec<&'static str>>>;

    async fn order(done: Done) {
        done.lock().unwrap().push("money taken");
        wait(2).await;
        done.lock().unwrap().push("goods sent");
    }

    async fn handler(reaper: ReaperHandle, done: Done) -> io::Result<()> {
        wait(1).await; // reads the request
        reaper.shield(order(done)).await;
        wait(1).await; // writes the response
        Ok(())
    }

    let done = Done::default();
    cancel_after(1, order(Arc::clone(&done)));
    assert_eq!(*done.lock().unwrap(), ["money taken"], "the complaint");

    for polls in 0..5 {
        let done = Done::default();
        block_on(leaks(async |reaper| cancel_after(polls, handler(reaper, Arc::clone(&done)))));
        let done = done.lock().unwrap();
        if polls < 2 {
            assert!(done.is_empty(), "it had not begun");
        } else {
            assert_eq!(*done, ["money taken", "goods sent"], "after {polls} polls");
        }
    }
}
