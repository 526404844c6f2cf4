#[automatically_derived]
impl ::livedrop::AsyncDrop for Service {
    type Error = ::livedrop::CleanupErrors<ServiceError>;
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
        ::livedrop::__private::UnmarkedField::<u8>::new().owes_no_cleanup();
        ::livedrop::__private::Box::pin(::livedrop::AsyncDrop::async_drop_unboxed(self))
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        let Self(async_drop_field0, _, async_drop_field2, async_drop_field3) = self;
        async move {
            let __cleanups = ::livedrop::__private::Cleanups::<Self, _>::new();
            ::livedrop::__private::join(
                    __cleanups.run(async_drop_field0),
                    ::livedrop::__private::join(
                        __cleanups.run(async_drop_field2),
                        __cleanups.run(async_drop_field3),
                    ),
                )
                .await;
            __cleanups.end()
        }
    }
}
