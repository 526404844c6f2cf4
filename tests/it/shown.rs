//! The `Debug` and `Display` of the crate's types: names, numbers and labels. Only a guard shows its
//! value.

use std::error::Error;
use std::fmt::{self, Display, Write};
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};

use crate::support::{Ending, Failed, Log, Resource, block_on, cancel_after, panic_of, wait};
use livedrop::collections::AsyncDropStack;
use livedrop::hook;
use livedrop::reaper::{Stage, TryAcquireError};
use livedrop::sync::AsyncDropArc;
use livedrop::{AsyncDropGuard, CleanupErrors, Outcome, Reaper};

fn resource(ending: Ending) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(&Arc::<Log>::default(), 1, ending))
}

#[test]
fn reaper_debug_lists_pending_and_parts_their_names() {
    let mut reaper = Reaper::new();
    let handle = reaper.handle().with_label("peer anna");
    let mut adopted = handle.adopt(resource(Ending::Ok));

    let shown = format!("{reaper:?}");
    assert!(shown.starts_with("Reaper { pending: [Pending {"), "{shown}");
    assert!(shown.contains("Resource") && shown.contains("peer anna"), "{shown}");
    assert!(!shown.contains("a secret"), "{shown}");
    let shown = format!("{handle:?}");
    assert!(shown.starts_with("ReaperHandle { is_closed: false, label: Some(\"peer anna\")"));
    assert_eq!(format!("{:?}", reaper.run()), "Run { .. }");
    assert_eq!(format!("{:?}", reaper.drain()), "Drain { .. }");
    let open = async { Ok::<_, Failed>(resource(Ending::Ok)) };
    assert_eq!(format!("{:?}", handle.acquire(open)), "Acquire { .. }");

    block_on(adopted.async_drop()).unwrap();
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn futures_show_their_names() {
    let reaper = Reaper::new();
    let handle = reaper.handle();
    let open = async { Ok::<_, Failed>(resource(Ending::Ok)) };
    assert_eq!(format!("{:?}", handle.try_acquire(open)), "TryAcquire { .. }");
    assert_eq!(format!("{:?}", handle.shield(async {})), "Shield { .. }");

    drop(handle.adopt(resource(Ending::Ok)));
    let shown = Arc::new(Mutex::new(Vec::new()));
    let tasks = Arc::clone(&shown);
    let mut running = reaper.run_with(move |task| tasks.lock().unwrap().push(format!("{task:?}")));
    cancel_after(1, &mut running);
    assert_eq!(*shown.lock().unwrap(), ["CleanupTask { .. }"]);

    let shared = AsyncDropArc::new(handle.adopt(resource(Ending::Ok)));
    let gone = AsyncDropArc::downgrade(&shared).gone();
    assert_eq!(format!("{gone:?}"), "Gone { .. }");
    drop(shared);

    let shutdown = Reaper::shutdown(reaper, pending::<()>());
    assert_eq!(format!("{shutdown:?}"), "Shutdown { .. }");
    drop(running);
    assert_eq!(block_on(shutdown).cleaned, 2);
}

/// An error with a source.
#[derive(Debug)]
struct NoRoute(io::Error);

impl Display for NoRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no route")
    }
}

impl Error for NoRoute {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn try_acquire_error_shows_the_error_of_the_opening() {
    let closed = TryAcquireError::<NoRoute>::Closed;
    assert_eq!(closed.to_string(), "the reaper is closed and opens nothing");
    assert!(closed.source().is_none());

