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
//!                              acquire ─────▶  │
//!                                              │ scope
//!                                              ▼
//!                      Live<Scoped<'s>, Adopted> ──async_drop(self)──▶ Dropped<Scoped<'s>>
//!                                              └──owner cancelled or panicking: the reaper──▶ (cleaned)
//!
//! every state but Dropped<B> ──async_drop_via(self, end)──▶ Dropped<B>
//! ```

use std::marker::PhantomData;

use crate::AsyncDrop;
use crate::guard::{CheckedSlot, LiveSlot, OwnedSlot};
use crate::reaper::Adoptable;

// Public, so that the compiler prints no private path where it names them.
#[doc(hidden)]
pub use crate::guard::{AdoptedSlot, Arms, CleansByValue, EndsVia, Owes, Slot};

pub use crate::flatten::UnscopedGuard;
pub use crate::guard::FromCleanupError;

/// Checked at run time, the default: a guard panics if it is dropped before its `async_drop` has ended.
#[derive(Debug)]
pub struct Checked;

/// Checked at compile time: the guard owes a cleanup, and `async_drop` consumes it and returns the proof.
///
/// `B` says to which [`scope`](crate::scope()) the guard belongs, if to any. `K` says whether a reaper
/// backs it: [`Unbacked`] or [`Adopted`]. A guard that entered its scope as an `Adopted` one cannot be
/// forgotten, and if its owner is cancelled or panics, the reaper cleans up.
#[derive(Debug)]
pub struct Live<B = Unscoped, K = Unbacked>(Branded<B>, Branded<K>);

/// The proof that a `Live<B>` guard was cleaned up. It holds nothing.
#[derive(Debug)]
pub struct Dropped<B = Unscoped>(Branded<B>);

/// Backed by a reaper: if the owner does not clean up the value, the [`Reaper`](crate::Reaper) does, unless
/// it was closed before it adopted the guard, or is gone.
#[derive(Debug)]
pub struct Adopted;

/// The backing of a [`Live`] guard that no reaper has adopted.
#[derive(Debug)]
pub struct Unbacked;

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
    note = "use `Checked` (checked at run time) or `Live` (checked at compile time); a guard becomes `Dropped` only through `async_drop` or `async_drop_via`, and branded only by `scope`"
)]
pub trait Sealed {
    fn seal(_: sealed::Seal);
}

mod sealed {
    use super::{
        Adopted, Backing, Brand, Checked, Dropped, Live, Scoped, Sealed, Unbacked, Unscoped,
    };

    #[expect(missing_debug_implementations, reason = "cannot be named outside the crate")]
    pub struct Seal;

    impl Sealed for Checked {
        fn seal(_: Seal) {}
    }
    impl Sealed for Adopted {
        fn seal(_: Seal) {}
    }
    impl<B: Brand, K: Backing> Sealed for Live<B, K> {
        fn seal(_: Seal) {}
    }
    impl Sealed for Unbacked {
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

    /// The brand of the proof that a guard in this state was cleaned up.
    #[doc(hidden)]
    type Brand: Brand;
}

impl State for Checked {
    type Brand = Unscoped;
    type Owned = Checked;
    type Slot<T> = CheckedSlot<T>;
}

impl<B: Brand, K: Backing> State for Live<B, K> {
    type Brand = B;
    type Owned = K::Owned;
    type Slot<T> = K::Slot<T>;
}

impl<B: Brand> State for Dropped<B> {
    type Brand = B;
    type Owned = Dropped<B>;
    type Slot<T> = ();
}

impl State for Adopted {
    type Brand = Unscoped;
    type Owned = Adopted;
    type Slot<T> = AdoptedSlot<T>;
}

/// What can back a [`Live`] guard: [`Unbacked`] (nothing), or [`Adopted`] (a reaper).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot back a `Live` guard",
    note = "a `Live` guard is `Unbacked`, or, if its scope was entered with an adopted guard, `Adopted`"
)]
pub trait Backing: Sealed {
    /// The state that the guard has while the library owns it.
    #[doc(hidden)]
    type Owned: State<Owned = Self::Owned>;

    /// What the guard stores.
    #[doc(hidden)]
    type Slot<T>: Slot<T, Owned = <Self::Owned as State>::Slot<T>>;
}

impl Backing for Unbacked {
    type Owned = Checked;
    type Slot<T> = LiveSlot<T>;
}

impl Backing for Adopted {
    type Owned = Adopted;
    type Slot<T> = AdoptedSlot<T>;
}

/// This backing can back a guard of a `T`: [`Unbacked`] one of any `T`, [`Adopted`] one whose `T` is `Send`
/// and whose error is `'static`.
///
/// The bound of a function that takes scoped guards with and without a reaper:
/// `fn log_out<K: Backs<Connection>>(c: ScopedGuard<'_, Connection, K>) -> Proof<'_, Connection>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot back a guard of `{T}`",
    note = "an `Adopted` guard's value must be `Send`",
    note = "a helper for guards with and without a reaper has the bound `K: Backs<{T}>`: `async fn help<K: Backs<{T}>>(guard: ScopedGuard<'_, {T}, K>) -> Proof<'_, {T}>`"
)]
pub trait Backs<T: AsyncDrop>:
    Backing<Slot<T>: CleansByValue<T>, Owned: State<Slot<T>: Owes<T>>>
{
}
impl<T: AsyncDrop> Backs<T> for Unbacked {}
impl<T: AsyncDrop<Error: 'static> + Send> Backs<T> for Adopted {}

