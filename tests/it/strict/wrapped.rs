//! Wrappers of adopted guards. They have no registration of their own: the guard inside has it.

use livedrop::collections::AsyncDropResult;
#[cfg(feature = "tokio")]
use livedrop::sync::AsyncDropTokioMutex;
use livedrop::sync::{AsyncDropArc, AsyncDropMutex};

use super::*;

macro_rules! wrapper {
    ($wrapper:ident, |$guard:ident| $wrap:expr) => {
        mod $wrapper {
            use super::*;

            #[test]
            fn of_a_done_guard_it_owes_nothing() {
                let log = log();
                let ((), report) = under(|reaper| {
                    let wrap = |$guard: AdoptedGuard| $wrap;
                    let mut wrapped = wrap(done(reaper, &log));
                    expect_drained(reaper);
                    assert_eq!(block_on(wrapped.async_drop()), Ok(()));
                    drop(wrapped);
                    drop(wrap(done(reaper, &log)));
                });
                assert_eq!((log.counts(), report.cleaned), ((2, 2, 2), 0));
            }

            #[test]
            fn pending_names_the_value_once() {
                let log = log();
                let ((), report) = under(|reaper| {
                    let $guard = reaper.handle().with_label("peer").adopt(checked(&log));
                    let wrapped = $wrap;
                    let pending = reaper.pending();
                    assert_eq!(pending.len(), 1);
                    assert_eq!(pending[0].type_name, "Resource");
                    assert_eq!(pending[0].label.as_deref(), Some("peer"));
                    drop(wrapped);
                    assert_eq!(reaper.pending().len(), 1);
                });
                assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
            }

            #[test]
            fn dropped_or_called_again_it_is_resumed() {
                for polls in 0..=WAITS {
                    let log = log();
                    let ((), report) = under(|reaper| {
                        let wrap = |$guard: AdoptedGuard| $wrap;
                        let mut dropped = wrap(reaper.adopt(checked(&log)));
                        cancel_after(polls, dropped.async_drop());
                        drop(dropped);
                        let mut again = wrap(reaper.adopt(checked(&log)));
                        cancel_after(polls, again.async_drop());
                        assert!(!again.is_dropped());
                        assert_eq!(run(again.async_drop()), (1 + WAITS - polls, Ok(())));
                        assert!(again.is_dropped());
                    });
                    assert_eq!((log.counts(), report.cleaned), ((2, 2, 2), 1), "{polls} polls");
                }
            }

            #[test]
            fn another_ending_leaves_it_to_the_reaper() {
                for polls in 0..2 {
                    let log = log();
                    let ((), report) = under(|reaper| {
                        let $guard = reaper.adopt(checked(&log));
                        let wrapped = $wrap;
                        cancel_after(
                            polls,
                            wrapped.async_drop_via(async |wrapped| {
                                wait(1).await;
                                drop(wrapped);
                            }),
                        );
                    });
                    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1), "{polls} polls");
                }
            }
        }
    };
}

wrapper!(arc, |guard| AsyncDropArc::new(guard));
wrapper!(mutex, |guard| AsyncDropMutex::new(guard));
#[cfg(feature = "tokio")]
wrapper!(tokio_mutex, |guard| AsyncDropTokioMutex::new(guard));
wrapper!(result, |guard| AsyncDropResult::new(Ok::<_, Failed>(guard)));
wrapper!(mutex_in_arc, |guard| AsyncDropArc::new(AsyncDropMutex::new(guard)));

#[test]
fn an_error_in_a_result_owes_nothing() {
    let ((), report) = under(|reaper| {
        drop(AsyncDropResult::<Resource, _, Adopted>::new(Err(Failed)));
        expect_drained(reaper);
    });
    assert_eq!(report.cleaned, 0);
}

#[test]
fn handles_are_not_pending() {
    let log = log();
    let ((), report) = under(|reaper| {
        let first = AsyncDropArc::new(reaper.adopt(checked(&log)));
        let second = AsyncDropArc::clone(&first);
        let third = AsyncDropArc::downgrade(&second).upgrade().unwrap();
        assert_eq!(reaper.pending().len(), 1);
        drop((first, second));
        assert_eq!((log.counts(), reaper.pending()[0].stage), ((0, 0, 0), Stage::Alive));
        drop(third);
        assert_eq!(reaper.pending()[0].stage, Stage::Orphaned);
    });
    assert_eq!((log.counts(), report.cleaned), ((1, 1, 1), 1));
}
