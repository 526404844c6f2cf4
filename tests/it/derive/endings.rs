//! Errors and panics of fields, alone and together.

use std::cell::Cell;
use std::rc::Rc;

use livedrop::{AsyncDrop, AsyncDropGuard, CleanupErrors, hook};

use super::{AnyError, Diary, Other, Part, clean};
use crate::support::{Ending, Reports, block_on, panic_of, run};

#[derive(AsyncDrop)]
struct InOrder {
    a: AsyncDropGuard<Part>,
    b: Option<AsyncDropGuard<Part>>,
    c: AsyncDropGuard<Part>,
}

#[derive(AsyncDrop)]
#[async_drop(concurrent)]
struct AtOnce {
    a: AsyncDropGuard<Part>,
    b: Option<AsyncDropGuard<Part>>,
    c: AsyncDropGuard<Part>,
}

fn in_order(diary: &Diary, [a, b, c]: [Ending; 3]) -> AsyncDropGuard<InOrder> {
    let part = |name, ending| diary.ending(name, 1, ending);
    AsyncDropGuard::new(InOrder { a: part("a", a), b: Some(part("b", b)), c: part("c", c) })
}

fn at_once(diary: &Diary, [a, b, c]: [Ending; 3]) -> AsyncDropGuard<AtOnce> {
    let part = |name, ending| diary.ending(name, 1, ending);
    AsyncDropGuard::new(AtOnce { a: part("a", a), b: Some(part("b", b)), c: part("c", c) })
}

