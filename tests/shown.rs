//! What the crate's own types show of themselves: names, numbers and labels, and never a value
//! that is not shown by its own guard.

mod support;

use std::sync::Arc;

use livedrop::hook;
use livedrop::{AsyncDropGuard, Outcome, Reaper, Stage};
use support::{Ending, Failed, Log, Resource, block_on, cancel_after, wait};

fn resource(ending: Ending) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(&Arc::<Log>::default(), 1, ending))
}

#[test]
fn a_reaper_shows_what_is_pending_and_its_parts_only_their_names() {
    let mut reaper = Reaper::new();
    let handle = reaper.handle().labelled("peer anna");
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
fn every_stage_has_its_word() {
    let mut reaper = Reaper::new();
    let stage = |reaper: &Reaper| reaper.pending()[0].stage.to_string();

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
    drop(reaper.handle().labelled("peer anna").adopt(resource(Ending::Err)));
    let report = block_on(reaper.drain());
    let [failure] = &report.failures[..] else { panic!("{report}") };

    let whole = report.to_string();
    assert_eq!(whole, format!("1 orphans cleaned up, 1 of them failed\n  {failure}"));
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
fn an_outcome_shows_its_result_and_a_hook_its_name() {
    let log = Arc::<Log>::default();
    let guard = AsyncDropGuard::live(Resource::new(&log, 0, Ending::Err));
    let outcome: Outcome<Resource> = block_on(guard.async_drop());
    assert_eq!(format!("{outcome:?}"), "Outcome { result: Err(Failed), .. }");
    assert_eq!(format!("{:?}", outcome.proof), "<Resource: cleaned up>");
    assert_eq!(format!("{:?}", hook::scoped(|_| {})), "ScopedHook { .. }");
}

#[test]
fn a_deferred_value_is_shown_until_its_cleanup_begins() {
    let mut guard = AsyncDropGuard::with_cleanup("a pool", |_| wait(1));
    assert_eq!(format!("{guard:?}"), "\"a pool\"");
    cancel_after(1, guard.async_drop());
    let shown = format!("{guard:?}");
    assert!(shown.ends_with(": cleanup has begun>"), "{shown}");
    block_on(guard.async_drop()).unwrap();
}
