//! The macros of the crate `livedrop-derive`, and how to use them.

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
pub use livedrop_derive::unboxed;
