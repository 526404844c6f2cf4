//! The column of `Live` in `scope`.

use super::*;

async fn cleaned_after_waiting(guard: AsyncDropGuard<Resource, Live>) -> Result<usize, Failed> {
    scope(guard, async |guard| {
        wait(WAITS).await;
        let touched = Ok(guard.touch());
        guard.async_drop().await.after(touched)
    })
    .await
}

#[test]
fn cleanup_gives_the_output() {
    let log = log();
    let (polls, output) = run(cleaned_after_waiting(live(&log, Ending::Ok)));
    assert_eq!((polls, output), (WAITS + POLLS_OF_A_CLEANUP, Ok(WAITS)));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn panic_in_body_prints_and_does_not_abort() {
    let (log, reports) = (log(), Reports::collect());
    let guard = live(&log, Ending::Ok);
    let text = panic_of(|| {
        block_on(scope(guard, async |guard| {
            assert!(guard.touch() != WAITS, "body");
            (guard.async_drop().await.proof, ())
        }));
    });
    assert_eq!(text, "body");
    reports.expect_one(UNWINDING);
    assert_eq!(log.counts(), (0, 0, 1));
}

#[test]
fn future_dropped_anywhere_panics() {
    let total = run(cleaned_after_waiting(live(&log(), Ending::Ok))).0;
    assert_eq!(total, WAITS + POLLS_OF_A_CLEANUP);
    for polls in 0..total {
        let log = log();
        let future = cleaned_after_waiting(live(&log, Ending::Ok));
        let text = panic_of(|| cancel_after(polls, future));
        let in_cleanup = polls > WAITS;
        assert!(text.starts_with(if in_cleanup { CANCELLED } else { FORGOT }), "{text}");
        assert_eq!(log.counts(), (usize::from(in_cleanup), 0, 1));
    }
}

#[test]
fn failing_cleanup_gives_proof_and_err() {
    let log = log();
    assert_eq!(block_on(cleaned_after_waiting(live(&log, Ending::Err))), Err(Failed));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn panicking_cleanup_disarms_and_propagates() {
    let (log, reports) = (log(), Reports::collect());
    let guard = live(&log, Ending::Panic);
    let text = panic_of(|| block_on(cleaned_after_waiting(guard)));
    assert_eq!(text, "cleanup went wrong");
    assert_eq!(log.counts(), (1, 0, 1));
    reports.expect_none();
}

#[test]
fn body_and_cleanup_fail_caller_has_both_errors() {
    let log = log();
    let both = block_on(scope(live(&log, Ending::Err), async |guard| {
        let body: Result<(), &str> = Err("body");
        let Outcome { proof, result } = guard.async_drop().await;
        (proof, (body, result))
    }));
    assert_eq!(both, (Err("body"), Err(Failed)));
}

#[test]
fn body_and_cleanup_fail_hook_gets_cleanup_error() {
    let (log, reports) = (log(), Reports::collect());
    let result = block_on(scope(live(&log, Ending::Err), async |guard| {
        guard.async_drop().await.after(Err::<(), _>(Failed))
    }));
    assert_eq!(result, Err(Failed));
    reports.expect_one("cleanup of Resource failed as well: Failed");
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn dropped_in_async_drop_via_panics() {
    async_drop_via_dropped_panics(|log| {
        scope(live(log, Ending::Ok), async |guard| guard.async_drop_via(Resource::finish).await)
    });
}
