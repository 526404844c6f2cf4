//! `#[livedrop::unboxed]`, in place of `#[async_trait]`.

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use livedrop::{AsyncDrop, AsyncDropGuard};

use super::Diary;
use crate::support::{block_on, wait};

/// Generics, lifetimes, a where clause; `?`, `return`, and `self` held across an `.await`.
struct File<'a, T, const N: usize> {
    diary: &'a Diary,
    content: Vec<T>,
    fails: bool,
}

#[livedrop::unboxed]
impl<'a, T, const N: usize> AsyncDrop for File<'a, T, N>
where
    T: Debug + Send + 'a,
{
    type Error = Box<dyn Error + Send + Sync>;

    /// The doc comment and the attributes are kept.
    #[allow(clippy::needless_return, reason = "the test needs a `return`")]
    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        while let Some(last) = self.content.pop() {
            wait(N).await;
            self.diary.note('+', &format!("{last:?}"));
            Self::check(self.fails)?;
        }
        return Ok(());
    }
}

impl<T, const N: usize> File<'_, T, N> {
    fn check(fails: bool) -> Result<(), Box<dyn Error + Send + Sync>> {
        if fails { Err("disk full".into()) } else { Ok(()) }
    }
}

#[test]
fn unboxed_accepts_every_async_trait_method() {
    let diary = Diary::default();
    let file = |fails| File::<_, 2> { diary: &diary, content: vec![1, 2], fails };
    block_on(AsyncDropGuard::new(file(false)).async_drop()).unwrap();
    assert_eq!(diary.read(), "+2 +1");
    let error = block_on(AsyncDropGuard::live(file(true)).async_drop()).result.unwrap_err();
    assert_eq!((error.to_string(), diary.read()), ("disk full".to_owned(), "+2".to_owned()));
    let mut boxed: Box<dyn AsyncDrop<Error = _> + Send + '_> = Box::new(file(false));
    block_on(boxed.async_drop_impl()).unwrap();
    assert_eq!(diary.read(), "+2 +1");
}

/// All forms of the receiver, with and without a named lifetime.
#[test]
fn the_receiver_may_be_written_out() {
    struct Named;
    #[livedrop::unboxed]
    impl AsyncDrop for Named {
        type Error = u8;
        async fn async_drop_impl<'a>(&'a mut self) -> Result<(), u8> {
            wait(1).await;
            Err(1)
        }
    }
    struct Typed;
    #[livedrop::unboxed]
    impl AsyncDrop for Typed {
        type Error = u8;
        #[expect(clippy::needless_arbitrary_self_type, reason = "it is allowed")]
        async fn async_drop_impl(self: &mut Self) -> Result<(), u8> {
            Err(2)
        }
    }
    assert_eq!(block_on(AsyncDropGuard::new(Named).async_drop()), Err(1));
    assert_eq!(block_on(AsyncDropGuard::new(Typed).async_drop()), Err(2));
}

/// Both methods exist, with the signatures of the trait.
#[test]
fn the_boxed_method_has_the_async_trait_shape() {
    type Boxed<'a> = Pin<Box<dyn Future<Output = Result<(), u8>> + Send + 'a>>;
    struct Value;
    #[livedrop::unboxed]
    impl AsyncDrop for Value {
        type Error = u8;
        async fn async_drop_impl(&mut self) -> Result<(), u8> {
            Err(3)
        }
    }
    fn boxed<'a, 'b: 'a>(value: &'b mut Value) -> Boxed<'a> {
        <Value as AsyncDrop>::async_drop_impl(value)
    }
    assert_eq!(block_on(boxed(&mut Value)), Err(3));
    assert_eq!(block_on(Value.async_drop_unboxed()), Err(3));
}
