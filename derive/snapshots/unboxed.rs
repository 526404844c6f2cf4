impl<T: Debug> AsyncDrop for File<'_, T>
where
    T: Send,
{
    type Error = std::io::Error;
    fn async_drop_impl<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> ::core::pin::Pin<
        ::livedrop::__private::Box<
            dyn ::core::future::Future<
                Output = ::core::result::Result<(), Self::Error>,
            > + ::core::marker::Send + 'async_trait,
        >,
    >
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        ::livedrop::__private::Box::pin(::livedrop::AsyncDrop::async_drop_unboxed(self))
    }
    /// Flushes.
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = Result<(), Self::Error>,
    > + ::core::marker::Send {
        async move {
            self.flush().await?;
            Ok(())
        }
    }
}
