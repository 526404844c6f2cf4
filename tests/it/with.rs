//! The functions and macros that clean up after a body.

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;

use crate::support::{
    Ending, Failed, Log, Reports, Resource, block_on, cancel_after, panic_of, run, wait,
};
use async_trait::async_trait;
use livedrop::{
    AsyncDrop, AsyncDropGuard, Live, bracket, with_async_drop, with_async_drop_2,
    with_async_drop_2_infallible, with_async_drop_infallible,
};

fn checked(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource> {
    AsyncDropGuard::new(Resource::new(log, 3, ending))
}

fn live(log: &Arc<Log>, ending: Ending) -> AsyncDropGuard<Resource, Live> {
    AsyncDropGuard::live(Resource::new(log, 3, ending))
}

#[derive(Debug, PartialEq)]
enum Error {
    Parse,
    Close(u8),
}

impl From<std::num::ParseIntError> for Error {
    fn from(_: std::num::ParseIntError) -> Self {
        Error::Parse
    }
}

impl From<Failed> for Error {
    fn from(Failed: Failed) -> Self {
        Error::Close(0)
    }
}

#[test]
fn bodies_borrow_and_use_question_marks() {
    let log = Arc::<Log>::default();
    let mut seen = Vec::new();
    let text = "12".to_owned();
    let result: Result<usize, Error> =
        block_on(with_async_drop(checked(&log, Ending::Ok), async |r| {
            let number: usize = text.parse()?;
            seen.push(number);
            r.waits = 1;
            Ok(number + r.touch())
        }));
    assert_eq!(result, Ok(13));
    let result = block_on(with_async_drop(live(&log, Ending::Ok), async |_| {
        Ok::<usize, Error>("x".parse::<usize>()?)
    }));
    assert_eq!(result, Err(Error::Parse));
    assert_eq!(seen, [12]);
    assert_eq!(log.counts(), (2, 2, 2));
}

#[test]
fn cleanup_errors_are_converted() {
    let log = Arc::<Log>::default();
    let result: Result<(), Error> =
        block_on(with_async_drop(checked(&log, Ending::Err), async |_| Ok(())));
    assert_eq!(result, Err(Error::Close(0)));
}

#[test]
fn bracket_gives_both_results() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let both = block_on(bracket(live(&log, Ending::Err), async |r| r.touch()));
    assert_eq!(both, (3, Err(Failed)));
    let both = block_on(bracket(checked(&log, Ending::Err), async |_| Err::<(), _>("body")));
    assert_eq!(both, (Err("body"), Err(Failed)));
    reports.expect_none();
}

#[test]
fn bracket_returns_the_bodys_guard_if_cleanup_fails() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let (inner, outer) =
        block_on(bracket(checked(&log, Ending::Err), async |_| live(&log, Ending::Ok)));
    assert_eq!(outer, Err(Failed));
    assert_eq!(block_on(inner.async_drop()).result, Ok(()));
    reports.expect_none();
}

/// The call of the body panics, before it returns a future.
struct NoFuture;

