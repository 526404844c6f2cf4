//! The column of `Adopted` alone.

use super::*;

#[test]
fn forgotten_the_reaper_cleans() {
    let ((), log, report) = with_adopted(Ending::Ok, drop);
    assert_eq!(log.counts(), (1, 1, 1));
    assert_eq!((report.cleaned, report.failures.len()), (1, 0));
}

#[test]
fn question_mark_before_cleanup_the_reaper_cleans() {
    let (result, log, report) = with_adopted(Ending::Ok, |mut guard| {
        block_on(async {
            Err(Failed)?;
            guard.async_drop().await
        })
    });
    assert_eq!(result, Err(Failed));
    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
}

#[test]
fn dropped_twice_is_ok_and_has_no_effect() {
    let ((), log, report) = with_adopted(Ending::Ok, |mut guard| {
        assert_eq!(block_on(guard.async_drop()), Ok(()));
        assert_eq!(block_on(guard.async_drop()), Ok(()));
    });
    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 0));
}

#[test]
fn used_after_panics_with_type_and_creation_site() {
    let (text, ..) = with_adopted(Ending::Ok, |mut guard| {
        block_on(guard.async_drop()).unwrap();
        panic_of(|| guard.touch())
    });
    let beginning = "used Resource after its cleanup has begun";
    assert!(text.starts_with(beginning), "{text}");
    assert!(!text.contains("secret"));
}

#[test]
fn panic_in_body_the_reaper_cleans() {
    let (text, log, report) = with_adopted(Ending::Ok, |guard| {
        panic_of(|| {
            let _guard = guard;
            panic!("body");
        })
    });
    assert_eq!(text, "body");
    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
}

async fn clean_after_waiting(mut guard: AsyncDropGuard<Resource, Adopted>) -> Result<(), Failed> {
    wait(WAITS).await;
    guard.async_drop().await
}

#[test]
fn future_dropped_anywhere_the_reaper_cleans_or_resumes() {
    let ((total, result), ..) = with_adopted(Ending::Ok, |guard| run(clean_after_waiting(guard)));
    assert_eq!((total, result), (WAITS + POLLS_OF_A_CLEANUP, Ok(())));
    for polls in 0..total {
        let ((), log, report) =
            with_adopted(Ending::Ok, |guard| cancel_after(polls, clean_after_waiting(guard)));
        assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1), "after {polls} polls");
    }
}

#[test]
fn future_dropped_in_cleanup_leaves_it_to_resume() {
    for polls in 0..POLLS_OF_A_CLEANUP {
        let (left, log, report) = with_adopted(Ending::Ok, |mut guard| {
            cancel_after(polls, guard.async_drop());
            assert!(!guard.is_dropped());
            run(guard.async_drop())
        });
        assert_eq!(left, (POLLS_OF_A_CLEANUP - polls, Ok(())));
        assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 0));
    }
}

#[test]
fn failing_cleanup_is_an_err_and_ends_it() {
    let (result, log, report) = with_adopted(Ending::Err, |mut guard| block_on(guard.async_drop()));
    assert_eq!(result, Err(Failed));
    assert_eq!((log.counts(), report.failures.len()), ((1, 1, 1), 0));
}

#[test]
fn panicking_cleanup_disarms_and_propagates() {
    let (text, log, report) =
        with_adopted(Ending::Panic, |mut guard| panic_of(|| block_on(guard.async_drop())));
    assert_eq!(text, "cleanup went wrong");
    assert_eq!((log.counts(), report.cleaned), ((1, 0, 1), 0));
}

#[test]
fn panicking_cleanup_by_reaper_is_in_its_report() {
    for polls in 0..POLLS_OF_A_CLEANUP {
        let ((), log, report) = with_adopted(Ending::Panic, |mut guard| {
            cancel_after(polls, guard.async_drop());
        });
        assert_eq!(log.counts(), (1, 0, 1));
        assert_eq!(report.failures[0].message, "panicked: cleanup went wrong");
    }
}

#[test]
fn dropped_in_async_drop_via_the_reaper_resumes() {
    async_drop_via_dropped_is_resumed(|guard| guard.async_drop_via(Resource::finish));
}
