//! `#[derive(AsyncDrop)]` and `#[unboxed]`: their docs, and the functions and traits that the
//! output of the derive calls.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use crate::async_drop::AsyncDrop;
use crate::errors::ErrorCollector;
use crate::panic::{catch, caught, for_each};
use crate::state::Brand;
use crate::{AsyncDropGuard, CleanupErrors, Live, hook};

/// Implements [`AsyncDrop`](crate::AsyncDrop) for a type that has guards as fields.
///
/// The cleanup of the type cleans up its fields, in the order of their declaration. It cleans up
/// all of them, even if one fails or panics.
///
/// It cleans up these fields:
///
/// * fields whose type names [`AsyncDropGuard`](crate::AsyncDropGuard), also in an `Option` or a
///   `Vec`;
/// * fields that are marked `#[async_drop]`: a type with its own cleanup, or a type alias of a
///   guard.
///
/// `#[async_drop(skip)]` skips a field. An unmarked field whose type has a cleanup, such as an
/// alias of a guard or of a `Vec` of guards, does not compile. The derive does not find a guard in
/// an alias of a container without a cleanup. A proof, `AsyncDropGuard<T, Dropped>`, owes nothing
/// and needs no mark.
///
/// A field whose type is or contains a type parameter, or an associated type of one, must be
/// marked, because it may be or contain a guard: `#[async_drop]` or `#[async_drop(skip)]`. So must
/// a `Vec<T>`, but not `PhantomData<T>`, a reference, a pointer, a function pointer, a trait object,
/// or a handle that shares a value, such as `Arc<T>`.
///
/// For an enum, it cleans up the fields of the active variant. It rejects a `pub` enum, because
/// any code can construct its variants without a guard: wrap the enum in a struct.
///
/// It rejects a field that is a [`Live`](crate::Live) guard, because the cleanup of such a guard
/// takes it by value and the derive only borrows the field. In an `Option` or a `Vec`, a `Live`
/// guard can be taken out, so it is cleaned up there.
///
/// # The error
///
/// If a value has one guard, its `Error` is the error of that guard. If it has several, or a `Vec`
/// of guards, its `Error` is [`CleanupErrors<E>`](crate::CleanupErrors) with all the errors. Then
/// `E` is the error of the first field, or of one guard if that field is a `Vec`. The errors of the
/// other fields are converted into `E` by [`From`].
///
/// `#[async_drop(map_err = path)]` on a field converts its error by that function, and not by
/// [`From`]. If the field is a `Vec` of guards, the function converts the error of each. The mark
/// also means `#[async_drop]`. `E` is then the error of the first field without `map_err`; if there
/// is none, name it by `#[async_drop(error = E)]`.
///
/// A container in a guard, such as `AsyncDropGuard<AsyncDropHashMap<K, T>>`, fails with its own
/// [`CleanupErrors`](crate::CleanupErrors). A single error converts into a `CleanupErrors`, but not
/// the reverse. So if there are single guards beside the container, declare the container first or
/// name its error: `#[async_drop(error = CleanupErrors<io::Error>)]`.
///
/// `#[async_drop(error = E)]` on the type names another `E`. It is also needed if the first field
/// of a public type has a private type (E0446), and if a type contains itself.
///
/// `#[async_drop(first)]` on the type makes its `Error` the error `E` itself: the first error, for a
/// trait or a caller that wants a single one. The other errors go to the [hook](crate::hook). It is
/// often written with the name of the error: `#[async_drop(error = io::Error, first)]`.
///
/// # Concurrent cleanup
///
/// `#[async_drop(concurrent)]` on the type cleans up all fields concurrently, in one task.
///
/// # Renamed and re-exported crates
///
/// The expansion names the crate `::livedrop`. If a package renames the dependency, or uses it only
/// through a re-export, `#[async_drop(crate = path)]` on the type names its path.
///
/// ```
/// mod facade {
///     pub mod drops {
///         pub use livedrop::*;
///     }
/// }
/// use facade::drops::{AsyncDrop, AsyncDropGuard};
/// # struct Socket;
/// # #[livedrop::unboxed]
/// # impl AsyncDrop for Socket {
/// #     type Error = std::io::Error;
/// #     async fn async_drop_impl(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
///
/// #[derive(AsyncDrop)]
/// #[async_drop(crate = facade::drops)]
/// struct Client {
///     socket: AsyncDropGuard<Socket>,
/// }
/// # fn main() {
/// # let client = Client { socket: AsyncDropGuard::new(Socket) };
/// # futures::executor::block_on(AsyncDropGuard::new(client).async_drop()).unwrap();
/// # }
/// ```
///
/// # Panics
///
/// Resumes the first panic of a cleanup when the others have ended. Errors and other panics then go
/// to the [hook](crate::hook).
///
/// # Cancel safety
///
/// Cancel safe: if a cleanup was cancelled and is called again, it skips the guards whose cleanup
/// has ended. The errors of the cancelled call go to the [hook](crate::hook). A marked field that
/// is not a guard does not know whether its cleanup has ended, so that cleanup is called again.
///
/// # Generics
///
/// If the type of a cleaned-up field mentions a type parameter, the `impl` requires that the type
/// has a cleanup and is [`Send`].
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
///     database: Connection, // an alias of a guard
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
/// A custom error, concurrent cleanup, and generics:
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