    let open = TryAcquireError::Open(NoRoute(io::Error::other("no cable")));
    assert_eq!(open.to_string(), "no route");
    // It shows the text of the error, so its source is the source of the error.
    assert_eq!(open.source().unwrap().to_string(), "no cable");
}

#[test]
fn guard_debug_tells_begun_from_cleaned_up() {
    let mut reaper = Reaper::new();
    let mut adopted = reaper.adopt(resource(Ending::Ok));
    cancel_after(1, adopted.async_drop());
    assert_eq!(format!("{adopted:?}"), "<Resource: cleanup has begun>");
    block_on(adopted.async_drop()).unwrap();
    assert_eq!(format!("{adopted:?}"), "<Resource: cleaned up>");
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn every_stage_has_its_word() {
    let mut reaper = Reaper::new();
    let stage = |reaper: &Reaper| reaper.pending()[0].stage.to_string();

    let mut shielded = Box::pin(reaper.shield(wait(1)));
    cancel_after(1, shielded.as_mut());
    assert_eq!(stage(&reaper), "shielded");
    block_on(shielded);

    let open = async {
        wait(1).await;
        Ok::<_, Failed>(resource(Ending::Ok))
    };
    let mut acquiring = Box::pin(reaper.acquire(open));
    cancel_after(1, acquiring.as_mut());
    assert_eq!(stage(&reaper), "opening");
    let mut adopted = block_on(acquiring).unwrap();
    assert_eq!(stage(&reaper), "alive");
    cancel_after(1, adopted.async_drop());
    assert_eq!(stage(&reaper), "cleaning");
    drop(adopted);
    assert_eq!(stage(&reaper), "orphaned");
    assert_eq!(format!("{:>10}", Stage::Alive), "     alive");

    assert_eq!(block_on(reaper.drain()).cleaned, 1);
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn a_failure_names_type_label_and_error() {
    let mut reaper = Reaper::new();
    drop(reaper.handle().with_label("peer anna").adopt(resource(Ending::Err)));
    let report = block_on(reaper.drain());
    let [failure] = &report.failures[..] else { panic!("{report}") };

    let whole = report.to_string();
    assert_eq!(whole, format!("1 orphan cleaned up, 1 of them failed\n  {failure}"));
    assert!(!failure.is_panic());
    let shown = failure.to_string();
    assert!(shown.starts_with("Resource \"peer anna\""), "{shown}");
    assert!(shown.ends_with(": Failed"), "{shown}");
    assert_eq!(shown.contains(" (created at "), failure.created_at.is_some());
    let shown = format!("{failure:?}");
    assert!(shown.starts_with("Failure { type_name: \"Resource\", created_at:"), "{shown}");
    assert!(shown.ends_with("label: Some(\"peer anna\"), message: \"Failed\", .. }"), "{shown}");
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn outcome_shows_its_result_and_hook_its_name() {
    let log = Arc::<Log>::default();
    let guard = AsyncDropGuard::live(Resource::new(&log, 0, Ending::Err));
    let outcome: Outcome<Resource> = block_on(guard.async_drop());
    assert_eq!(format!("{outcome:?}"), "Outcome { result: Err(Failed), .. }");
    assert_eq!(format!("{:?}", outcome.proof), "<Resource: cleaned up>");
    assert_eq!(format!("{:?}", hook::scoped(|_| {})), "ScopedHook { .. }");
}

#[test]
fn cleanup_errors_show_each_error() {
    let errors = CleanupErrors::from_errors(["a", "b", "c"]);
    let shown = format!("{:?}", errors.unwrap());
    assert_eq!(shown, r#"CleanupErrors { first: "a", others: ["b", "c"] }"#);
}

#[test]
fn deferred_value_is_shown_until_its_cleanup_begins() {
    let mut guard = AsyncDropGuard::with_cleanup("a pool", |_| wait(1));
    assert_eq!(format!("{guard:?}"), "\"a pool\"");
    cancel_after(1, guard.async_drop());
    let shown = format!("{guard:?}");
    assert!(shown.ends_with(": cleanup has begun>"), "{shown}");
    block_on(guard.async_drop()).unwrap();
}

/// A writer with room for this many bytes.
struct Page {
    room: usize,
    text: String,
}

impl Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.room = self.room.checked_sub(text.len()).ok_or(fmt::Error)?;
        self.text.push_str(text);
        Ok(())
    }
}

/// Asserts that a full writer is an error, and that nothing is written after the error.
fn expect_stops_where_the_page_ends(shown: &dyn Display) {
    let whole = shown.to_string();
    for room in 0..whole.len() {
        let mut page = Page { room, text: String::new() };
        assert!(write!(page, "{shown}").is_err(), "{whole:?} with room for {room}");
        assert!(whole.starts_with(&page.text), "{:?} of {whole:?}", page.text);
    }
    let mut page = Page { room: whole.len(), text: String::new() };
    assert!(write!(page, "{shown}").is_ok() && page.text == whole, "{:?}", page.text);
}

#[test]
fn failed_writer_is_not_written_to_again() {
    expect_stops_where_the_page_ends(&CleanupErrors::from("first"));
    let mut errors = CleanupErrors::from("first");
    errors.extend(["second", "third"]);
    expect_stops_where_the_page_ends(&errors);

    let mut reaper = Reaper::new();
    let handle = reaper.handle().with_label("peer anna");
    drop(handle.adopt(resource(Ending::Err)));
    let alive = handle.adopt(resource(Ending::Ok));
    expect_stops_where_the_page_ends(&reaper.pending()[0]);
    cancel_after(4, reaper.drain());
    let report = reaper.abandon();
    assert_eq!((report.failures.len(), report.abandoned.len()), (1, 1));
    expect_stops_where_the_page_ends(&report.failures[0]);
    expect_stops_where_the_page_ends(&report);
    block_on(reaper.async_drop()).unwrap();
    drop(alive);

    let mut stack = AsyncDropStack::new();
    let _key = stack.push(resource(Ending::Err));
    expect_stops_where_the_page_ends(&format_args!("{:?}", *stack));
    let errors = block_on(stack.async_drop()).unwrap_err();
    expect_stops_where_the_page_ends(errors.first());
    expect_stops_where_the_page_ends(&format_args!("{:?}", errors.first()));
}

#[test]
fn hook_that_cannot_write_gets_an_error() {
    let losses: [fn(); 4] = [
        || drop(resource(Ending::Ok)),
        || {
            let mut guard = resource(Ending::Ok);
            cancel_after(1, guard.async_drop());
        },
        || cancel_after(1, livedrop::bracket(resource(Ending::Ok), async |_| wait(1).await)),
        || {
            let reaper = AsyncDropGuard::into_inner_without_cleanup(Reaper::new());
            drop(reaper.adopt(resource(Ending::Ok)));
        },
    ];
    let hook = hook::scoped(|unhandled| expect_stops_where_the_page_ends(unhandled));
    for loss in losses {
        loss();
    }
    let unwinding = panic_of(|| {
        let _dropped_while_unwinding = resource(Ending::Ok);
        panic!("expected");
    });
    assert_eq!(unwinding, "expected");
    let body = async |_: &mut Resource| Err::<(), _>(Failed);
    let both = livedrop::with_async_drop(resource(Ending::Err), body);
    assert_eq!(block_on(both), Err(Failed));
    drop(hook);
}
