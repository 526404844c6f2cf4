//! Enums: the fields of the active variant are cleaned up.

use livedrop::{AsyncDrop, AsyncDropGuard, CleanupErrors};

use super::{AnyError, Diary, Other, Part, clean};
use crate::support::Ending;

/// At most one guard at a time: its error is the error of the enum.
#[derive(AsyncDrop)]
enum Link {
    Open(AsyncDropGuard<Part>),
    Named { retries: u8, part: Option<AsyncDropGuard<Part>> },
    Closed,
}

#[test]
fn the_active_variant_is_cleaned_up() {
    let diary = Diary::default();
    clean(Link::Open(diary.guard("a"))).unwrap();
    assert_eq!(diary.read(), "+a -a ~a");
    let named = Link::Named { retries: 1, part: Some(diary.ending("b", 0, Ending::Err)) };
    assert!(matches!(named, Link::Named { retries: 1, .. }));
    assert_eq!(clean(named), Err("b"));
    assert_eq!(diary.read(), "+b -b ~b");
    assert_eq!(clean(Link::Closed), Ok(()));
}

#[derive(AsyncDrop)]
enum Several {
    Two(AsyncDropGuard<Part>, &'static str, AsyncDropGuard<Part>),
    Many { all: Vec<AsyncDropGuard<Part>> },
    None(),
    Nothing {},
}

#[test]
fn a_variant_with_several_has_all_their_errors() {
    let diary = Diary::default();
    let failing = |name| diary.ending(name, 0, Ending::Err);
    let two = Several::Two(failing("a"), "plain", failing("b"));
    assert!(matches!(two, Several::Two(_, "plain", _)));
    let errors: CleanupErrors<&str> = clean(two).unwrap_err();
    assert_eq!(errors.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    let errors = clean(Several::Many { all: vec![failing("c"), failing("d")] }).unwrap_err();
    assert_eq!(errors.into_iter().collect::<Vec<_>>(), ["c", "d"]);
    clean(Several::None()).unwrap();
    clean(Several::Nothing {}).unwrap();
}

#[derive(AsyncDrop)]
#[async_drop(error = AnyError)]
enum Either<A, B> {
    Left(AsyncDropGuard<A>),
    Right(AsyncDropGuard<B>),
}

#[test]
fn a_generic_enum_with_an_error_by_name() {
    let diary = Diary::default();
    let left = Either::<Part, Other>::Left(diary.ending("a", 0, Ending::Err));
    assert_eq!(clean(left), Err(AnyError::Part("a")));
    let right = Either::<Part, Other>::Right(AsyncDropGuard::new(Other(Err(7))));
    assert_eq!(clean(right), Err(AnyError::Other(7)));
}
