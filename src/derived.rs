//! What `#[derive(AsyncDrop)]` expands to calls this: cleaning up the fields of a value, and
//! asking the compiler about those that are left alone.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use crate::caught::{Caught, caught};
use crate::findings::Findings;
use crate::state::Brand;
use crate::{AsyncDrop, AsyncDropGuard, CleanupErrors, Live};

// Everything in here is hidden: only what the derive writes uses it.

/// The cleanup of several fields of a `T`, which goes on after errors and panics. Errors that
/// are still in here when a cancelled cleanup drops it go to the hook.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "not for use")]
pub struct Cleanups<T, E: Debug> {
    /// Fields that are cleaned up concurrently share it. They do so in one task, so that the
    /// lock is never waited for; and it is taken only where there is something to tell.
    findings: Mutex<Findings<T, E>>,
}

impl<T, E: Debug + Send> Cleanups<T, E> {
    #[doc(hidden)]
    #[must_use]
    pub fn new() -> Self {
        Self { findings: Mutex::new(Findings::new()) }
    }

    /// Cleans up a field with one error.
    pub fn run<F>(&self, field: &mut F) -> impl Future<Output = ()> + Send
    where
        F: FieldToCleanUp + Send,
        E: TakesFieldError<F::Error>,
    {
        async move {
            let ending = Caught::from_future(clean_field(field)).await;
            self.with(|findings| findings.add(ending));
        }
    }

    /// Cleans up a vector of guards, each with an error of its own.
    pub fn run_each<F, E1>(&self, field: &mut F) -> impl Future<Output = ()> + Send
    where
        F: FieldToCleanUp<Error = CleanupErrors<E1>> + Send,
        E: TakesFieldError<E1>,
    {
        async move {
            let cleanup = async {
                let Err(errors) = field.clean().await else {
                    return;
                };
                for error in errors {
                    let taken = caught(|| E::take(error));
                    self.with(|findings| findings.add(Caught::new(taken.map(Err))));
                }
            };
            if let Err(payload) = Caught::from_future(cleanup).await.into_result() {
                self.with(|findings| findings.add_panic(payload));
            }
        }
    }

    /// The result of all. Resumes the first panic.
    ///
    /// # Errors
    ///
    /// All the errors that were found.
    pub fn end(self) -> Result<(), CleanupErrors<E>> {
        self.findings.into_inner().unwrap_or_else(PoisonError::into_inner).end()
    }

    /// A poisoned lock: the hook panicked about what it was told. The findings are all right.
    fn with(&self, note: impl FnOnce(&mut Findings<T, E>)) {
        note(&mut self.findings.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Cleans up one field, whose error becomes that of the whole.
///
/// # Errors
///
/// That of the field, converted.
#[doc(hidden)]
pub fn clean_field<F, E>(field: &mut F) -> impl Future<Output = Result<(), E>> + Send
where
    F: FieldToCleanUp + Send,
    E: TakesFieldError<F::Error>,
{
    async move { field.clean().await.map_err(E::take) }
}

/// The error of a derived cleanup, which that of each field becomes.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{E}`, the error of this field's cleanup, cannot become a `{Self}`",
    label = "its error has no place in the error of the whole",
    note = "the fields share one error: the first field's, or the one that the type names, `#[async_drop(error = Error)]`",
    note = "name one that takes in the error of every field: `impl From<{E}> for Error {{ … }}`; a `CleanupErrors<E>` takes in an `E`"
)]
pub trait TakesFieldError<E> {
    #[doc(hidden)]
    fn take(error: E) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E, F: From<E>> TakesFieldError<E> for F {
    fn take(error: E) -> Self {
        Self::from(error)
    }
}

/// A field that is cleaned up although its type as such is no guard.
///
/// `AsyncDrop` is not above it: the compiler would name that where it does not hold.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no async cleanup, and this field is to be cleaned up",
    label = "marked `#[async_drop]`, or naming an `AsyncDropGuard` inside of another type",
    note = "if there is nothing to clean up: `#[async_drop(skip)] field: Type`",
    note = "for a type of your own: `#[derive(AsyncDrop)]` on it, or `#[livedrop::unboxed] impl AsyncDrop for …`",
    note = "for many guards: `Vec<AsyncDropGuard<T>>`, or `AsyncDropGuard<AsyncDropHashMap<K, T>>`"
)]
pub trait FieldToCleanUp {
    #[doc(hidden)]
    type Error: Debug;

    #[doc(hidden)]
    const IS_CLEANED_UP: bool = true;

    #[doc(hidden)]
    fn clean(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

#[diagnostic::do_not_recommend]
impl<F: AsyncDrop> FieldToCleanUp for F {
    type Error = F::Error;

    fn clean(&mut self) -> impl Future<Output = Result<(), F::Error>> + Send {
        self.async_drop_unboxed()
    }
}

/// The type of a field, asked for with the constant of [`FieldToCleanUp`].
///
/// The derived error is that of such a field, and the error stands in every signature: each use of
/// the type would be refused as well where the field has no cleanup. A constant that cannot be
/// evaluated is reported once, and a type that is made with it is passed over from there on.
#[doc(hidden)]
pub trait AskedField<const IS_CLEANED_UP: bool> {
    #[doc(hidden)]
    type Type;
}

impl<F> AskedField<true> for F {
    type Type = F;
}

/// A field that the derive leaves alone, since no word of its type names a guard.
///
/// What its type is behind an alias, only the compiler knows. If the type owes no cleanup, the
/// method is [`NothingOwed`]'s; if it does, the one of this type comes first, and what it asks for
/// is never given.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "not for use")]
pub struct UnmarkedField<F: ?Sized>(PhantomData<F>, NothingOwed);

#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "not for use")]
pub struct NothingOwed;

impl<F: ?Sized> UnmarkedField<F> {
    #[doc(hidden)]
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData, NothingOwed)
    }
}

impl<F: ?Sized + OwesCleanup> UnmarkedField<F> {
    #[doc(hidden)]
    pub fn owes_no_cleanup(&self)
    where
        F: MarkedField,
    {
    }
}

impl<F: ?Sized> Deref for UnmarkedField<F> {
    type Target = NothingOwed;

    fn deref(&self) -> &NothingOwed {
        &self.1
    }
}

impl NothingOwed {
    #[doc(hidden)]
    #[expect(clippy::unused_self, reason = "a method is found where no other one applies")]
    pub fn owes_no_cleanup(&self) {}
}

/// A value or a guard that is lost without its cleanup.
#[doc(hidden)]
pub trait OwesCleanup {}
impl<F: ?Sized + AsyncDrop> OwesCleanup for F {}
impl<T, B: Brand> OwesCleanup for AsyncDropGuard<T, Live<B>> {}

/// Never implemented.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this field holds `{Self}`, whose cleanup would be forgotten",
    label = "no word of this type names an `AsyncDropGuard`, so that the derive passes it over",
    note = "to clean it up with the other fields: `#[async_drop] field: Type`",
    note = "to leave it alone: `#[async_drop(skip)] field: Type`"
)]
pub trait MarkedField {}
