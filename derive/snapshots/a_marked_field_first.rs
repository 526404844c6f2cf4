#[automatically_derived]
#[allow(trivial_bounds)]
impl ::livedrop::AsyncDrop for Client
where
    Socket: ::livedrop::__private::FieldToCleanUp,
{
    type Error = <Socket as ::livedrop::__private::FieldToCleanUp>::Error;
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
        let Self { socket: async_drop_field0 } = self;
        ::livedrop::__private::clean_field(async_drop_field0)
    }
}
