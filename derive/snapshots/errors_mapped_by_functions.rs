#[automatically_derived]
impl<T> ::livedrop::AsyncDrop for Service<T>
where
    AsyncDropGuard<T>: ::livedrop::AsyncDrop,
    Vec<
        AsyncDropGuard<T>,
    >: ::livedrop::AsyncDrop<
            Error = ::livedrop::CleanupErrors<
                <AsyncDropGuard<T> as ::livedrop::AsyncDrop>::Error,
            >,
        > + ::core::marker::Send,
{
    type Error = ::livedrop::CleanupErrors<
        <AsyncDropGuard<Log> as ::livedrop::AsyncDrop>::Error,
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
        ::livedrop::__private::Box::pin(::livedrop::AsyncDrop::async_drop_unboxed(self))
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        let Self {
            cache: async_drop_field0,
            workers: async_drop_field1,
            log: async_drop_field2,
        } = self;
        async move {
            let __cleanups = ::livedrop::__private::Cleanups::<Self, _>::new();
            ::livedrop::__private::join(
                    __cleanups.run_mapped(async_drop_field0, Error::Cache),
                    ::livedrop::__private::join(
                        __cleanups
                            .run_each_mapped(
                                async_drop_field1,
                                <T as Service>::worker_error,
                            ),
                        __cleanups.run(async_drop_field2),
                    ),
                )
                .await;
            __cleanups.end()
        }
    }
}
#[automatically_derived]
impl ::livedrop::AsyncDrop for Link {
    type Error = LinkError;
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
            match self {
                Self::Open(async_drop_field0) => {
                    ::livedrop::__private::clean_field_mapped(async_drop_field0, socket)
                        .await
                }
                Self::Closed {} => ::core::result::Result::Ok(()),
            }
        }
    }
}
#[automatically_derived]
impl ::livedrop::AsyncDrop for Client {
    type Error = io::Error;
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
        ::livedrop::__private::clean_field_mapped(async_drop_field0, io::Error::other)
    }
}
