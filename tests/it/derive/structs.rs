//! Every kind of struct, and every kind of field.

use std::marker::PhantomData;

use livedrop::collections::AsyncDropVec;
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, CleanupErrors, Dropped, Live, Reaper};

use super::{Diary, Part, clean};
use crate::support::{Ending, block_on};

fn has_error<T: AsyncDrop<Error = E>, E>(_: &T) {}

#[test]
fn named_fields_in_the_order_of_their_declaration() {
    #[derive(AsyncDrop)]
    struct Service {
        name: String,
        database: AsyncDropGuard<Part>,
        cache: AsyncDropGuard<Part>,
    }
    let diary = Diary::default();
    let (cache, database) = (diary.guard("cache"), diary.guard("database"));
    let service = Service { name: "s".into(), database, cache };
    has_error::<_, CleanupErrors<&str>>(&service);
    assert_eq!(service.name, "s");
    clean(service).unwrap();
    assert_eq!(diary.read(), "+database -database ~database +cache -cache ~cache");
}

#[test]
fn one_field_has_its_own_error() {
    #[derive(AsyncDrop)]
    struct Client(u8, AsyncDropGuard<Part>);
    let diary = Diary::default();
    let client = Client(1, diary.ending("a", 1, Ending::Err));
    assert_eq!(client.0, 1);
    assert_eq!(clean(client), Err("a"));
}

#[test]
fn a_tuple_of_several() {
    #[derive(AsyncDrop)]
    struct Pair(AsyncDropGuard<Part>, u8, AsyncDropGuard<Part>);
    let diary = Diary::default();
    let pair = Pair(diary.guard("a"), 2, diary.guard("b"));
    assert_eq!(pair.1, 2);
    clean(pair).unwrap();
    assert_eq!(diary.read(), "+a -a ~a +b -b ~b");
}

#[test]
fn options_and_vectors_of_guards() {
    #[derive(AsyncDrop)]
    struct Pool {
        spare: Option<AsyncDropGuard<Part>>,
        none: Option<AsyncDropGuard<Part>>,
        live: Option<AsyncDropGuard<Part, Live>>,
        all: Vec<AsyncDropGuard<Part>>,
    }
    let diary = Diary::default();
    let failing = |name| diary.ending(name, 0, Ending::Err);
    let pool = Pool {
        spare: Some(failing("spare")),
        none: None,
        live: Some(AsyncDropGuard::live(diary.part("live", 0, Ending::Err))),
        all: vec![failing("a"), diary.guard("b"), failing("c")],
    };
    let errors: CleanupErrors<&str> = clean(pool).unwrap_err();
    assert_eq!(errors.into_iter().collect::<Vec<_>>(), ["spare", "live", "a", "c"]);
    assert_eq!(diary.read().matches('~').count(), 5);
}