/// Implements [`AsyncDrop`](crate::AsyncDrop) without a box around the future. It replaces
/// `#[async_trait]`.
///
/// From the one method that you write, it generates both methods of the trait.
/// `async_drop_unboxed` has the body, and guards call it. `async_drop_impl` boxes its future, so
/// that `dyn AsyncDrop<Error = E>` works, too. A cleanup through a guard of the type does not
/// allocate; a cleanup through `dyn` allocates once.
///
/// Otherwise it behaves as `#[async_trait]`: the future is [`Send`], and `self` may be held across
/// an `.await`. A type that derives its cleanup does not need this macro.
///
/// The expansion names the crate `::livedrop`. `#[livedrop::unboxed(crate = path)]` names another
/// path, for a renamed dependency or a re-export: `#[drops::unboxed(crate = drops)]`.
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

// The items below are hidden: only the output of the derive uses them.

/// Cleans up several fields of a `T`, and continues after errors and panics.
///
/// If a cancelled cleanup drops this, the collected errors go to the hook.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "not public API")]
pub struct Cleanups<T, E: Debug> {
    /// Concurrent cleanups of fields share the collector. They run in one task, so none of them
    /// ever waits for the lock.
    errors: Mutex<ErrorCollector<T, E>>,
}

impl<T, E: Debug + Send> Cleanups<T, E> {
    #[doc(hidden)]
    #[must_use]
    pub fn new() -> Self {
        Self { errors: Mutex::new(ErrorCollector::new()) }
    }

    /// Cleans up a field that has one error.
    pub fn run<F>(&self, field: &mut F) -> impl Future<Output = ()> + Send
    where
        F: FieldToCleanUp + Send,
        E: TakesFieldError<F::Error>,
    {
        self.run_mapped(field, E::take)
    }

    /// As `run`, but `map_err` converts the error.
    pub fn run_mapped<F, M>(&self, field: &mut F, map_err: M) -> impl Future<Output = ()> + Send
    where
        F: FieldToCleanUp + Send,
        M: FnOnce(F::Error) -> E + Send,
    {
        async move {
            let result = catch(clean_field_mapped(field, map_err)).await;
            self.with(|errors| errors.add(result));
        }
    }

    /// Cleans up a vector of guards, and converts the error of each.
    pub fn run_each<F, E1>(&self, field: &mut F) -> impl Future<Output = ()> + Send
    where
        F: FieldToCleanUp<Error = CleanupErrors<E1>> + Send,
        E: TakesFieldError<E1>,
    {
        self.run_each_mapped(field, E::take)
    }

    /// As `run_each`, but `map_err` converts each error.
    pub fn run_each_mapped<F, E1, M>(
        &self,
        field: &mut F,
        mut map_err: M,
    ) -> impl Future<Output = ()> + Send
    where
        F: FieldToCleanUp<Error = CleanupErrors<E1>> + Send,
        M: FnMut(E1) -> E + Send,
    {
        async move {
            let cleanup = async {
                let Err(errors) = field.clean().await else {
                    return;
                };
                for error in errors {
                    let taken = caught(|| map_err(error));
                    self.with(|errors| errors.add(taken.map(Err)));
                }
            };
            if let Err(payload) = catch(cleanup).await {
                self.with(|errors| errors.add_panic(payload));
            }
        }
    }

    /// Returns the errors of all fields, or resumes the first panic.
    ///
    /// # Errors
    ///
    /// Returns all the errors of the cleanups.
    pub fn end(self) -> Result<(), CleanupErrors<E>> {
        self.errors.into_inner().unwrap_or_else(PoisonError::into_inner).finish()
    }

