//! The column of `Checked` alone.

use super::*;

#[test]
fn forgotten_panics_with_type_and_creation_site() {
    let log = log();
    let line = line!() + 1;
    let guard = AsyncDropGuard::new(Resource::plain(&log));
    let text = panic_of(|| drop(guard));
    assert!(text.starts_with(&format!("{FORGOT}{}", created_at(file!(), line))), "{text}");
    assert!(!text.contains("secret"));
    assert_eq!(log.counts(), (0, 0, 1));
}

#[test]
fn question_mark_before_cleanup_panics() {
    let log = log();
    let text = panic_of(|| {
        block_on(async {
            let mut guard = checked(&log, Ending::Ok);
            Err(Failed)?;
            guard.async_drop().await
        })
    });
    assert!(text.starts_with(FORGOT), "{text}");
    assert_eq!(log.counts(), (0, 0, 1));
}

#[test]
fn dropped_twice_is_ok_and_has_no_effect() {
    let log = log();
    let mut guard = checked(&log, Ending::Ok);
    assert_eq!(block_on(guard.async_drop()), Ok(()));
    assert!(guard.is_dropped());
    assert_eq!(block_on(guard.async_drop()), Ok(()));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn used_after_panics_with_type_and_both_sites() {
    let log = log();
    let line = line!() + 1;
    let mut guard = AsyncDropGuard::new(Resource::plain(&log));
    block_on(guard.async_drop()).unwrap();
    let text = panic_of(|| guard.touch());
    let beginning = format!("used Resource after its cleanup{}", created_at(file!(), line));
    assert!(text.starts_with(&beginning), "{text}");
    let text = panic_of(|| guard.waits = 1);
    assert!(text.starts_with(&beginning), "{text}");
}

#[test]
fn panic_in_body_prints_and_does_not_abort() {
    let (log, reports) = (log(), Reports::collect());
    let text = panic_of(|| {
        let _guard = checked(&log, Ending::Ok);
        panic!("body");
    });
    assert_eq!(text, "body");
    reports.expect_one(UNWINDING);
    assert_eq!(log.counts(), (0, 0, 1));
}

#[test]
fn future_dropped_in_the_body_panics() {
    for polls in 1..=WAITS {
        let log = log();
        let text = panic_of(|| {
            cancel_after(polls, async {
                let mut guard = checked(&log, Ending::Ok);
                wait(WAITS).await;
                guard.async_drop().await.unwrap();
            });
        });
        assert!(text.starts_with(FORGOT), "{text}");
        assert_eq!(log.counts(), (0, 0, 1));
    }
}

#[test]
fn future_dropped_in_cleanup_leaves_it_armed() {
    for polls in 0..POLLS_OF_A_CLEANUP {
        let (log, reports) = (log(), Reports::collect());
        let mut guard = checked(&log, Ending::Ok);
        cancel_after(polls, guard.async_drop());
        assert!(!guard.is_dropped());
        assert_eq!(guard.touch(), WAITS);
        assert_eq!(run(guard.async_drop()), (POLLS_OF_A_CLEANUP, Ok(())));
        drop(guard);
        assert_eq!(log.counts(), (1 + usize::from(polls > 0), 1, 1));
        reports.expect_none();
    }
}

#[test]
fn future_dropped_in_cleanup_and_then_forgotten_panics() {
    for polls in 0..POLLS_OF_A_CLEANUP {
        let log = log();
        let line = line!() + 1;
        let mut guard = AsyncDropGuard::new(Resource::plain(&log));
        cancel_after(polls, guard.async_drop());
        let text = panic_of(|| drop(guard));
        let beginning = if polls == 0 { FORGOT } else { CANCELLED };
        let beginning = format!("{beginning}{}", created_at(file!(), line));
        assert!(text.starts_with(&beginning), "{text}");
        assert_eq!(log.counts(), (usize::from(polls > 0), 0, 1));
    }
}

#[test]
fn failing_cleanup_is_an_err_and_ends_it() {
    let (log, reports) = (log(), Reports::collect());
    let mut guard = checked(&log, Ending::Err);
    assert_eq!(run(guard.async_drop()), (POLLS_OF_A_CLEANUP, Err(Failed)));
    assert_eq!(log.counts(), (1, 1, 1));
    assert_eq!(block_on(guard.async_drop()), Ok(()));
    drop(guard);
    assert_eq!(log.counts(), (1, 1, 1));
    reports.expect_none();
}

#[test]
fn panicking_cleanup_disarms_and_propagates() {
    for waits in 0..WAITS {
        let (log, reports) = (log(), Reports::collect());
        let mut guard = AsyncDropGuard::new(Resource::new(&log, waits, Ending::Panic));
        assert_eq!(panic_of(|| block_on(guard.async_drop())), "cleanup went wrong");
        assert_eq!(log.counts(), (1, 0, 1), "the value is dropped at once");
        assert!(guard.is_dropped());
        assert_eq!(block_on(guard.async_drop()), Ok(()));
        drop(guard);
        reports.expect_none();
        assert_eq!(log.counts(), (1, 0, 1));
    }
}

#[test]
fn dropped_in_async_drop_via_panics() {
    async_drop_via_dropped_panics(|log| checked(log, Ending::Ok).async_drop_via(Resource::finish));
}
