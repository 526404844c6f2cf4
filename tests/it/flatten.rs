//! `flatten_async_drop`: returns both guards, or cleans up and loses no error.

use std::sync::Arc;

use crate::numbered::{Row, Tested, clean};
use crate::support::{Ending, Log, Reports, Resource, block_on, cancel_after, panic_of, run};
use livedrop::{AsyncDropGuard, flatten_async_drop};

#[derive(Debug, PartialEq)]
enum Error {
    First(First),
    Second(Second),
}

#[derive(Debug, PartialEq)]
struct First;

#[derive(Debug, PartialEq)]
struct Second;

impl From<First> for Error {
    fn from(error: First) -> Self {
        Error::First(error)
    }
}

impl From<Second> for Error {
    fn from(error: Second) -> Self {
        Error::Second(error)
    }
}

in_both_states! {
    type Guard = livedrop::AsyncDropGuard<crate::numbered::Numbered, S>;

    fn guard(row: &mut Row, waits: usize, ending: Ending) -> Guard {
        S::guard(row.value(waits, ending))
    }

    async fn flatten(
        first: Result<Guard, First>,
        second: Result<Guard, Second>,
    ) -> Result<(Guard, Guard), Error> {
        flatten_async_drop(first, second).await
    }

    #[test]
    fn both_guards_are_handed_out() {
        let mut row = Row::default();
        let (first, second) = (guard(&mut row, 1, Ending::Ok), guard(&mut row, 1, Ending::Ok));
        let (first, second) = block_on(flatten(Ok(first), Ok(second))).unwrap();
        assert_eq!((first.number, second.number), (0, 1));
        assert_eq!(row.counts(), [(0, 0, 0); 2]);
        clean(first).unwrap();
        clean(second).unwrap();
    }

    #[test]
    fn first_failed_and_the_second_is_cleaned() {
        let (reports, mut row) = (Reports::collect(), Row::default());
        let second = guard(&mut row, 2, Ending::Ok);
        let error = block_on(flatten(Err(First), Ok(second))).unwrap_err();
        assert_eq!(error, Error::First(First));
        row.expect_cleaned_once();
        reports.expect_none();
    }

    #[test]
    fn second_failed_and_the_first_is_cleaned() {
        let (reports, mut row) = (Reports::collect(), Row::default());
        let first = guard(&mut row, 2, Ending::Ok);
        let error = block_on(flatten(Ok(first), Err(Second))).unwrap_err();
        assert_eq!(error, Error::Second(Second));
        row.expect_cleaned_once();
        reports.expect_none();
    }

    #[test]
    fn both_failed_and_the_hook_gets_the_second() {
        let reports = Reports::collect();
        assert_eq!(block_on(flatten(Err(First), Err(Second))).unwrap_err(), Error::First(First));
        reports.expect_one("cleanup of Numbered failed as well: there is nothing to clean up: Second");
    }

    #[test]
    fn cleanup_fails_and_the_hook_gets_its_error() {
        let (reports, mut row) = (Reports::collect(), Row::default());
        let first = guard(&mut row, 2, Ending::Err);
        assert_eq!(block_on(flatten(Ok(first), Err(Second))).unwrap_err(), Error::Second(Second));
        reports.expect_one("cleanup of Numbered failed as well: 0");
        let second = guard(&mut row, 2, Ending::Err);
        assert_eq!(block_on(flatten(Err(First), Ok(second))).unwrap_err(), Error::First(First));
        reports.expect_one("cleanup of Numbered failed as well: 1");
        row.expect_cleaned_once();
    }

    #[test]
    fn cleanup_panics_and_the_hook_gets_the_error() {
        let (reports, mut row) = (Reports::collect(), Row::default());
        let first = guard(&mut row, 2, Ending::Panic);
        assert_eq!(panic_of(|| block_on(flatten(Ok(first), Err(Second)))), "0 went wrong");
        reports.expect_one("cleanup of Numbered failed as well: there is nothing to clean up: Second");
        row.expect_cleaned_once();
    }

    #[test]
    fn cancelled_reports_the_lost_guard_and_error() {
        let mut row = Row::default();
        let first = guard(&mut row, 3, Ending::Ok);
        assert_eq!(run(flatten(Ok(first), Err(Second))).0, 4);
        for polls in 0..4 {
            let mut row = Row::default();
            let first = guard(&mut row, 3, Ending::Ok);
            let reports = Reports::collect();
            cancel_after(polls, flatten(Ok(first), Err(Second)));
            match polls {
                0 => reports.expect_one("Forgot to call async_drop on Numbered"),
                _ => reports.expect(&[
                    "async_drop on Numbered was cancelled",
                    "cleanup of Numbered failed as well: there is nothing to clean up: Second",
                ]),
            }
            assert_eq!(row.counts(), [(usize::from(polls > 0), 0, 1)]);
        }
    }

    #[test]
    fn five_type_arguments_name_the_error() {
        let (mut row, reports) = (Row::default(), Reports::collect());
        let first = Ok::<_, First>(guard(&mut row, 1, Ending::Ok));
        let second = Err::<Guard, _>(Second);
        let both = block_on(flatten_async_drop::<Error, _, _, _, _>(first, second));
        assert_eq!(both.unwrap_err(), Error::Second(Second));
        row.expect_cleaned_once();
        reports.expect_none();
    }

    #[test]
    fn future_is_send() {
        fn send<T: Send>(value: T) -> T {
            value
        }
        assert!(block_on(send(flatten(Err(First), Err(Second)))).is_err());
    }
}

#[test]
fn guards_may_be_in_different_states() {
    let log = Arc::<Log>::default();
    let live = || Ok::<_, First>(AsyncDropGuard::live(Resource::plain(&log)));
    let checked = || Ok::<_, First>(AsyncDropGuard::new(Resource::plain(&log)));
    let both = block_on(flatten_async_drop::<Error, _, _, _, _>(live(), checked()));
    let (first, mut second) = both.unwrap();
    block_on(first.async_drop()).result.unwrap();
    block_on(second.async_drop()).unwrap();
    let failed = Err::<AsyncDropGuard<Resource>, _>(Second);
    let error = block_on(flatten_async_drop::<Error, _, _, _, _>(live(), failed)).unwrap_err();
    assert_eq!(error, Error::Second(Second));
    assert_eq!(log.counts(), (3, 3, 3));
}