#[test]
fn panic_in_the_bodys_call_is_cleaned_up() {
    fn no_future(_: &mut Resource) -> std::future::Ready<Result<(), Failed>> {
        std::panic::panic_any(NoFuture)
    }
    let log = Arc::<Log>::default();
    let guard = checked(&log, Ending::Ok);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        block_on(with_async_drop(guard, no_future))
    }));
    assert!(caught.unwrap_err().is::<NoFuture>(), "the payload is handed on as it is");
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn guard_cleaned_up_before_is_refused() {
    let log = Arc::<Log>::default();
    let mut guard = checked(&log, Ending::Ok);
    block_on(guard.async_drop()).unwrap();
    let text = panic_of(|| bracket(guard, async |_| ()));
    assert!(text.starts_with("used Resource after its cleanup"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_in_a_spawned_task() {
    let log = Arc::<Log>::default();
    let (first, second) = (checked(&log, Ending::Ok), live(&log, Ending::Ok));
    let third = live(&log, Ending::Ok);
    let spawned = tokio::spawn(async move {
        let text = "some text".to_owned();
        let a = with_async_drop(first, async |r| {
            tokio::task::yield_now().await;
            Ok::<_, Failed>(r.touch() + text.len())
        })
        .await?;
        let b = with_async_drop!(second, third, {
            tokio::task::yield_now().await;
            Ok::<_, Failed>(second.touch() + third.touch())
        })?;
        Ok::<_, Failed>(a + b)
    });
    assert_eq!(spawned.await.unwrap(), Ok(18));
    assert_eq!(log.counts(), (3, 3, 3));
}

#[test]
fn the_macro_takes_several_guards_in_any_state() {
    let log = Arc::<Log>::default();
    let (a, b, c) = (checked(&log, Ending::Ok), live(&log, Ending::Ok), checked(&log, Ending::Ok));
    let sum: Result<usize, Failed> = block_on(async {
        with_async_drop!(a, b, c, {
            c.waits = 1;
            wait(1).await;
            Ok(a.touch() + b.touch() + c.touch())
        })
    });
    assert_eq!(sum, Ok(7));
    assert_eq!(log.counts(), (3, 3, 3));
}

#[test]
fn the_macro_cleans_up_concurrently() {
    let log = Arc::<Log>::default();
    let (a, b, c) = (checked(&log, Ending::Ok), live(&log, Ending::Ok), checked(&log, Ending::Ok));
    let (polls, result) = run(async { with_async_drop!(a, b, c, { Ok::<_, Failed>(()) }) });
    assert_eq!((polls, result), (4, Ok(())), "as many polls as one of them needs");
}

#[test]
fn macro_cleans_the_rest_and_reports_later_errors() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let (a, b, c) = (checked(&log, Ending::Ok), live(&log, Ending::Err), live(&log, Ending::Err));
    let result: Result<(), Failed> = block_on(async { with_async_drop!(a, b, c, { Ok(()) }) });
    assert_eq!(result, Err(Failed));
    reports.expect_one("cleanup of Resource failed as well: Failed");
    assert_eq!(log.counts(), (3, 3, 3));
}

#[test]
fn guard_cleaned_in_the_block_is_not_repeated() {
    let log = Arc::<Log>::default();
    let guard = checked(&log, Ending::Err);
    let result = block_on(async {
        with_async_drop!(guard, {
            assert_eq!(guard.async_drop().await, Err(Failed));
            Ok::<_, Failed>(guard.is_dropped())
        })
    });
    assert_eq!(result, Ok(true));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn macro_cleans_the_rest_after_a_panicking_cleanup() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let (a, b, c) = (live(&log, Ending::Panic), live(&log, Ending::Ok), live(&log, Ending::Err));
    let text = panic_of(|| block_on(async { with_async_drop!(a, b, c, { Ok::<_, Failed>(()) }) }));
    assert_eq!(text, "cleanup went wrong");
    reports.expect_one("cleanup of Resource failed as well: Failed");
    assert_eq!(log.counts(), (3, 2, 3));
}

#[test]
fn the_macro_maps_errors() {
    let log = Arc::<Log>::default();
    let (a, b) = (checked(&log, Ending::Err), live(&log, Ending::Ok));
    let result = block_on(async { with_async_drop!(a, b, { Ok(1) }, |Failed| Error::Close(9)) });
    assert_eq!(result, Err(Error::Close(9)));
    let a = checked(&log, Ending::Ok);
    let result: Result<u32, Error> = block_on(async {
        with_async_drop!(a, { Ok("x".parse::<u32>()?) }, |Failed| Error::Close(9))
    });
    assert_eq!(result, Err(Error::Parse));
}

#[test]
fn return_in_the_block_ends_the_block_only() {
    let log = Arc::<Log>::default();
    let a = checked(&log, Ending::Ok);
    let after = Cell::new(false);
    let result: Result<u8, Failed> = block_on(async {
        let result = with_async_drop!(a, {
            if a.touch() == 3 {
                return Ok(1);
            }
            Ok(2)
        });
        after.set(true);
        result
    });
    assert_eq!((result, after.get()), (Ok(1), true));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[test]
fn each_guard_may_map_its_own_error() {
    let closed = |first: Ending, second: Ending, third: Ending| {
        let (log, reports) = (Arc::<Log>::default(), Reports::collect());
        let (a, b, c) = (checked(&log, first), live(&log, second), checked(&log, third));
        let result: Result<(), Error> = block_on(async {
            with_async_drop!(a.map_err(|_| Error::Close(1)), b, c.map_err(third_close), { Ok(()) })
        });
        assert_eq!(log.counts(), (3, 3, 3));
        (result.unwrap_err(), reports.take().len())
    };
    assert_eq!(closed(Ending::Err, Ending::Err, Ending::Err), (Error::Close(1), 2));
    assert_eq!(closed(Ending::Ok, Ending::Err, Ending::Err), (Error::Close(0), 1));
    assert_eq!(closed(Ending::Ok, Ending::Ok, Ending::Err), (Error::Close(3), 0));
}

fn third_close(_: Failed) -> Error {
    Error::Close(3)
}

#[test]
fn own_mapping_counts_before_the_common_one() {
    for (first, second, expected) in
        [(Ending::Err, Ending::Ok, Error::Close(1)), (Ending::Ok, Ending::Err, Error::Close(2))]
    {
        let log = Arc::<Log>::default();
        let (a, b) = (checked(&log, first), live(&log, second));
        let result: Result<(), Error> = block_on(async {
            with_async_drop_2!(a.map_err(|_| Error::Close(1)), b, { Ok(()) }, |_| Error::Close(2))
        });
        assert_eq!(result, Err(expected));
    }
}

#[test]
fn numbered_macro_names_do_the_same() {
    let log = Arc::<Log>::default();
    let resource = checked(&log, Ending::Ok);
    let result: Result<usize, Failed> = block_on(async {
        with_async_drop_2!(resource, {
            wait(1).await;
            Ok(resource.touch())
        })
    });
    assert_eq!(result, Ok(3));
    let resource = checked(&log, Ending::Err);
    let result: Result<(), Error> =
        block_on(async { with_async_drop_2!(resource, { Ok(()) }, |Failed| Error::Close(1)) });
    assert_eq!(result, Err(Error::Close(1)));
    assert_eq!(log.counts(), (2, 2, 2));
}

/// Its cleanup cannot fail.
struct Sure(Resource);

#[async_trait]
impl AsyncDrop for Sure {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        let _ = self.0.async_drop_impl().await;
        Ok(())
    }
}

#[test]
fn infallible_bodies_return_anything() {
    let log = Arc::<Log>::default();
    let sure = || AsyncDropGuard::live(Sure(Resource::plain(&log)));
    let (a, b) = (sure(), sure());
    let sum = block_on(async { with_async_drop_infallible!(a, b, { a.0.touch() + b.0.touch() }) });
    assert_eq!(sum, 6);
    let a = sure();
    assert_eq!(block_on(async { with_async_drop_2_infallible!(a, { a.0.touch() }) }), 3);
    assert_eq!(log.counts(), (3, 3, 3));
}

mod never {
    /// An enum without variants, as some crates have one of their own.
    #[derive(Debug)]
    pub(super) enum Never {}
}

/// Its error has no values, and is not `Infallible`.
struct Certain(usize);

#[async_trait]
impl AsyncDrop for Certain {
    type Error = never::Never;

    async fn async_drop_impl(&mut self) -> Result<(), never::Never> {
        Ok(())
    }
}

#[test]
fn any_empty_enum_is_infallible() {
    let (log, certain) = (Arc::<Log>::default(), AsyncDropGuard::new(Certain(4)));
    let sure = AsyncDropGuard::live(Sure(Resource::plain(&log)));
    let sum = block_on(async {
        with_async_drop_infallible!(certain, sure, { certain.0 + sure.0.touch() })
    });
    assert_eq!(sum, 7);
    let certain = AsyncDropGuard::live(Certain(5));
    assert_eq!(block_on(async { with_async_drop_2_infallible!(certain, { certain.0 }) }), 5);
}

#[test]
fn infallible_cleans_up_and_resumes_the_panic() {
    let (log, reports) = (Arc::<Log>::default(), Reports::collect());
    let a = AsyncDropGuard::new(Sure(Resource::plain(&log)));
    let text = panic_of(|| {
        block_on(async {
            with_async_drop_infallible!(a, {
                assert!(a.0.touch() != 3, "body");
            });
        });
    });
    assert_eq!(text, "body");
    assert_eq!(log.counts(), (1, 1, 1));
    reports.expect_none();
}

#[test]
fn cancelled_body_reports_all_its_guards() {
    for polls in 1..4 {
        let (log, reports) = (Arc::<Log>::default(), Reports::collect());
        let (a, b) = (checked(&log, Ending::Ok), live(&log, Ending::Ok));
        let future = async {
            with_async_drop!(a, b, {
                wait(3).await;
                Ok::<_, Failed>(())
            })
        };
        cancel_after(polls, future);
        let texts = reports.take();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(texts.iter().all(|text| text.starts_with("the body was cancelled")), "{texts:?}");
        assert_eq!(log.counts(), (0, 0, 2));
    }
}