/// The guard holds the value: [`Checked`], [`Live`] and [`Adopted`].
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard holds no value any more",
    label = "the value is gone after cleanup",
    note = "use the value before `async_drop`"
)]
pub trait Holds: State {}
impl Holds for Checked {}
impl<B: Brand, K: Backing> Holds for Live<B, K> {}
impl Holds for Adopted {}

/// The guard owes a cleanup and belongs to no scope and no reaper: [`Checked`] and [`Live`].
#[diagnostic::on_unimplemented(
    message = "this needs a `Checked` guard, or a `Live` one that belongs to no scope, not a `{Self}` one",
    label = "not possible in this state",
    note = "inside `scope`, only `async_drop` and `async_drop_via` end the guard: `let outcome = guard.async_drop().await;`"
)]
pub trait Armed: UnscopedState<Owned = Checked> {}
#[diagnostic::do_not_recommend]
impl Armed for Checked {}
#[diagnostic::do_not_recommend]
impl Armed for Live {}

/// The guard belongs to no scope, so that the library can own it while a body borrows its value:
/// [`Checked`], [`Live`] and [`Adopted`].
#[diagnostic::on_unimplemented(
    message = "this needs a guard that belongs to no scope, not a `{Self}` one",
    label = "not possible in this state",
    note = "inside `scope`, `async_drop` ends the guard, or `async_drop_via`, which hands the value out: `guard.async_drop_via(async |value| …).await`"
)]
pub trait UnscopedState: Holds {}
#[diagnostic::do_not_recommend]
impl UnscopedState for Checked {}
#[diagnostic::do_not_recommend]
impl<K: Backing> UnscopedState for Live<Unscoped, K> {}
#[diagnostic::do_not_recommend]
impl UnscopedState for Adopted {}

/// A guard in this state can hold a `T`: [`Checked`] and [`Live`] any, [`Adopted`] an [`Adoptable`] one.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard cannot hold a `{T}`",
    note = "a reaper adopts a value only if it is `Send` and `'static`, and the `Error` of its `AsyncDrop` is `Send`"
)]
pub trait Accepts<T: AsyncDrop>: State<Owned: State<Slot<T>: Arms<T>>> {}
impl<T: AsyncDrop> Accepts<T> for Checked {}
impl<T: AsyncDrop> Accepts<T> for Live {}
impl<T: Adoptable> Accepts<T> for Adopted {}

/// A guard of a `T` in this state can be cleaned up on the thread of its owner. With a reaper, the error of `T`
/// must be `'static`.
///
/// It is the bound of code that awaits or polls the cleanup itself, such as
/// [`with_async_drop`](crate::with_async_drop()). `T` need not be [`Send`]. See
/// [`AsyncDrop`](AsyncDrop#where-send-is-required).
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard of `{T}` cannot be cleaned up by what owns it",
    note = "the guard must be `Checked`, `Live` or `Adopted`"
)]
pub trait LocallyCleanable<T: AsyncDrop>: Holds<Owned: Holds<Slot<T>: Owes<T>>> {}
impl<T: AsyncDrop> LocallyCleanable<T> for Checked {}
impl<T: AsyncDrop, B: Brand> LocallyCleanable<T> for Live<B> {}
impl<T: AsyncDrop<Error: 'static>, B: Brand> LocallyCleanable<T> for Live<B, Adopted> {}
impl<T: AsyncDrop<Error: 'static>> LocallyCleanable<T> for Adopted {}

/// A guard of a `T` in this state can be cleaned up by a value that owns it, if `T` is [`Send`]. With a
/// reaper, the error of `T` must also be `'static`.
///
/// The helper types are generic over it: `S: Cleanable<T>`. They implement [`AsyncDrop`], whose futures are
/// `Send`.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` guard of `{T}` cannot be cleaned up by what owns it",
    note = "the guard must be `Checked`, `Live` or `Adopted`, and its value `Send`"
)]
pub trait Cleanable<T: AsyncDrop>:
    LocallyCleanable<T> + Holds<Slot<T>: Send, Owned: Holds<Slot<T>: Owes<T> + Send>>
{
}
impl<T: AsyncDrop + Send> Cleanable<T> for Checked {}
impl<T: AsyncDrop + Send, B: Brand> Cleanable<T> for Live<B> {}
impl<T: AsyncDrop<Error: 'static> + Send, B: Brand> Cleanable<T> for Live<B, Adopted> {}
impl<T: AsyncDrop<Error: 'static> + Send> Cleanable<T> for Adopted {}

/// A guard in this state may enter a [`scope`](crate::scope()): [`Live`] and [`Adopted`], outside any other.
#[diagnostic::on_unimplemented(
    message = "`scope` takes a `Live` or an `Adopted` guard, not a `{Self}` one",
    label = "this guard is `{Self}`: neither the compiler nor a reaper makes sure of its cleanup",
    note = "create it with `AsyncDropGuard::live(value)`, convert it with `AsyncDropGuard::into_live(guard)`, which returns a `Result`, or let a reaper adopt it: `reaper.adopt(guard)`"
)]
pub trait EntersScope<T>: State<Slot<T> = <Self::Backing as Backing>::Slot<T>> {
    /// What backs the guard inside its scope.
    type Backing: Backing;
}
#[diagnostic::do_not_recommend]
impl<T, K: Backing> EntersScope<T> for Live<Unscoped, K> {
    type Backing = K;
}
#[diagnostic::do_not_recommend]
impl<T> EntersScope<T> for Adopted {
    type Backing = Adopted;
}

/// Never implemented. It exists for its error message: a method that would clean up the value while its
/// guard still owes the cleanup.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this cleans up the value without its guard, so the guard would clean it up a second time",
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
