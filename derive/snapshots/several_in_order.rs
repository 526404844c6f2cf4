#[automatically_derived]
impl ::livedrop::AsyncDrop for Service {
    type Error = ::livedrop::CleanupErrors<
        <AsyncDropGuard<Database> as ::livedrop::AsyncDrop>::Error,
    >;
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
        ::livedrop::__private::UnmarkedField::<String>::new().owes_no_cleanup();
        ::livedrop::__private::Box::pin(::livedrop::AsyncDrop::async_drop_unboxed(self))
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        let Self {
            database: __field0,
            cache: __field1,
            workers: __field2,
            log: __field3,
            ..
        } = self;
        async move {
            let __cleanups = ::livedrop::__private::Cleanups::<Self, _>::new();
            __cleanups.run(__field0).await;
            __cleanups.run(__field1).await;
            __cleanups.run_each(__field2).await;
            __cleanups.run(__field3).await;
            __cleanups.end()
        }
    }
}
