//! The layout of guards: sizes, auto traits, and the traits that they do not implement.

use std::cell::Cell;
use std::convert::Infallible;
use std::marker::PhantomData;

use async_trait::async_trait;
use livedrop::scope::{Proof, ScopedGuard};
use livedrop::state::Unscoped;
use livedrop::{AsyncDrop, AsyncDropGuard, Dropped, Live, Outcome};
use static_assertions::{assert_impl_all, assert_not_impl_any};

/// A value with content of type `C`.
struct Value<C>(pub C);

#[async_trait]
impl<C: Send> AsyncDrop for Value<C> {
    type Error = Infallible;
    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

type Word = Value<u64>;
type NotSync = Value<Cell<u8>>;
type NotSend = Value<PhantomData<std::sync::MutexGuard<'static, u8>>>;

assert_impl_all!(AsyncDropGuard<Word>: Send, Sync, Unpin);
assert_impl_all!(AsyncDropGuard<Word, Live>: Send, Sync, Unpin);
assert_impl_all!(AsyncDropGuard<Word, Dropped>: Send, Sync, Unpin);
assert_impl_all!(ScopedGuard<'static, Word>: Send, Sync);
assert_impl_all!(Proof<'static, Word>: Send, Sync);

assert_impl_all!(AsyncDropGuard<NotSync>: Send);
assert_not_impl_any!(AsyncDropGuard<NotSync>: Sync);
assert_impl_all!(AsyncDropGuard<NotSync, Live>: Send);
assert_not_impl_any!(AsyncDropGuard<NotSync, Live>: Sync);
assert_not_impl_any!(AsyncDropGuard<NotSend>: Send);
assert_impl_all!(AsyncDropGuard<NotSend>: Sync);
assert_not_impl_any!(AsyncDropGuard<NotSend, Live>: Send);
assert_impl_all!(AsyncDropGuard<NotSend, Live>: Sync);

// `u64` implements all of these; its guard implements none.
assert_not_impl_any!(AsyncDropGuard<u64>: Clone, Copy, Default, From<u64>);
assert_not_impl_any!(AsyncDropGuard<u64, Live>: Clone, Copy, Default, From<u64>);
assert_not_impl_any!(AsyncDropGuard<u64, Dropped>: Clone, Copy, Default);
assert_not_impl_any!(Outcome<Word>: Clone, Copy, Default);

/// The sizes in a build without creation sites. `.ci/run` compiles this in release mode.
#[cfg(not(any(debug_assertions, feature = "location")))]
mod release {
    use super::*;
    use livedrop::scope;
    use static_assertions::{assert_eq_size, const_assert};

    assert_eq_size!(AsyncDropGuard<Word, Live>, Word);
    assert_eq_size!(AsyncDropGuard<Value<[u8; 3]>, Live>, [u8; 3]);
    assert_eq_size!(ScopedGuard<'static, Value<[u64; 125]>>, [u64; 125]);
    assert_eq_size!(AsyncDropGuard<Word, Dropped>, ());
    assert_eq_size!(Proof<'static, Word>, ());

    const fn checked_is_at_most_a_word_beside<T>() -> bool {
        size_of::<AsyncDropGuard<T>>() <= size_of::<(usize, T)>()
    }
    const_assert!(checked_is_at_most_a_word_beside::<Word>());
    const_assert!(checked_is_at_most_a_word_beside::<Value<Box<u8>>>());
    const_assert!(checked_is_at_most_a_word_beside::<Value<[u8; 3]>>());
    const_assert!(checked_is_at_most_a_word_beside::<Value<()>>());

    struct Large([u8; 1000]);

    #[async_trait]
    impl AsyncDrop for Large {
        type Error = Infallible;
        async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
            self.0[0] = 1;
            Ok(())
        }
    }

    #[test]
    fn futures_hold_the_value_once_a_level() {
        let cleanup = AsyncDropGuard::live(Large([0; 1000])).async_drop();
        assert!(size_of_val(&cleanup) <= 1024, "{}", size_of_val(&cleanup));
        futures::executor::block_on(cleanup).result.unwrap();
        let scope = scope(AsyncDropGuard::live(Large([0; 1000])), async |large| {
            (large.async_drop().await.proof, ())
        });
        assert!(size_of_val(&scope) <= 2040, "{}", size_of_val(&scope));
        futures::executor::block_on(scope);
        let scope = scope!(AsyncDropGuard::live(Large([0; 1000])), async |large| {
            (large.async_drop().await.proof, ())
        });
        assert!(size_of_val(&scope) <= 2040, "{}", size_of_val(&scope));
        futures::executor::block_on(scope);
    }
}

#[test]
fn default_state_is_checked_and_brand_is_unscoped() {
    let _: fn(AsyncDropGuard<Word, Live<Unscoped>>) = |guard: AsyncDropGuard<Word, Live>| {
        let _ = AsyncDropGuard::into_inner_without_cleanup(guard);
    };
    let _: fn(AsyncDropGuard<Word, livedrop::Checked>) = |guard: AsyncDropGuard<Word>| {
        let _ = AsyncDropGuard::into_inner_without_cleanup(guard);
    };
}