#[test]
fn every_field_is_cleaned_up_if_one_fails() {
    let diary = Diary::default();
    let mut guard = in_order(&diary, [Ending::Err, Ending::Ok, Ending::Err]);
    let (polls, result) = run(guard.async_drop());
    assert_eq!(result.unwrap_err().into_iter().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(diary.read(), "+a -a ~a +b -b ~b +c -c ~c");
    assert_eq!(polls, 4, "one after the other");
}

#[test]
fn concurrent_fields_wait_together_and_keep_all_errors() {
    let diary = Diary::default();
    let mut guard = at_once(&diary, [Ending::Err, Ending::Ok, Ending::Err]);
    let (polls, result) = run(guard.async_drop());
    assert_eq!(result.unwrap_err().into_iter().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(diary.read(), "+a +b +c -a ~a -b ~b -c ~c");
    assert_eq!(polls, 2);
}

#[test]
fn first_panic_resumes_after_the_others_are_cleaned() {
    let endings = [Ending::Err, Ending::Panic, Ending::Panic];
    let (diary, reports) = (Diary::default(), Reports::collect());
    let mut guard = in_order(&diary, endings);
    assert_eq!(panic_of(|| block_on(guard.async_drop())), "b went wrong");
    assert!(guard.is_dropped());
    assert_eq!(diary.read(), "+a -a ~a +b ~b +c ~c");
    assert_eq!(
        reports.take(),
        [
            "cleanup of InOrder failed as well: panicked: c went wrong",
            "cleanup of InOrder failed as well: \"a\"",
        ]
    );
    let mut guard = at_once(&diary, endings);
    assert_eq!(panic_of(|| block_on(guard.async_drop())), "b went wrong");
    assert_eq!(diary.read(), "+a +b +c -a ~a ~b ~c");
    assert_eq!(reports.take().len(), 2);
}

#[test]
fn panic_in_a_vector_counts_as_a_fields() {
    #[derive(AsyncDrop)]
    struct Pool {
        all: Vec<AsyncDropGuard<Part>>,
        last: AsyncDropGuard<Part>,
    }
    let diary = Diary::default();
    let all = vec![diary.ending("a", 0, Ending::Panic), diary.guard("b")];
    let mut guard = AsyncDropGuard::new(Pool { all, last: diary.guard("c") });
    assert_eq!(panic_of(|| block_on(guard.async_drop())), "a went wrong");
    assert_eq!(diary.read(), "+a ~a +b -b ~b +c -c ~c");
}

#[test]
fn named_error_converts_the_error_of_every_field() {
    #[derive(AsyncDrop)]
    #[async_drop(concurrent, error = AnyError)]
    struct Service {
        part: AsyncDropGuard<Part>,
        others: Vec<AsyncDropGuard<Other>>,
    }
    let diary = Diary::default();
    let others = vec![AsyncDropGuard::new(Other(Err(1))), AsyncDropGuard::new(Other(Err(2)))];
    let service = Service { part: diary.ending("a", 0, Ending::Err), others };
    let errors: CleanupErrors<AnyError> =
        block_on(AsyncDropGuard::new(service).async_drop()).unwrap_err();
    let errors: Vec<_> = errors.into_iter().collect();
    assert_eq!(errors, [AnyError::Part("a"), AnyError::Other(1), AnyError::Other(2)]);
}

#[test]
fn one_field_with_a_named_error() {
    #[derive(AsyncDrop)]
    #[async_drop(error = AnyError)]
    struct Client {
        part: AsyncDropGuard<Part>,
    }
    let client = Client { part: Diary::default().ending("a", 0, Ending::Err) };
    assert_eq!(block_on(AsyncDropGuard::new(client).async_drop()), Err(AnyError::Part("a")));
}

/// `From` is user code and may panic. The other fields are still cleaned up.
#[test]
fn panic_in_an_error_conversion_stops_no_cleanup() {
    #[derive(Debug)]
    struct Picky;
    impl From<&'static str> for Picky {
        fn from(name: &'static str) -> Self {
            panic!("no {name}, please")
        }
    }
    #[derive(AsyncDrop)]
    #[async_drop(error = Picky)]
    struct Two {
        all: Vec<AsyncDropGuard<Part>>,
        a: AsyncDropGuard<Part>,
        b: AsyncDropGuard<Part>,
    }
    let (diary, reports) = (Diary::default(), Reports::collect());
    let (a, b) = (diary.ending("a", 0, Ending::Err), diary.guard("b"));
    let all = ["v", "w"].map(|name| diary.ending(name, 0, Ending::Err)).into();
    let mut guard = AsyncDropGuard::new(Two { all, a, b });
    assert_eq!(panic_of(|| block_on(guard.async_drop())), "no v, please");
    assert_eq!(diary.read(), "+v -v ~v +w -w ~w +a -a ~a +b -b ~b");
    reports.expect(&[
        "cleanup of Two failed as well: panicked: no w, please",
        "cleanup of Two failed as well: panicked: no a, please",
    ]);
}

/// An empty or cleaned up field adds no error.
#[test]
fn fields_cleaned_up_before_are_skipped() {
    let diary = Diary::default();
    let mut guard = in_order(&diary, [Ending::Err; 3]);
    assert!(block_on(guard.a.async_drop()).is_err());
    guard.b = None.or_else(|| {
        let mut taken = guard.b.take()?;
        block_on(taken.async_drop()).unwrap_err();
        None
    });
    let errors = block_on(guard.async_drop()).unwrap_err();
    assert_eq!(errors.into_iter().collect::<Vec<_>>(), ["c"]);
}

#[derive(AsyncDrop)]
#[async_drop(error = AnyError, first)]
struct First {
    all: Vec<AsyncDropGuard<Part>>,
    other: AsyncDropGuard<Other>,
    last: AsyncDropGuard<Part>,
}

impl First {
    fn new(
        diary: &Diary,
        [a, b, last]: [Ending; 3],
        other: Result<(), u8>,
    ) -> AsyncDropGuard<Self> {
        let part = |name, ending| diary.ending(name, 0, ending);
        let all = vec![part("a", a), part("b", b)];
        let other = AsyncDropGuard::new(Other(other));
        AsyncDropGuard::new(Self { all, other, last: part("last", last) })
    }
}

#[test]
fn with_first_the_other_errors_go_to_the_hook() {
    let (diary, reports) = (Diary::default(), Reports::collect());
    let mut guard = First::new(&diary, [Ending::Ok, Ending::Err, Ending::Err], Err(3));
    let result: Result<(), AnyError> = block_on(guard.async_drop());
    assert_eq!(result, Err(AnyError::Part("b")));
    assert_eq!(
        reports.take(),
        [
            "cleanup of First failed as well: Other(3)",
            "cleanup of First failed as well: Part(\"last\")",
        ]
    );
    let mut guard = First::new(&diary, [Ending::Ok; 3], Ok(()));
    assert_eq!(block_on(guard.async_drop()), Ok(()));
    let mut guard = First::new(&diary, [Ending::Ok; 3], Err(4));
    assert_eq!(block_on(guard.async_drop()), Err(AnyError::Other(4)));
    let mut guard = First::new(&diary, [Ending::Err, Ending::Ok, Ending::Panic], Ok(()));
    assert_eq!(panic_of(|| block_on(guard.async_drop())), "last went wrong");
    assert_eq!(reports.take(), ["cleanup of First failed as well: Part(\"a\")"]);
}

/// The first error is not lost: it goes to the hook as well.
#[test]
fn with_first_a_panicking_hook_gets_all_errors() {
    let diary = Diary::default();
    let seen = Rc::new(Cell::new(0));
    let counted = Rc::clone(&seen);
    let _hook = hook::scoped(move |_| {
        counted.set(counted.get() + 1);
        panic!("in the hook");
    });
    let mut guard = First::new(&diary, [Ending::Err, Ending::Err, Ending::Ok], Err(3));
    assert_eq!(panic_of(|| block_on(guard.async_drop())), "in the hook");
    assert_eq!(seen.get(), 3);
}

/// `map_err` names a function or a variant, and needs no `From`.
#[test]
fn map_err_converts_the_error_of_a_field() {
    #[derive(Debug, PartialEq)]
    enum Mapped {
        Part(&'static str),
        Other(u8),
        Doubled(u8),
    }
    impl Mapped {
        fn doubled(error: u8) -> Self {
            Self::Doubled(error * 2)
        }
    }
    #[derive(AsyncDrop)]
    #[async_drop(error = Mapped)]
    struct Several<T> {
        #[async_drop(map_err = Mapped::Part)]
        all: Vec<AsyncDropGuard<Part>>,
        #[async_drop(map_err = Mapped::doubled)]
        guard: AsyncDropGuard<Other>,
        #[async_drop(map_err = Mapped::Other)]
        marked: Other,
        #[async_drop(skip)]
        plain: T,
    }
    #[derive(AsyncDrop)]
    #[async_drop(error = Mapped)]
    enum Single {
        Guard(#[async_drop(map_err = Mapped::doubled)] AsyncDropGuard<Other>),
    }
    #[derive(AsyncDrop)]
    #[async_drop(first)]
    struct ErrorOfTheSecond {
        #[async_drop(map_err = u8::from)]
        part: AsyncDropGuard<Flag>,
        other: AsyncDropGuard<Other>,
    }
    struct Flag;
    #[livedrop::unboxed]
    impl AsyncDrop for Flag {
        type Error = bool;
        async fn async_drop_impl(&mut self) -> Result<(), bool> {
            Err(true)
        }
    }
    let diary = Diary::default();
    let part = |name| diary.ending(name, 0, Ending::Err);
    let other = |number| AsyncDropGuard::new(Other(Err(number)));
    let several = Several {
        all: vec![part("a"), part("b")],
        guard: other(3),
        marked: Other(Err(4)),
        plain: 5,
    };
    assert_eq!(several.plain, 5);
    let errors: Vec<Mapped> = clean(several).unwrap_err().into_iter().collect();
    let expected = [Mapped::Part("a"), Mapped::Part("b"), Mapped::Doubled(6), Mapped::Other(4)];
    assert_eq!(errors, expected);
    assert_eq!(clean(Single::Guard(other(3))), Err(Mapped::Doubled(6)));
    let reports = Reports::collect();
    let second = ErrorOfTheSecond { part: AsyncDropGuard::new(Flag), other: other(7) };
    assert_eq!(clean(second), Err(1));
    assert_eq!(reports.take().len(), 1);
}
