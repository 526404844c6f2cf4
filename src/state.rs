//! The states of a guard, and what the crate asks of them.
//!
//! ```text
//!              new ─▶ Checked ──async_drop(&mut self)──▶ (cleaned)
//!                      │   ▲
//!            into_live │   │ into_checked
//!                      ▼   │
//!             live ─▶ Live<Unscoped> ──async_drop(self)──▶ Dropped<Unscoped>
//!                      │ scope
//!                      ▼
//!                     Live<Scoped<'s>> ──async_drop(self)──▶ Dropped<Scoped<'s>>
//!
//! Checked, Live<Unscoped> ──Reaper::adopt──▶ Adopted ──async_drop(&mut self), or the reaper──▶ (cleaned)
//! ```

use std::marker::PhantomData;

use crate::bomb::Origin;
use crate::guard::{AdoptedSlot, CheckedSlot, LiveSlot};
use crate::{AsyncDrop, AsyncDropGuard, Cleaned};

/// Checked at run time, the default: a guard that is dropped before `async_drop` panics.
#[derive(Debug)]
pub struct Checked;

/// Checked at compile time: the guard owes a cleanup, and only `async_drop` pays it.
///
/// `B` says to which [`scope`](crate::scope()) the guard belongs, if to any.
#[derive(Debug)]
pub struct Live<B = Unscoped>(Branded<B>);

/// The proof that a `Live<B>` guard was cleaned up. It holds nothing.
#[derive(Debug)]
pub struct Dropped<B = Unscoped>(Branded<B>);

/// Cannot be lost: what its owner does not clean up, a [`Reaper`](crate::Reaper) does.
#[derive(Debug)]
pub struct Adopted;

/// The brand of a guard that belongs to no scope.
#[derive(Debug)]
pub struct Unscoped;

/// The brand of the one guard that belongs to the scope `'scope`.
#[derive(Debug)]
pub struct Scoped<'scope>(Invariant<'scope>);

/// Invariant in `'scope`: neither longer nor shorter lifetimes fit, so that no two scopes have
/// the same brand. A function pointer is always `Send` and `Sync`.
type Invariant<'scope> = PhantomData<fn(&'scope ()) -> &'scope ()>;

/// Names a brand without holding anything: as variant as the brand, always `Send` and `Sync`.
type Branded<B> = PhantomData<fn() -> B>;

/// Sealed by its method, not by its path: who cannot name `Seal` cannot implement it, and the
/// compiler has no private path to print.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made a state or a brand of a guard",
    label = "livedrop's states and brands are a closed set",
    note = "use `Checked` (checked at run time) or `Live` (checked at compile time); a guard becomes `Dropped` only through `async_drop`, and branded only by `scope`"
)]
pub trait Sealed {
    fn seal(_: sealed::Seal);
}

mod sealed {
    use super::{Adopted, Brand, Checked, Dropped, Live, Scoped, Sealed, Unscoped};

    #[expect(missing_debug_implementations, reason = "cannot be named outside of the crate")]
    pub struct Seal;

    impl Sealed for Checked {
        fn seal(_: Seal) {}
    }
    impl Sealed for Adopted {
        fn seal(_: Seal) {}
    }
    impl<B: Brand> Sealed for Live<B> {
        fn seal(_: Seal) {}
    }
    impl<B: Brand> Sealed for Dropped<B> {
        fn seal(_: Seal) {}
    }
    impl Sealed for Unscoped {
        fn seal(_: Seal) {}
    }
    impl Sealed for Scoped<'_> {
        fn seal(_: Seal) {}
    }
}

/// A brand: [`Unscoped`] or [`Scoped`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a brand of livedrop's",
    note = "write `Live` or `Dropped`, without an argument; `scope` makes the other brands"
)]
pub trait Brand: Sealed {}
impl Brand for Unscoped {}
impl Brand for Scoped<'_> {}

/// A state of an [`AsyncDropGuard`](crate::AsyncDropGuard): [`Checked`], [`Live`], [`Dropped`] or
/// [`Adopted`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state of a guard",
    note = "the states are `Checked`, `Live`, `Dropped` and `Adopted`"
)]
pub trait State: Sealed {
    /// What a guard in this state stores.
    #[doc(hidden)]
    type Slot<T>;
}

impl State for Checked {
    type Slot<T> = CheckedSlot<T>;
}

impl<B: Brand> State for Live<B> {
    type Slot<T> = LiveSlot<T>;
}

impl<B: Brand> State for Dropped<B> {
    type Slot<T> = ();
}

impl State for Adopted {
    type Slot<T> = AdoptedSlot<T>;
}

/// The guard holds the value: [`Checked`], [`Live`] and [`Adopted`].
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard holds no value any more",
    label = "the value is gone after cleanup",
    note = "use the value before `async_drop`"
)]
pub trait Holds: State {
    /// When a value is gone, for messages.
    #[doc(hidden)]
    const GONE: &'static str = "after its cleanup";

    /// The value, unless it is gone.
    #[doc(hidden)]
    fn value<T>(slot: &Self::Slot<T>) -> Result<&T, Origin<T>>;

    /// The value, unless it is gone.
    #[doc(hidden)]
    fn value_mut<T>(slot: &mut Self::Slot<T>) -> Result<&mut T, Origin<T>>;

    /// Whether its cleanup panicked before there was a future: nothing is owed any more, though
    /// the value is still there. See [`Cleans::clean_one_of_many`].
    #[doc(hidden)]
    #[must_use = "to ask changes nothing"]
    fn is_burnt<T>(_: &Self::Slot<T>) -> bool {
        false
    }

    /// The value without its obligation, unless it is gone.
    #[doc(hidden)]
    fn into_value<T>(slot: Self::Slot<T>) -> Result<(Origin<T>, T), Origin<T>>;
}

