#[automatically_derived]
impl ::livedrop::AsyncDrop for Pool {
    type Error = ::livedrop::CleanupErrors<PoolError>;
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
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        let Self { workers: async_drop_field0 } = self;
        async move {
            let __cleanups = ::livedrop::__private::Cleanups::<Self, _>::new();
            __cleanups.run_each(async_drop_field0).await;
            __cleanups.end()
        }
    }
}
