//! `into_inner_without_cleanup` and `map_without_cleanup` of adopted guards.

use async_trait::async_trait;
use livedrop::AsyncDrop;
use livedrop::collections::AsyncDropResult;
use livedrop::sync::AsyncDropMutex;

use super::*;

/// Another value that is made of a resource.
struct Session(Resource);

#[async_trait]
impl AsyncDrop for Session {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        self.0.async_drop_impl().await
    }
}

#[test]
fn a_value_taken_out_is_not_waited_for() {
    let log = log();
    let ((), report) = under(|reaper| {
        let value = AsyncDropGuard::into_inner_without_cleanup(reaper.adopt(checked(&log)));
        expect_drained(reaper);
        assert_eq!(log.counts(), (0, 0, 0));
        drop(value);
    });
    assert_eq!((log.counts(), report.cleaned), ((0, 0, 1), 0));
}

#[test]
fn the_registration_moves_to_the_new_value() {
    let log = log();
    let ((), report) = under(|reaper| {
        let guard = reaper.handle().with_label("peer anna").adopt(checked(&log));
        let line = line!() + 1;
        let session = AsyncDropGuard::map_without_cleanup(guard, Session);
        let pending = reaper.pending();
        assert_eq!(pending.len(), 1);
        assert_eq!(pending[0].type_name, "Session");
        assert_eq!(pending[0].label.as_deref(), Some("peer anna"));
        assert_eq!(pending[0].stage, Stage::Alive);
        if let Some(site) = pending[0].created_at {
            assert_eq!((site.file(), site.line()), (file!(), line));
        }
        assert_eq!(session.0.touch(), WAITS);
        drop(session);
    });
    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
}

#[test]
fn owner_or_reaper_cleans_the_new_value() {
    for polls in 0..=WAITS {
        let log = log();
        let ((), report) = under(|reaper| {
            let guard = reaper.adopt(checked(&log));
            let mut session = AsyncDropGuard::map_without_cleanup(guard, Session);
            cancel_after(polls, session.async_drop());
        });
        assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1), "after {polls} polls");
    }
    let log = log();
    let ((), report) = under(|reaper| {
        let guard = reaper.adopt(checked(&log));
        let mut session = AsyncDropGuard::map_without_cleanup(guard, Session);
        assert_eq!(block_on(session.async_drop()), Ok(()));
        expect_drained(reaper);
    });
    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 0));
}

#[test]
fn a_closed_reaper_still_cleans_the_new_value() {
    let log = log();
    let ((), report) = under(|reaper| {
        let guard = reaper.adopt(checked(&log));
        reaper.close();
        drop(AsyncDropGuard::map_without_cleanup(guard, Session));
    });
    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
}

/// A value that is made of a helper around adopted guards.
struct Holds<H>(H);

#[async_trait]
impl<H: AsyncDrop + Send> AsyncDrop for Holds<H> {
    type Error = H::Error;

    async fn async_drop_impl(&mut self) -> Result<(), H::Error> {
        self.0.async_drop_unboxed().await
    }
}

#[test]
fn what_replaces_a_helper_is_adopted() {
    for polls in 0..=WAITS {
        let log = log();
        let ((), report) = under(|reaper| {
            let guard = reaper.handle().with_label("peer anna").adopt(checked(&log));
            let mutex = AsyncDropMutex::new(guard);
            let mut holds = AsyncDropGuard::map_without_cleanup(mutex, Holds);
            let pending = reaper.pending();
            let labels: Vec<_> = pending.iter().map(|value| value.label.as_deref()).collect();
            assert_eq!(labels, [Some("peer anna"); 2]);
            cancel_after(polls, holds.async_drop());
        });
        assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1), "after {polls} polls");
    }
}

#[test]
fn what_replaces_a_helper_of_a_closed_reaper_is_adopted() {
    let log = log();
    let ((), report) = under(|reaper| {
        let mutex = AsyncDropMutex::new(reaper.adopt(checked(&log)));
        reaper.close();
        drop(AsyncDropGuard::map_without_cleanup(mutex, Holds));
    });
    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
}

#[test]
fn what_replaces_a_result_is_adopted() {
    let log = log();
    let ((), report) = under(|reaper| {
        let result = AsyncDropResult::new(Ok::<_, Failed>(reaper.adopt(checked(&log))));
        drop(AsyncDropGuard::map_without_cleanup(result, Holds));
    });
    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
}

#[test]
fn without_its_reaper_the_new_value_is_reported() {
    let (log, reports, mut reaper) = (log(), Reports::collect(), Reaper::new());
    reaper.close();
    let guard = reaper.adopt(checked(&log));
    drop(AsyncDropGuard::map_without_cleanup(guard, Session));
    reports.expect_one("Forgot to call async_drop on Session");
    assert_eq!(log.counts(), (0, 0, 1));
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn a_panicking_map_leaves_no_registration() {
    let log = log();
    let ((), report) = under(|reaper| {
        let guard = reaper.adopt(checked(&log));
        let text = panic_of(|| {
            AsyncDropGuard::map_without_cleanup(guard, |resource| {
                assert!(resource.touch() != WAITS, "map");
                Session(resource)
            })
        });
        assert_eq!(text, "map");
        expect_drained(reaper);
    });
    assert_eq!((log.counts(), report.cleaned), ((0, 0, 1), 0));
}

#[test]
fn a_done_guard_has_no_value() {
    let log = log();
    let ((), _) = under(|reaper| {
        let guard = done(reaper, &log);
        let text = panic_of(|| AsyncDropGuard::into_inner_without_cleanup(guard));
        assert!(text.starts_with(&format!("tried to take out Resource {BEGUN}")), "{text}");
        let guard = done(reaper, &log);
        let text = panic_of(|| AsyncDropGuard::map_without_cleanup(guard, Session));
        assert!(text.starts_with(&format!("tried to take out Resource {BEGUN}")), "{text}");
        expect_drained(reaper);
    });
    assert_eq!(log.counts(), (2, 2, 2));
}

#[test]
fn a_cleanup_that_has_begun_keeps_its_value() {
    let log = log();
    let ((), report) = under(|reaper| {
        let guard = begun(reaper, &log);
        let text = panic_of(|| AsyncDropGuard::into_inner_without_cleanup(guard));
        assert!(text.starts_with(&format!("tried to take out Resource {BEGUN}")), "{text}");
        let guard = begun(reaper, &log);
        let text = panic_of(|| AsyncDropGuard::map_without_cleanup(guard, Session));
        assert!(text.starts_with(&format!("tried to take out Resource {BEGUN}")), "{text}");
    });
    assert_eq!((log.counts(), report.cleaned), ((2, 2, 2), 2), "the reaper resumes both");
}

#[test]
fn a_mapped_guard_may_enter_a_scope() {
    explore("mapped", &|world| {
        async move {
            let guard = world.reaper.adopt(world.checked(2, Ending::Ok));
            let session = AsyncDropGuard::map_without_cleanup(guard, Session);
            scope!(session, async |session| {
                world.steps(1).await;
                session.async_drop().await.after(Ok::<_, Failed>(()))
            })
            .await
            .unwrap();
        }
        .boxed()
    });
}
