//! `#[derive(AsyncDrop)]` and `#[unboxed]`: how to use them, and the functions and traits that the
//! derive's output calls.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use crate::async_drop::AsyncDrop;
use crate::errors::ErrorCollector;
use crate::panic::{catch, caught};
use crate::state::Brand;
use crate::{AsyncDropGuard, CleanupErrors, Live};

/// Implements the trait for a type that has guards as fields.
///
/// The cleanup of the type is that of its fields, in the order in which they are declared. All of
/// them are cleaned up, even when one fails or panics.
///
/// Which fields are cleaned up:
///
/// * those whose type names [`AsyncDropGuard`](crate::AsyncDropGuard), also in an `Option` or a
///   `Vec`;
/// * those that are marked `#[async_drop]`: a type with a cleanup of its own, or a guard behind a
///   type alias.
///
/// `#[async_drop(skip)]` leaves a field alone. A field without a mark whose type turns out to have
/// a cleanup, behind an alias, does not compile; an `Option` or a `Vec` of guards has one. A guard
/// behind an alias in a container without a cleanup is not seen. A proof, `AsyncDropGuard<T, Dropped>`, owes nothing and needs no mark.
///
/// Of an enum the active variant is cleaned up. An enum that is `pub` has variants that everybody
/// can make, and is refused: wrap it in a struct.
///
/// A field that is a [`Live`](crate::Live) guard is refused, since only its owner could clean it
/// up, who gives it away; in an `Option` or a `Vec` it can be taken out, and is cleaned up.
///
/// # The error
///
/// A value with one guard has the `Error` of that guard. If it has several, or a `Vec` of them,
/// that is [`CleanupErrors<E>`](crate::CleanupErrors) with all the errors: `E` is the error of
/// the first field, and of a `Vec` that of one of its guards. The errors of the others become an
/// `E` by [`From`].
///
/// A container in a guard, such as `AsyncDropGuard<AsyncDropHashMap<K, T>>`, fails with a
/// [`CleanupErrors`](crate::CleanupErrors) of its own, which takes in a single error, but not the
/// other way round. Beside single guards, let it be the first field, or name its error:
/// `#[async_drop(error = CleanupErrors<io::Error>)]`.
///
/// `#[async_drop(error = E)]` above the type names another `E`. It is also needed if a public type
/// has a first field of a private type (E0446), and if a type contains itself.
///
/// # All at once
///
/// `#[async_drop(concurrent)]` above the type cleans all fields up concurrently, in one task.
///
/// # Panics
///
/// Resumes the first panic of a cleanup when the others have ended. Errors, and other panics, go to
/// the [hook](crate::hook) then.
///
/// # Cancel safety
///
/// Cancel safe: a cleanup that was cancelled, and is called again, skips the guards that are done.
/// Errors that were found before the cancellation go to the [hook](crate::hook). A field that is
/// marked and is no guard cannot know that it was done: its own cleanup is called again.
///
/// # Generics
///
/// What the cleanup needs of the types that mention a type parameter are conditions of the `impl`:
/// a cleanup, and [`Send`].
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDrop, AsyncDropGuard};
/// # use std::io;
/// # macro_rules! parts { ($($Part:ident)*) => { $(
/// #     struct $Part;
/// #     #[livedrop::unboxed]
/// #     impl AsyncDrop for $Part {
/// #         type Error = io::Error;
/// #         async fn async_drop_impl(&mut self) -> io::Result<()> { Ok(()) }
/// #     }
/// # )* } }
/// # parts!(Database Cache Worker);
/// # type Connection = AsyncDropGuard<Database>;
///
/// #[derive(AsyncDrop)]
/// struct Service {
///     name: String,
///     workers: Vec<AsyncDropGuard<Worker>>, // cleaned up first
///     cache: Option<AsyncDropGuard<Cache>>,
///     #[async_drop]
///     database: Connection, // a guard, behind an alias
/// }
///
/// # futures::executor::block_on(async {
/// let mut service = AsyncDropGuard::new(Service {
///     name: "search".to_owned(),
///     workers: vec![AsyncDropGuard::new(Worker), AsyncDropGuard::new(Worker)],
///     cache: None,
///     database: AsyncDropGuard::new(Database),
/// });
/// # assert_eq!(service.name, "search");
/// service.async_drop().await?; // a `CleanupErrors<io::Error>`
/// # Ok::<(), livedrop::CleanupErrors<io::Error>>(())
/// # }).unwrap();
/// ```
///
/// An error of one's own, all at once, and generics:
///
/// ```
/// use livedrop::{AsyncDrop, AsyncDropGuard};
/// # use std::io;
/// # struct Socket;
/// # #[livedrop::unboxed]
/// # impl AsyncDrop for Socket {
/// #     type Error = io::Error;
/// #     async fn async_drop_impl(&mut self) -> io::Result<()> { Err(io::Error::other("busy")) }
/// # }
///
/// #[derive(Debug)]
/// struct CloseError(io::Error);
///
/// impl From<io::Error> for CloseError {
///     fn from(error: io::Error) -> Self {
///         CloseError(error)
///     }
/// }
///
/// #[derive(AsyncDrop)]
/// #[async_drop(concurrent, error = CloseError)]
/// enum Link<T> {
///     Open { control: AsyncDropGuard<T>, data: AsyncDropGuard<T> },
///     Closed,
/// }
///
/// # futures::executor::block_on(async {
/// let [control, data] = [AsyncDropGuard::new(Socket), AsyncDropGuard::new(Socket)];
/// let mut link = AsyncDropGuard::new(Link::Open { control, data });
/// let errors = link.async_drop().await.unwrap_err();
/// assert_eq!(errors.len(), 2);
/// # AsyncDropGuard::new(Link::<Socket>::Closed).async_drop().await.unwrap();
/// # });
/// ```
#[cfg(feature = "derive")]
pub use livedrop_derive::AsyncDrop;

