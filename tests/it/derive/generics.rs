//! Types that are generic over types, states, lifetimes and constants.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use livedrop::state::State;
use livedrop::{AsyncDrop, AsyncDropGuard, Checked, Live};

use super::{Diary, Part, clean};
use crate::support::Ending;

#[test]
fn generic_over_the_value() {
    #[derive(AsyncDrop)]
    struct Wrapper<T, U> {
        value: AsyncDropGuard<T>,
        #[async_drop(skip)]
        plain: U,
    }
    #[derive(AsyncDrop)]
    struct Two<A: AsyncDrop, B>
    where
        B: AsyncDrop,
    {
        first: AsyncDropGuard<A>,
        second: Vec<AsyncDropGuard<B>>,
        #[async_drop]
        third: Box<A>,
    }
    let diary = Diary::default();
    // A field that is not cleaned up need not be `Send`.
    let plain = std::rc::Rc::new(1);
    let wrapper = Wrapper { value: diary.ending("a", 0, Ending::Err), plain };
    assert_eq!(*wrapper.plain, 1);
    assert_eq!(clean(wrapper), Err("a"));
    let two = Two {
        first: diary.guard("a"),
        second: vec![diary.guard("b")],
        third: Box::new(diary.part("c", 0, Ending::Ok)),
    };
    diary.read();
    clean(two).unwrap();
    assert_eq!(diary.read(), "+a -a ~a +b -b ~b +c -c ~c");
}

#[test]
fn generic_over_the_state() {
    #[derive(AsyncDrop)]
    struct Owner<S: State> {
        part: Option<AsyncDropGuard<Part, S>>,
    }
    let diary = Diary::default();
    clean(Owner::<Checked> { part: Some(diary.guard("a")) }).unwrap();
    let live = AsyncDropGuard::live(diary.part("b", 0, Ending::Ok));
    clean(Owner::<Live> { part: Some(live) }).unwrap();
    assert_eq!(diary.read(), "+a -a ~a +b -b ~b");
}

#[test]
fn lifetimes_constants_and_where_clauses() {
    struct Borrows<'a>(&'a Diary);
    #[livedrop::unboxed]
    impl AsyncDrop for Borrows<'_> {
        type Error = u8;
        async fn async_drop_impl(&mut self) -> Result<(), u8> {
            self.0.note('+', "borrowed");
            Ok(())
        }
    }
    #[derive(AsyncDrop)]
    struct Holder<'a, T, const N: usize>
    where
        T: Debug + 'a,
        [u8; N]: Default,
    {
        guard: AsyncDropGuard<Borrows<'a>>,
        bytes: [u8; N],
        text: &'a T,
    }
    let diary = Diary::default();
    let guard = AsyncDropGuard::new(Borrows(&diary));
    let holder = Holder { guard, bytes: [0; 2], text: &"t" };
    assert_eq!((holder.bytes, *holder.text), ([0, 0], "t"));
    clean(holder).unwrap();
    assert_eq!(diary.read(), "+borrowed");
}

/// The error of the type comes from a field that is not a guard and mentions a parameter.
#[test]
fn marked_fields_with_parameters_come_first() {
    struct Borrows<'a, const N: u8>(&'a Diary);
    #[livedrop::unboxed]
    impl<const N: u8> AsyncDrop for Borrows<'_, N> {
        type Error = u8;
        async fn async_drop_impl(&mut self) -> Result<(), u8> {
            self.0.note('+', "borrowed");
            Err(N)
        }
    }
    #[derive(AsyncDrop)]
    struct OfALifetime<'a> {
        #[async_drop]
        first: Borrows<'a, 1>,
    }
    #[derive(AsyncDrop)]
    struct OfAConstant<const N: u8> {
        #[async_drop]
        first: Borrows<'static, N>,
    }
    #[derive(AsyncDrop)]
    enum OfNone<'a, T> {
        Marked(#[async_drop] Borrows<'static, 3>),
        Generic(#[async_drop] Borrows<'a, 4>, #[async_drop(skip)] T),
    }
    let diary: &'static Diary = Box::leak(Box::default());
    assert_eq!(clean(OfALifetime { first: Borrows(diary) }), Err(1));
    assert_eq!(clean(OfAConstant::<2> { first: Borrows(diary) }), Err(2));
    assert_eq!(clean(OfNone::<()>::Marked(Borrows(diary))), Err(3));
    assert_eq!(clean(OfNone::Generic(Borrows(diary), ())), Err(4));
    assert_eq!(diary.read(), "+borrowed +borrowed +borrowed +borrowed");
}

/// Only the caller knows whether the type inside is a guard.
#[test]
fn marked_containers_of_a_parameter() {
    #[derive(AsyncDrop)]
    struct Pool<'a, T, K> {
        #[async_drop]
        idle: Vec<T>,
        #[async_drop]
        busy: Option<T>,
        #[async_drop(skip)]
        sizes: (K, Vec<K>),
        names: &'a [K],
        key: PhantomData<fn() -> K>,
        shared: Arc<K>,
    }
    let diary = Diary::default();
    let pool = Pool {
        idle: vec![diary.guard("a"), diary.guard("b")],
        busy: Some(diary.guard("c")),
        sizes: (1, vec![2]),
        names: &[3],
        key: PhantomData,
        shared: Arc::new(4),
    };
    assert_eq!((pool.sizes.0, pool.sizes.1[0], pool.names[0], *pool.shared), (1, 2, 3, 4));
    let PhantomData::<fn() -> i32> = pool.key;
    clean(pool).unwrap();
    assert_eq!(diary.read(), "+a -a ~a +b -b ~b +c -c ~c");
}
