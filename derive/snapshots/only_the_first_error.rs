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
        let Self { database, workers } = self;
        async move {
            let cleanups = ::livedrop::__private::Cleanups::<Self, _>::new();
            cleanups.run(database).await;
            cleanups.run_each(workers).await;
            cleanups.end_first()
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
            let cleanups = ::livedrop::__private::Cleanups::<Self, _>::new();
            match self {
                Self::Two(field0, field1) => {
                    cleanups.run(field0).await;
                    cleanups.run(field1).await;
                }
                Self::One(field0) => {
                    cleanups.run(field0).await;
                }
            }
            cleanups.end_first()
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
        let Self(field0) = self;
        ::livedrop::AsyncDrop::async_drop_unboxed(field0)
    }
}
