#[automatically_derived]
impl ::livedrop::AsyncDrop for Service {
    type Error = ServiceError;
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
        let Self { database: async_drop_field0, workers: async_drop_field1 } = self;
        async move {
            let __cleanups = ::livedrop::__private::Cleanups::<Self, _>::new();
            __cleanups.run(async_drop_field0).await;
            __cleanups.run_each(async_drop_field1).await;
            __cleanups.end_first()
        }
    }
}
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
        ::livedrop::__private::Box::pin(::livedrop::AsyncDrop::async_drop_unboxed(self))
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        async move {
            let __cleanups = ::livedrop::__private::Cleanups::<Self, _>::new();
            match self {
                Self::Two(async_drop_field0, async_drop_field1) => {
                    __cleanups.run(async_drop_field0).await;
                    __cleanups.run(async_drop_field1).await;
                }
                Self::One(async_drop_field0) => {
                    __cleanups.run(async_drop_field0).await;
                }
            }
            __cleanups.end_first()
        }
    }
}
#[automatically_derived]
impl ::livedrop::AsyncDrop for Client {
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
        ::livedrop::__private::Box::pin(::livedrop::AsyncDrop::async_drop_unboxed(self))
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        let Self(async_drop_field0) = self;
        ::livedrop::AsyncDrop::async_drop_unboxed(async_drop_field0)
    }
}