/// Saves the box around the future of a cleanup, where the type is known: write it in place of
/// `#[async_trait]`.
///
/// It takes the one method as it is written and makes both of the trait's out of it:
/// `async_drop_unboxed` with the body, which guards call, and `async_drop_impl`, which boxes it, so
/// that `dyn AsyncDrop<Error = E>` can be used all the same. A cleanup through a guard of the type
/// allocates nothing, and one through `dyn` allocates once.
///
/// The rest is as with `#[async_trait]`: the future is [`Send`], and `self` may be held across an
/// `.await`. Types that derive their cleanup need no macro.
///
/// # Examples
///
/// ```
/// use livedrop::{AsyncDrop, AsyncDropGuard};
///
/// struct File<'a> {
///     path: &'a str,
/// }
///
/// impl File<'_> {
///     async fn flush(&mut self) -> std::io::Result<()> {
///         // …
/// #       let _ = self.path;
///         Ok(())
///     }
/// }
///
/// #[livedrop::unboxed]
/// impl AsyncDrop for File<'_> {
///     type Error = std::io::Error;
///
///     async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
///         self.flush().await
///     }
/// }
///
/// # futures::executor::block_on(async {
/// AsyncDropGuard::new(File { path: "a" }).async_drop().await?;
///
/// let unnamed: Box<dyn AsyncDrop<Error = std::io::Error> + Send> = Box::new(File { path: "b" });
/// AsyncDropGuard::new(unnamed).async_drop().await?;
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[cfg(feature = "derive")]
pub use livedrop_derive::unboxed;

// The rest is hidden: only the derive's output uses it.

/// The cleanup of several fields of a `T`, which goes on after errors and panics. Errors that
/// are still in here when a cancelled cleanup drops it go to the hook.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "not for use")]
pub struct Cleanups<T, E: Debug> {
    /// Fields that are cleaned up concurrently share it. They do so in one task, so that the
    /// lock is never waited for; and it is taken only where there is something to tell.
    errors: Mutex<ErrorCollector<T, E>>,
}

impl<T, E: Debug + Send> Cleanups<T, E> {
    #[doc(hidden)]
    #[must_use]
    pub fn new() -> Self {
        Self { errors: Mutex::new(ErrorCollector::new()) }
    }

    /// Cleans up a field with one error.
    pub fn run<F>(&self, field: &mut F) -> impl Future<Output = ()> + Send
    where
        F: FieldToCleanUp + Send,
        E: TakesFieldError<F::Error>,
    {
        async move {
            let result = catch(clean_field(field)).await;
            self.with(|errors| errors.add(result));
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
                    self.with(|errors| errors.add(taken.map(Err)));
                }
            };
            if let Err(payload) = catch(cleanup).await {
                self.with(|errors| errors.add_panic(payload));
            }
        }
    }

    /// The result of all. Resumes the first panic.
    ///
    /// # Errors
    ///
    /// All the errors that were found.
    pub fn end(self) -> Result<(), CleanupErrors<E>> {
        self.errors.into_inner().unwrap_or_else(PoisonError::into_inner).finish()
    }

    /// The lock is poisoned if the hook panicked in `add`. The collected errors are valid then.
    fn with(&self, add: impl FnOnce(&mut ErrorCollector<T, E>)) {
        add(&mut self.errors.lock().unwrap_or_else(PoisonError::into_inner));
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
    type Error: Debug;

    fn clean(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

#[diagnostic::do_not_recommend]
impl<F: AsyncDrop> FieldToCleanUp for F {
    type Error = F::Error;

    fn clean(&mut self) -> impl Future<Output = Result<(), F::Error>> + Send {
        self.async_drop_unboxed()
    }
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