/// The same with the vector first: its errors are flattened, too.
#[test]
fn a_vector_has_one_error_for_each_guard() {
    #[derive(AsyncDrop)]
    struct Alone {
        all: Vec<AsyncDropGuard<Part>>,
    }
    #[derive(AsyncDrop)]
    struct First {
        all: Vec<AsyncDropGuard<Part>>,
        one: AsyncDropGuard<Part>,
    }
    let diary = Diary::default();
    let failing = |name| diary.ending(name, 0, Ending::Err);
    let errors: CleanupErrors<&str> =
        clean(Alone { all: vec![failing("a"), failing("b")] }).unwrap_err();
    assert_eq!(errors.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    let errors: CleanupErrors<&str> =
        clean(First { all: vec![failing("a"), failing("b")], one: failing("c") }).unwrap_err();
    assert_eq!(errors.into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn marked_fields_without_a_guard_of_their_own() {
    #[derive(AsyncDrop)]
    struct Inner {
        part: AsyncDropGuard<Part>,
    }
    type Alias = AsyncDropGuard<Part>;
    #[derive(AsyncDrop)]
    struct Outer {
        #[async_drop]
        inner: Inner,
        #[async_drop]
        aliased: Alias,
        #[async_drop]
        boxed: Box<dyn AsyncDrop<Error = &'static str> + Send>,
        #[async_drop]
        guard: AsyncDropGuard<Part>,
    }
    let diary = Diary::default();
    let outer = Outer {
        inner: Inner { part: diary.guard("a") },
        aliased: diary.guard("b"),
        boxed: Box::new(diary.guard("c")),
        guard: diary.guard("d"),
    };
    clean(outer).unwrap();
    assert_eq!(diary.read(), "+a -a ~a +b -b ~b +c -c ~c +d -d ~d");
}

#[test]
fn skipped_fields_are_left_alone() {
    #[derive(AsyncDrop)]
    struct Lender {
        own: AsyncDropGuard<Part>,
        #[async_drop(skip)]
        cleaned_up_elsewhere: AsyncDropGuard<Part>,
        #[async_drop(skip)]
        plain: Part,
    }
    let diary = Diary::default();
    let mut elsewhere = diary.guard("b");
    block_on(elsewhere.async_drop()).unwrap();
    let plain = diary.part("c", 0, Ending::Ok);
    diary.read();
    let lender = Lender { own: diary.guard("a"), cleaned_up_elsewhere: elsewhere, plain };
    assert!(lender.cleaned_up_elsewhere.is_dropped() && lender.plain.name == "c");
    clean(lender).unwrap();
    assert_eq!(diary.read(), "+a -a ~a ~c");
}

/// A reference, a function and a proof own no guard, although their types name one.
#[test]
fn fields_without_guards_need_no_mark() {
    #[derive(AsyncDrop)]
    struct Factory<'a> {
        make: fn() -> AsyncDropGuard<Part>,
        borrowed: &'a AsyncDropGuard<Part>,
        proof: Option<AsyncDropGuard<Part, Dropped>>,
        kind: PhantomData<AsyncDropGuard<Part>>,
        own: AsyncDropGuard<Part>,
    }
    let diary = Diary::default();
    let mut borrowed = diary.guard("borrowed");
    let make = || Diary::default().guard("made");
    let factory = Factory {
        make,
        borrowed: &borrowed,
        proof: None,
        kind: PhantomData,
        own: diary.guard("own"),
    };
    assert!(!factory.borrowed.is_dropped() && factory.proof.is_none());
    block_on((factory.make)().async_drop()).unwrap();
    let Factory { kind: PhantomData, .. } = &factory;
    clean(factory).unwrap();
    assert_eq!(diary.read(), "+own -own ~own");
    block_on(borrowed.async_drop()).unwrap();
}

/// Its error must be named, since it would otherwise be defined by itself.
#[test]
fn a_type_that_contains_itself() {
    #[derive(Debug)]
    struct Text(String);
    impl From<&'static str> for Text {
        fn from(error: &'static str) -> Self {
            Self(error.to_owned())
        }
    }
    impl From<CleanupErrors<Text>> for Text {
        fn from(errors: CleanupErrors<Text>) -> Self {
            Self(errors.iter().map(|error| error.0.as_str()).collect::<Vec<_>>().join(", "))
        }
    }
    #[derive(AsyncDrop)]
    #[async_drop(error = Text)]
    struct Node {
        part: AsyncDropGuard<Part>,
        next: Option<AsyncDropGuard<Box<Node>>>,
        all: Vec<AsyncDropGuard<Box<Self>>>,
    }
    let diary = Diary::default();
    let node = |name, next| {
        let part = diary.ending(name, 0, Ending::Err);
        AsyncDropGuard::new(Box::new(Node { part, next, all: Vec::new() }))
    };
    let mut root = node("a", Some(node("b", None)));
    root.all.push(node("c", None));
    let errors = block_on(root.async_drop()).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.0.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(diary.read(), "+a -a ~a +b -b ~b +c -c ~c");
}

#[test]
fn helpers_and_adopted_guards_are_fields_too() {
    #[derive(AsyncDrop)]
    #[async_drop(error = Text)]
    struct Service {
        workers: AsyncDropGuard<AsyncDropVec<Part>>,
        adopted: AsyncDropGuard<Part, Adopted>,
        nested: AsyncDropGuard<AsyncDropGuard<Part>>,
    }
    #[derive(Debug)]
    struct Text(#[expect(dead_code, reason = "nothing fails")] String);
    impl From<&'static str> for Text {
        fn from(error: &'static str) -> Self {
            Self(error.to_owned())
        }
    }
    impl From<CleanupErrors<&'static str>> for Text {
        fn from(errors: CleanupErrors<&'static str>) -> Self {
            Self(errors.to_string())
        }
    }
    let diary = Diary::default();
    let mut reaper = Reaper::new();
    let mut workers = AsyncDropVec::new();
    workers.push(diary.guard("a"));
    let adopted = reaper.adopt(diary.guard("b"));
    let nested = AsyncDropGuard::new(diary.guard("c"));
    clean(Service { workers, adopted, nested }).unwrap();
    assert_eq!(diary.read(), "+a -a ~a +b -b ~b +c -c ~c");
    block_on(reaper.async_drop()).unwrap();
}
