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
        let Self(__field0, _, __field2, __field3) = self;
        async move {
            let __cleanups = ::livedrop::__private::Cleanups::<Self, _>::new();
            ::livedrop::__private::join(
                    __cleanups.run(__field0),
                    ::livedrop::__private::join(
                        __cleanups.run(__field2),
                        __cleanups.run(__field3),
                    ),
                )
                .await;
            __cleanups.end()
        }
    }
}
