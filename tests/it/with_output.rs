//! The output of a body that cannot be returned, because the cleanup after the body failed or panicked.
//! If the output holds a guard, both the guard and the error are reported.

use std::convert::Infallible;
use std::sync::Arc;

use crate::support::{Ending, Failed, Log, Reports, Resource, block_on, panic_of};
use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, bracket, with_async_drop, with_async_drop_infallible};

fn guard(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(log, 1, ending))
}

/// The type of a guard in the output of a body.
struct Opened;

#[async_trait]
impl AsyncDrop for Opened {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn opened() -> AsyncDropGuard<Opened> {
    AsyncDropGuard::new(Opened)
}

#[track_caller]
fn expect_the_panic_of_the_cleanup<R>(body_and_cleanup: impl FnOnce() -> R) {
    let reports = Reports::collect_and_panic();
    assert_eq!(panic_of(body_and_cleanup), "cleanup went wrong");
    reports.expect(&["Opened was dropped without its cleanup"]);
}

#[test]
fn cleanup_panic_drops_the_outputs_guard_while_unwinding() {
    let log = Arc::<Log>::default();
    let panics = || guard(&log, Ending::Panic);
    expect_the_panic_of_the_cleanup(|| block_on(bracket(panics(), async |_| opened())));
    expect_the_panic_of_the_cleanup(|| {
        block_on(with_async_drop(panics(), async |_| Ok::<_, Failed>(opened())))
    });
    expect_the_panic_of_the_cleanup(|| {
        let a = panics();
        block_on(async { with_async_drop!(a, { Ok::<_, Failed>(opened()) }) })
    });
    assert_eq!(log.counts(), (3, 0, 3));
}

#[test]
fn one_panicking_cleanup_drops_the_outputs_guard_unwinding() {
    let log = Arc::<Log>::default();
    for endings in [[Ending::Panic, Ending::Ok], [Ending::Ok, Ending::Panic]] {
        let [a, b] = endings.map(|ending| guard(&log, ending));
        expect_the_panic_of_the_cleanup(|| {
            block_on(async { with_async_drop!(a, b, { Ok::<_, Failed>(opened()) }) })
        });
    }
    assert_eq!(log.counts(), (4, 2, 4));
}

/// Its cleanup cannot fail, but it may panic.
struct Unsure(Resource);

#[async_trait]
impl AsyncDrop for Unsure {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.0.async_drop_impl().await.expect("it panics instead");
        Ok(())
    }
}

#[test]
fn infallible_cleanup_panic_drops_the_outputs_guard_unwinding() {
    let log = Arc::<Log>::default();
    let unsure = |ending| AsyncDropGuard::new(Unsure(Resource::new(&log, 1, ending)));
    expect_the_panic_of_the_cleanup(|| {
        let a = unsure(Ending::Panic);
        block_on(async { with_async_drop_infallible!(a, { opened() }) })
    });
    expect_the_panic_of_the_cleanup(|| {
        let (a, b) = (unsure(Ending::Ok), unsure(Ending::Panic));
        block_on(async { with_async_drop_infallible!(a, b, { opened() }) })
    });
    assert_eq!(log.counts(), (3, 1, 3));
}

#[test]
fn infallible_cleanup_that_panics_drops_the_output() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let a = AsyncDropGuard::new(Unsure(Resource::new(&log, 1, Ending::Panic)));
    let output = Arc::new(());
    let text = panic_of(|| {
        block_on(async { with_async_drop_infallible!(a, { (a.0.touch(), Arc::clone(&output)) }) })
    });
    assert_eq!(text, "cleanup went wrong");
    assert_eq!((log.counts(), Arc::strong_count(&output)), ((1, 0, 1), 1));
    reports.expect_none();
}

const FORGOTTEN: &str = "Forgot to call async_drop on Opened";
const ERROR: &str = "cleanup of Resource failed as well: Failed";