/// The guard owes a cleanup and belongs to no scope: [`Checked`] and [`Live`].
#[diagnostic::on_unimplemented(
    message = "this needs a `Checked` guard, or a `Live` one that belongs to no scope, not a `{Self}` one",
    label = "not possible in this state",
    note = "inside `scope`, only `async_drop` ends the guard: `let outcome = guard.async_drop().await;`"
)]
pub trait Armed: Holds {
    /// A guard's content for this value.
    #[doc(hidden)]
    fn arm<T>(origin: Origin<T>, value: T) -> Self::Slot<T>;

    /// The content of a checked guard that owes what this one owed.
    #[doc(hidden)]
    fn into_checked<T>(slot: Self::Slot<T>) -> CheckedSlot<T>;
}

/// A guard of a `U` can be made after the model of another guard in this state: what wraps a
/// guard owes what the guard owed.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard cannot be wrapped into a `{U}`",
    note = "the guard must be `Checked`, `Live`, or `Adopted` with a value that can be adopted"
)]
pub trait ArmsLike<U>: Holds {
    /// What the new guard needs of the old one; by default, what it needs where there is none.
    #[doc(hidden)]
    type Model: Default;

    /// What a guard like this one needs.
    #[doc(hidden)]
    fn model<T>(slot: &Self::Slot<T>) -> Self::Model;

    /// A guard's content for this value.
    #[doc(hidden)]
    fn arm_like(model: Self::Model, origin: Origin<U>, value: U) -> Self::Slot<U>;
}

/// The library can own such a guard while a body borrows its value: [`Checked`] and [`Live`]
/// outside of any scope, and [`Adopted`].
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard cannot be handed over to the library",
    label = "not possible in this state",
    note = "inside `scope`, clean the guard up by `guard.async_drop().await`, and return the proof"
)]
pub trait Lends<T: AsyncDrop>: Holds {
    /// The state that the guard has meanwhile: one that knows what interrupted it.
    #[doc(hidden)]
    type Owned: Remembers<T>;

    /// Hands the guard's content over to the library.
    #[doc(hidden)]
    fn lend(slot: Self::Slot<T>) -> <Self::Owned as State>::Slot<T>;
}

/// A guard of a `T` in this state can be cleaned up inside of whatever owns it: [`Checked`] and
/// [`Live`] with a value that is [`Send`], [`Adopted`] with one that [can be](CanAdopt).
///
/// The helper types are generic over it: `S: Cleans<T>`.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard of `{T}` cannot be cleaned up by what owns it",
    note = "the guard must be `Checked`, `Live` or `Adopted`, and its value `Send`"
)]
pub trait Cleans<T: AsyncDrop>: Holds<Slot<T>: Send> {
    /// Cleans the guard up that `held` holds, and leaves `None` once that has ended, with a
    /// result or with a panic. If this is cancelled, `held` holds the guard as before.
    #[doc(hidden)]
    fn clean_in_place(
        held: &mut Option<AsyncDropGuard<T, Self>>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send
    where
        Self: Sized;

    /// The same for one of many, whose future is to be small. If it panics, it may leave a guard
    /// that is [burnt](Holds::is_burnt) in place of `None`.
    #[doc(hidden)]
    fn clean_one_of_many(
        held: &mut Option<AsyncDropGuard<T, Self>>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send
    where
        Self: Sized,
    {
        Self::clean_in_place(held)
    }
}

/// A guard in this state knows whether its cleanup has ended: [`Checked`] and [`Adopted`].
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard does not know whether its cleanup has ended",
    note = "the guard must be `Checked` or `Adopted`"
)]
pub trait Remembers<T: AsyncDrop>: Cleans<T> {
    /// Cleans up, and gives a panic back as a value. If this is cancelled, the slot is as armed as
    /// before.
    #[doc(hidden)]
    fn clean_caught(slot: &mut Self::Slot<T>) -> impl Future<Output = Cleaned<T>> + Send;

    /// Cleans up. Who owns the slot catches a panic of it, and [ends](Remembers::end) it then.
    #[doc(hidden)]
    fn clean_uncaught(
        slot: &mut Self::Slot<T>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send;

    /// Nothing is owed any more, and the value goes.
    #[doc(hidden)]
    fn end(slot: Self::Slot<T>);
}

/// A guard of this value can be [adopted](crate::Reaper::adopt): it is `'static` and [`Send`],
/// and so is the error of its cleanup [`Send`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be adopted by a reaper",
    label = "the reaper may keep this value longer than its owner, on another thread",
    note = "it must be `Send` and `'static`, and the `Error` of its `AsyncDrop` must be `Send`: give it owned data, or clean its guard up without a reaper"
)]
pub trait CanAdopt: AsyncDrop<Error: Send> + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: AsyncDrop<Error: Send> + Send + 'static> CanAdopt for T {}

/// A guard in this state may enter a [`scope`](crate::scope()): [`Live`], outside of any other.
#[diagnostic::on_unimplemented(
    message = "`scope` takes a `Live` guard, not a `{Self}` one",
    label = "only what is checked at compile time can enter a scope",
    note = "create it with `AsyncDropGuard::live(value)`, or convert a `Checked` one: `AsyncDropGuard::into_live(guard)`, which returns a `Result`"
)]
pub trait Enters: State {
    /// The guard's content, for its new brand.
    #[doc(hidden)]
    fn enter<T>(slot: Self::Slot<T>) -> LiveSlot<T>;
}

impl Enters for Live<Unscoped> {
    fn enter<T>(slot: LiveSlot<T>) -> LiveSlot<T> {
        slot
    }
}
