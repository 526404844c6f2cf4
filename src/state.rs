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

use crate::AsyncDrop;
use crate::guard::{AdoptedSlot, CheckedSlot, LiveSlot, OwnedSlot};
use crate::reaper::Adoptable;

// Public, so that the compiler prints no private path where it names them.
#[doc(hidden)]
pub use crate::guard::{Owes, Slot};

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

/// Sealed: `Seal` cannot be named outside the crate. The trait itself is public, so that the compiler
/// prints no private path.
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

    #[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
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
pub trait State: Sealed + Sized {
    /// The state that the guard has while the library owns it: one that knows at run time how far
    /// the cleanup has come.
    #[doc(hidden)]
    type Owned: State<Owned = Self::Owned>;

    /// What a guard in this state stores.
    #[doc(hidden)]
    type Slot<T>: Slot<T, Owned = OwnedSlot<T, Self>>;
}

impl State for Checked {
    type Owned = Checked;
    type Slot<T> = CheckedSlot<T>;
}

impl<B: Brand> State for Live<B> {
    type Owned = Checked;
    type Slot<T> = LiveSlot<T>;
}

impl<B: Brand> State for Dropped<B> {
    type Owned = Dropped<B>;
    type Slot<T> = ();
}

impl State for Adopted {
    type Owned = Adopted;
    type Slot<T> = AdoptedSlot<T>;
}

/// The guard holds the value: [`Checked`], [`Live`] and [`Adopted`].
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard holds no value any more",
    label = "the value is gone after cleanup",
    note = "use the value before `async_drop`"
)]
pub trait Holds: State {}
impl Holds for Checked {}
impl<B: Brand> Holds for Live<B> {}
impl Holds for Adopted {}

/// The guard owes a cleanup and belongs to no scope and no reaper: [`Checked`] and [`Live`].
#[diagnostic::on_unimplemented(
    message = "this needs a `Checked` guard, or a `Live` one that belongs to no scope, not a `{Self}` one",
    label = "not possible in this state",
    note = "inside `scope`, only `async_drop` ends the guard: `let outcome = guard.async_drop().await;`"
)]
pub trait Armed: Holds<Owned = Checked> {}
impl Armed for Checked {}
impl Armed for Live {}

/// The guard belongs to no scope, so that the library can own it while a body borrows its value:
/// [`Checked`], [`Live`] and [`Adopted`].
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard cannot be handed over to the library",
    label = "not possible in this state",
    note = "inside `scope`, clean the guard up by `guard.async_drop().await`, and return the proof"
)]
pub trait UnscopedState<T: AsyncDrop>: Cleanable<T> {}
impl<T: AsyncDrop + Send> UnscopedState<T> for Checked {}
impl<T: AsyncDrop + Send> UnscopedState<T> for Live {}
impl<T: Adoptable> UnscopedState<T> for Adopted {}

/// A guard of a `T` in this state can be cleaned up by a value that owns it: [`Checked`] and [`Live`]
/// if `T` is [`Send`], [`Adopted`] if `T` is [`Adoptable`].
///
/// The helper types are generic over it: `S: Cleanable<T>`.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard of `{T}` cannot be cleaned up by what owns it",
    note = "the guard must be `Checked`, `Live` or `Adopted`, and its value `Send`"
)]
pub trait Cleanable<T: AsyncDrop>:
    Holds<Slot<T>: Send, Owned: Holds<Slot<T>: Owes<T> + Send>>
{
}
impl<T: AsyncDrop + Send> Cleanable<T> for Checked {}
impl<T: AsyncDrop + Send, B: Brand> Cleanable<T> for Live<B> {}
impl<T: Adoptable> Cleanable<T> for Adopted {}

/// A guard in this state may enter a [`scope`](crate::scope()): [`Live`], outside any other.
#[diagnostic::on_unimplemented(
    message = "`scope` takes a `Live` guard, not a `{Self}` one",
    label = "only what is checked at compile time can enter a scope",
    note = "create it with `AsyncDropGuard::live(value)`, or convert a `Checked` one: `AsyncDropGuard::into_live(guard)`, which returns a `Result`"
)]
pub trait EntersScope<T>: State<Slot<T> = LiveSlot<T>> {}
impl<T> EntersScope<T> for Live {}

/// Never implemented. It exists for its error message: a method that would clean the value up while its
/// guard still owes that.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this would clean the value up behind its guard's back, and the guard would do it again",
    label = "cleans up the value, not the guard",
    note = "clean up through the guard: `guard.async_drop().await`"
)]
pub trait CleansBehindItsGuard {}

/// Never implemented. It exists for its error message: `async_drop` of a `Dropped` guard.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this guard was cleaned up already",
    label = "nothing is left to clean up",
    note = "a `Dropped` guard is the proof of that: return it from the scope, or drop it"
)]
pub trait StillOwesItsCleanup: State {}