#[track_caller]
fn expect_both_to_be_told<R>(body_and_cleanup: impl FnOnce() -> R) {
    let reports = Reports::collect_and_panic();
    let text = panic_of(body_and_cleanup);
    assert!(text.starts_with(FORGOTTEN), "{text}");
    reports.expect(&[FORGOTTEN, ERROR]);
}

#[test]
fn cleanup_error_is_reported_if_output_drop_panics() {
    let log = Arc::<Log>::default();
    let fails = || guard(&log, Ending::Err);
    expect_both_to_be_told(|| {
        block_on(with_async_drop(fails(), async |_| Ok::<_, Failed>(opened())))
    });
    expect_both_to_be_told(|| {
        let a = fails();
        block_on(async { with_async_drop!(a, { Ok::<_, Failed>(opened()) }) })
    });
    expect_both_to_be_told(|| {
        let a = fails();
        block_on(async { with_async_drop!(a, { Ok::<_, Failed>(opened()) }, |error| error) })
    });
    for endings in [[Ending::Err, Ending::Ok], [Ending::Ok, Ending::Err]] {
        let [a, b] = endings.map(|ending| guard(&log, ending));
        expect_both_to_be_told(|| {
            block_on(async { with_async_drop!(a, b, { Ok::<_, Failed>(opened()) }) })
        });
    }
    assert_eq!(log.counts(), (7, 7, 7));
}

#[test]
fn all_errors_are_reported_if_output_drop_panics() {
    let log = Arc::<Log>::default();
    let (a, b) = (guard(&log, Ending::Err), guard(&log, Ending::Err));
    let reports = Reports::collect_and_panic();
    let text =
        panic_of(|| block_on(async { with_async_drop!(a, b, { Ok::<_, Failed>(opened()) }) }));
    assert!(text.starts_with(FORGOTTEN), "{text}");
    reports.expect(&[FORGOTTEN, ERROR, ERROR]);
}

#[test]
fn error_beside_a_panic_is_reported() {
    for endings in [[Ending::Panic, Ending::Err], [Ending::Err, Ending::Panic]] {
        let (log, reports) = (Arc::<Log>::default(), Reports::collect_and_panic());
        let [a, b] = endings.map(|ending| guard(&log, ending));
        let text =
            panic_of(|| block_on(async { with_async_drop!(a, b, { Ok::<_, Failed>(opened()) }) }));
        assert_eq!(text, "cleanup went wrong");
        reports.expect(&[ERROR, "Opened was dropped without its cleanup"]);
    }
}

#[test]
fn all_but_the_first_panic_are_reported() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let [a, b] = [Ending::Panic; 2].map(|ending| guard(&log, ending));
    let text = panic_of(|| {
        block_on(async {
            with_async_drop!(a, b, {
                assert!(a.touch() + b.touch() == 0, "body");
                Ok::<_, Failed>(())
            })
        })
    });
    assert_eq!(text, "body");
    reports.expect(&["cleanup of Resource failed as well: panicked: cleanup went wrong"; 2]);
}

/// Panics in its `Drop`, unless the thread already panics.
#[derive(Debug)]
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "in drop");
    }
}

struct FailsWithPanickingError;

#[async_trait]
impl AsyncDrop for FailsWithPanickingError {
    type Error = PanicsInDrop;

    async fn async_drop_impl(&mut self) -> Result<(), PanicsInDrop> {
        Err(PanicsInDrop)
    }
}

#[test]
fn body_panic_survives_a_panicking_error_drop() {
    let reports = Reports::collect();
    let text = panic_of(|| {
        let guard = AsyncDropGuard::new(FailsWithPanickingError);
        block_on(with_async_drop(guard, async |_| -> Result<(), PanicsInDrop> { panic!("body") }))
    });
    assert_eq!(text, "body");
    reports.expect_one("cleanup of FailsWithPanickingError failed as well: PanicsInDrop");
}