    /// Returns the first error, or resumes the first panic. The other errors go to the hook.
    ///
    /// # Errors
    ///
    /// Returns the error that was found first.
    pub fn end_first(self) -> Result<(), E> {
        let Err(errors) = self.end() else {
            return Ok(());
        };
        let mut errors = errors.into_iter();
        let mut first = ErrorCollector::<T, E>::new();
        if let Some(error) = errors.next() {
            first.add_result(Err(error));
        }
        // If the hook panics, the drop of the collector reports the first error, too.
        for_each(errors, hook::report_suppressed::<T>);
        first.finish().map_err(CleanupErrors::into_first)
    }

    /// Calls `add` with the collector. A panic of the hook in an earlier `add` poisons the lock,
    /// but leaves the collected errors valid.
    fn with(&self, add: impl FnOnce(&mut ErrorCollector<T, E>)) {
        add(&mut self.errors.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Cleans up the only field of a value.
///
/// # Errors
///
/// Returns the error of the field, converted into the error of the value.
#[doc(hidden)]
pub fn clean_field<F, E>(field: &mut F) -> impl Future<Output = Result<(), E>> + Send
where
    F: FieldToCleanUp + Send,
    E: TakesFieldError<F::Error>,
{
    clean_field_mapped(field, E::take)
}

/// As [`clean_field`], but `map_err` converts the error.
///
/// # Errors
///
/// Returns the converted error of the field.
#[doc(hidden)]
pub fn clean_field_mapped<F, E, M>(
    field: &mut F,
    map_err: M,
) -> impl Future<Output = Result<(), E>> + Send
where
    F: FieldToCleanUp + Send,
    M: FnOnce(F::Error) -> E + Send,
{
    async move { field.clean().await.map_err(map_err) }
}

/// The error of a derived cleanup, into which the error of each field is converted.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{E}`, the error of this field's cleanup, cannot be converted into `{Self}`",
    label = "the error of this field does not convert into the error type that all fields share",
    note = "the shared error type is the error of the first field, unless the type names another: `#[async_drop(error = Error)]`",
    note = "name an error type that every field's error converts into: `#[async_drop(error = anyhow::Error)]`, or an `Error` of your own with `impl From<{E}> for Error {{ … }}`; an `E` converts into a `CleanupErrors<E>`",
    note = "or convert the error of this field by a function: `#[async_drop(map_err = path)] field: Type`"
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

/// A field that is cleaned up although its type is not written as a guard.
///
/// `AsyncDrop` is not a supertrait: the compiler would show its message instead of this one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no async cleanup, but this field must be cleaned up",
    label = "this field is marked `#[async_drop]`, or its type contains an `AsyncDropGuard`",
    note = "if there is nothing to clean up, skip the field: `#[async_drop(skip)] field: Type`",
    note = "if the type is your own, give it a cleanup: `#[derive(AsyncDrop)]`, or `#[livedrop::unboxed] impl AsyncDrop for …`",
    note = "if it holds many guards, use `Vec<AsyncDropGuard<T>>`, or `AsyncDropGuard<AsyncDropHashMap<K, T>>`; if it shares one, `AsyncDropGuard<AsyncDropArc<T>>`",
    note = "if it locks one, as a `Mutex` of another crate does, use `AsyncDropGuard<AsyncDropMutex<T>>`, or `AsyncDropTokioMutex` for the lock of tokio"
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

/// A field that the derive skips, because its type as written does not name a guard.
///
/// The type may be an alias, which only the compiler resolves. If it has no cleanup, method lookup
/// finds `owes_no_cleanup` of [`NothingOwed`] by [`Deref`]. If it has one, lookup finds the method
/// of `UnmarkedField` first. Its bound never holds, so the compiler rejects the field.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "not public API")]
pub struct UnmarkedField<F: ?Sized>(PhantomData<F>, NothingOwed);

#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "not public API")]
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
    #[expect(clippy::unused_self, reason = "must be a method, so that lookup by `Deref` finds it")]
    pub fn owes_no_cleanup(&self) {}
}

/// A value with a cleanup, or a guard of one.
#[doc(hidden)]
pub trait OwesCleanup {}
impl<F: ?Sized + AsyncDrop> OwesCleanup for F {}
impl<T, B: Brand> OwesCleanup for AsyncDropGuard<T, Live<B>> {}

/// Never implemented. It exists for its error message.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this field holds `{Self}`, whose cleanup would be forgotten",
    label = "the derive skips this field: it is not marked, and its type names no `AsyncDropGuard`",
    note = "to clean it up with the other fields, mark it: `#[async_drop] field: Type`",
    note = "if it needs no cleanup here, skip it: `#[async_drop(skip)] field: Type`"
)]
pub trait MarkedField {}
