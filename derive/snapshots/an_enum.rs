#[automatically_derived]
impl ::livedrop::AsyncDrop for Link {
    type Error = <AsyncDropGuard<Socket> as ::livedrop::AsyncDrop>::Error;
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
        ::livedrop::__private::UnmarkedField::<String>::new().owes_no_cleanup();
        ::livedrop::__private::Box::pin(::livedrop::AsyncDrop::async_drop_unboxed(self))
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        async move {
            match self {
                Self::Open(async_drop_field0, _) => {
                    ::livedrop::__private::clean_field(async_drop_field0).await
                }
                Self::Named { socket: async_drop_field0, .. } => {
                    ::livedrop::__private::clean_field(async_drop_field0).await
                }
                Self::Closed {} => ::core::result::Result::Ok(()),
            }
        }
    }
}
