//! Cleanups that are cancelled after every possible number of polls, and called again.

use livedrop::{AsyncDrop, AsyncDropGuard, CleanupErrors};

use super::{Diary, Part};
use crate::support::{Ending, Reports, block_on, cancel_after, run};

#[derive(AsyncDrop)]
struct InOrder {
    a: AsyncDropGuard<Part>,
    b: Option<AsyncDropGuard<Part>>,
    c: Vec<AsyncDropGuard<Part>>,
}

#[derive(AsyncDrop)]
#[async_drop(concurrent)]
struct AtOnce {
    a: AsyncDropGuard<Part>,
    b: Option<AsyncDropGuard<Part>>,
    c: Vec<AsyncDropGuard<Part>>,
}

#[derive(AsyncDrop)]
enum Active {
    Idle,
    Busy(AsyncDropGuard<Part>, AsyncDropGuard<Part>),
}

/// Three parts whose cleanups fail, and wait once, twice and five times.
fn parts(diary: &Diary) -> [AsyncDropGuard<Part>; 3] {
    [
        diary.ending("a", 1, Ending::Err),
        diary.ending("b", 2, Ending::Err),
        diary.ending("c", 5, Ending::Err),
    ]
}

/// Every error is reported once: by the hook if the cancelled call found it, or else by the second
/// call. A cleanup that has ended does not begin again.
fn cancelled_anywhere<T>(names: &[&'static str], make: impl Fn(&Diary) -> T)
where
    T: AsyncDrop<Error = CleanupErrors<&'static str>>,
{
    let diary = Diary::default();
    let (polls, _) = run(AsyncDropGuard::new(make(&diary)).async_drop());
    assert!(polls > 3, "{polls} polls leave little to cancel");
    for cancelled in 0..polls {
        let (diary, reports) = (Diary::default(), Reports::collect());
        let mut guard = AsyncDropGuard::new(make(&diary));
        cancel_after(cancelled, guard.async_drop());
        let first = diary.read();
        let mut found = reports.take();
        let rest = block_on(guard.async_drop()).err();
        found.extend(rest.into_iter().flatten().map(|name| format!("{name:?}")));
        let second = diary.read();
        assert!(guard.is_dropped());
        drop(guard);
        for name in names {
            let is_done = first.contains(&format!("-{name}"));
            let began_again = second.contains(&format!("+{name}"));
            assert!(is_done != began_again, "{name} at {cancelled}: {first} / {second}");
            let times = found.iter().filter(|text| text.contains(&format!("{name:?}"))).count();
            assert_eq!(times, 1, "the error of {name} at {cancelled}: {found:?}");
        }
        let whole = format!("{first} {second}");
        assert_eq!(whole.matches('~').count(), names.len(), "{whole}");
        reports.expect_none();
    }
}

#[test]
fn in_order() {
    cancelled_anywhere(&["a", "b", "c"], |diary| {
        let [a, b, c] = parts(diary);
        InOrder { a, b: Some(b), c: vec![c] }
    });
}

#[test]
fn at_once() {
    cancelled_anywhere(&["a", "b", "c"], |diary| {
        let [a, b, c] = parts(diary);
        AtOnce { a, b: Some(b), c: vec![c] }
    });
}

#[test]
fn the_active_variant() {
    cancelled_anywhere(&["a", "b"], |diary| {
        block_on(AsyncDropGuard::new(Active::Idle).async_drop()).unwrap();
        let [a, b, mut c] = parts(diary);
        block_on(c.async_drop()).unwrap_err();
        diary.read();
        Active::Busy(a, b)
    });
}

/// The cleanup waits after its first field has failed, and is never called again.
#[test]
fn error_found_before_cancellation_goes_to_the_hook() {
    let (diary, reports) = (Diary::default(), Reports::collect());
    let [a, b, c] = parts(&diary);
    let mut guard = AsyncDropGuard::new(InOrder { a, b: Some(b), c: vec![c] });
    cancel_after(2, guard.async_drop());
    reports.expect_one("cleanup of InOrder failed as well: \"a\"");
    block_on(guard.async_drop()).unwrap_err();
}
