//! Reports as events. Each test runs in its own process: if a thread without a subscriber reports first,
//! it switches the events off for all threads.
#![cfg(feature = "tracing")]

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use crate::support::{Ending, Failed, Log, Reports, Resource, alone, block_on, panic_of};
use livedrop::{AsyncDropGuard, hook, with_async_drop};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Records the level and the fields of each event.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<(Level, String)>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Events {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push((*event.metadata().level(), fields.0));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn forgotten_guard_reaches_tracing_and_the_hook() {
    alone("tracing::forgotten_guard_reaches_tracing_and_the_hook", report_a_forgotten_guard);
}

/// A subscriber that panics at each event.
struct Panicking;

impl Subscriber for Panicking {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        panic!("in the subscriber");
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn hook_is_called_though_the_subscriber_panics() {
    alone("tracing::hook_is_called_though_the_subscriber_panics", || {
        let reports = Reports::collect();
        tracing::subscriber::set_global_default(Panicking).unwrap();
        let text = panic_of(|| {
            drop(AsyncDropGuard::new(Resource::plain(&Arc::<Log>::default())));
        });
        assert_eq!(text, "in the subscriber");
        reports.expect_one("Forgot to call async_drop on Resource");
    });
}

fn report_a_forgotten_guard() {
    let (events, _quiet) = (Events::default(), hook::scoped(|_| {}));
    tracing::subscriber::set_global_default(events.clone()).unwrap();
    drop(AsyncDropGuard::new(Resource::plain(&Arc::<Log>::default())));
    let events = events.0.lock().unwrap();
    let (level, fields) = &events[0];
    assert_eq!((*level, events.len()), (Level::ERROR, 1));
    assert!(fields.contains("type_name=\"Resource\""), "{fields}");
    assert!(fields.contains("cause=Forgotten"), "{fields}");
    assert!(fields.contains("message=Forgot to call async_drop on Resource"), "{fields}");
    assert!(!fields.contains("secret"), "{fields}");
}

#[test]
fn a_suppressed_error_is_a_warning_event() {
    alone("tracing::a_suppressed_error_is_a_warning_event", report_a_suppressed_error);
}

fn report_a_suppressed_error() {
    let (events, _quiet) = (Events::default(), hook::scoped(|_| {}));
    tracing::subscriber::set_global_default(events.clone()).unwrap();
    let guard = AsyncDropGuard::new(Resource::new(&Arc::default(), 0, Ending::Err));
    let _ = block_on(with_async_drop(guard, async |_| Err::<(), _>(Failed)));
    let events = events.0.lock().unwrap();
    let (level, fields) = &events[0];
    assert_eq!((*level, events.len()), (Level::WARN, 1));
    assert!(fields.contains("type_name=\"Resource\""), "{fields}");
    assert!(fields.contains("error=Failed"), "{fields}");
}

#[cfg(feature = "app")]
#[test]
fn a_failed_task_is_an_error_event() {
    alone("tracing::a_failed_task_is_an_error_event", report_a_failed_task);
}

#[cfg(feature = "app")]
fn report_a_failed_task() {
    let (events, _quiet) = (Events::default(), hook::scoped(|_| {}));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::set_global_default(events.clone()).unwrap();
    let app = livedrop::app::App::new().without_signals();
    let ended = runtime.block_on(app.run(async |app| {
        app.spawn(async { Err("disk full") });
        Ok::<(), Failed>(())
    }));
    assert_eq!(ended.tasks.len(), 1);
    let events = events.0.lock().unwrap();
    let (level, fields) = &events[0];
    assert_eq!((*level, events.len()), (Level::ERROR, 1));
    assert!(fields.contains("spawned_at=tests/it/tracing.rs:"), "{fields}");
    assert!(fields.contains("error=\"failed: \\\"disk full\\\"\""), "{fields}");
}
