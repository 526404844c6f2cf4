//! The column of `Live` alone.

use super::*;

#[test]
fn forgotten_panics_with_type_and_creation_site() {
    let log = log();
    let line = line!() + 1;
    let guard = AsyncDropGuard::live(Resource::plain(&log));
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
            let guard = live(&log, Ending::Ok);
            Err(Failed)?;
            guard.async_drop().await.result
        })
    });
    assert!(text.starts_with(FORGOT), "{text}");
    assert_eq!(log.counts(), (0, 0, 1));
}

#[test]
fn panic_in_body_prints_and_does_not_abort() {
    let (log, reports) = (log(), Reports::collect());
    let text = panic_of(|| {
        let _guard = live(&log, Ending::Ok);
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
                let guard = live(&log, Ending::Ok);
                wait(WAITS).await;
                guard.async_drop().await.result.unwrap();
            });
        });
        assert!(text.starts_with(FORGOT), "{text}");
        assert_eq!(log.counts(), (0, 0, 1));
    }
}

#[test]
fn future_dropped_in_cleanup_panics_as_cancelled() {
    for polls in 0..POLLS_OF_A_CLEANUP {
        let log = log();
        let line = line!() + 1;
        let guard = AsyncDropGuard::live(Resource::plain(&log));
        let text = panic_of(|| cancel_after(polls, guard.async_drop()));
        let beginning = if polls == 0 { FORGOT } else { CANCELLED };
        let beginning = format!("{beginning}{}", created_at(file!(), line));
        assert!(text.starts_with(&beginning), "{text}");
        assert_eq!(log.counts(), (usize::from(polls > 0), 0, 1));
    }
}

#[test]
fn cleanup_gives_proof_and_ok() {
    let (log, reports) = (log(), Reports::collect());
    let (polls, Outcome { proof, result }) = run(live(&log, Ending::Ok).async_drop());
    assert_eq!((polls, result), (POLLS_OF_A_CLEANUP, Ok(())));
    assert_eq!(log.counts(), (1, 1, 1));
    drop(proof);
    reports.expect_none();
}

#[test]
fn failing_cleanup_gives_proof_and_err() {
    let (log, reports) = (log(), Reports::collect());
    let (polls, Outcome { proof, result }) = run(live(&log, Ending::Err).async_drop());
    assert_eq!((polls, result), (POLLS_OF_A_CLEANUP, Err(Failed)));
    drop(proof);
    assert_eq!(log.counts(), (1, 1, 1));
    reports.expect_none();
}

#[test]
fn panicking_cleanup_disarms_and_propagates() {
    for waits in 0..WAITS {
        let (log, reports) = (log(), Reports::collect());
        let guard = AsyncDropGuard::live(Resource::new(&log, waits, Ending::Panic));
        assert_eq!(panic_of(|| block_on(guard.async_drop())), "cleanup went wrong");
        assert_eq!(log.counts(), (1, 0, 1));
        reports.expect_none();
    }
}

#[test]
fn dropped_in_async_drop_via_panics() {
    async_drop_via_dropped_panics(|log| live(log, Ending::Ok).async_drop_via(Resource::finish));
}
