#[automatically_derived]
impl crate::facade::drops::AsyncDrop for Service {
    type Error = crate::facade::drops::CleanupErrors<
        <AsyncDropGuard<Database> as crate::facade::drops::AsyncDrop>::Error,
    >;
    fn async_drop_impl<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> ::core::pin::Pin<
        crate::facade::drops::__private::Box<
            dyn ::core::future::Future<
                Output = ::core::result::Result<(), Self::Error>,
            > + ::core::marker::Send + 'async_trait,
        >,
    >
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        crate::facade::drops::__private::UnmarkedField::<String>::new()
            .owes_no_cleanup();
        crate::facade::drops::__private::Box::pin(
            crate::facade::drops::AsyncDrop::async_drop_unboxed(self),
        )
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        let Self {
            database: async_drop_field0,
            workers: async_drop_field1,
            log: async_drop_field2,
            ..
        } = self;
        async move {
            let __cleanups = crate::facade::drops::__private::Cleanups::<Self, _>::new();
            __cleanups.run(async_drop_field0).await;
            __cleanups.run_each(async_drop_field1).await;
            __cleanups.run(async_drop_field2).await;
            __cleanups.end()
        }
    }
}
#[automatically_derived]
impl<T, U> drops::AsyncDrop for Link<T, U>
where
    T: drops::__private::FieldToCleanUp + ::core::marker::Send,
    AsyncDropGuard<U>: drops::AsyncDrop,
    Vec<
        AsyncDropGuard<U>,
    >: drops::AsyncDrop<
            Error = drops::CleanupErrors<<AsyncDropGuard<U> as drops::AsyncDrop>::Error>,
        > + ::core::marker::Send,
    LinkError: drops::__private::TakesFieldError<
        <T as drops::__private::FieldToCleanUp>::Error,
    >,
    LinkError: drops::__private::TakesFieldError<
        <AsyncDropGuard<U> as drops::AsyncDrop>::Error,
    >,
    Self: ::core::marker::Send,
{
    type Error = drops::CleanupErrors<LinkError>;
    fn async_drop_impl<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> ::core::pin::Pin<
        drops::__private::Box<
            dyn ::core::future::Future<
                Output = ::core::result::Result<(), Self::Error>,
            > + ::core::marker::Send + 'async_trait,
        >,
    >
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        drops::__private::Box::pin(drops::AsyncDrop::async_drop_unboxed(self))
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        async move {
            let __cleanups = drops::__private::Cleanups::<Self, _>::new();
            match self {
                Self::Open(async_drop_field0, async_drop_field1, async_drop_field2) => {
                    drops::__private::join(
                            __cleanups.run(async_drop_field0),
                            drops::__private::join(
                                __cleanups.run(async_drop_field1),
                                __cleanups.run_each(async_drop_field2),
                            ),
                        )
                        .await;
                }
                Self::Closed {} => {}
            }
            __cleanups.end()
        }
    }
}
#[automatically_derived]
#[allow(trivial_bounds)]
impl ::drops::AsyncDrop for Client
where
    Socket: ::drops::__private::FieldToCleanUp,
{
    type Error = <Socket as ::drops::__private::FieldToCleanUp>::Error;
    fn async_drop_impl<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> ::core::pin::Pin<
        ::drops::__private::Box<
            dyn ::core::future::Future<
                Output = ::core::result::Result<(), Self::Error>,
            > + ::core::marker::Send + 'async_trait,
        >,
    >
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        ::drops::__private::Box::pin(::drops::AsyncDrop::async_drop_unboxed(self))
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        let Self { socket: async_drop_field0 } = self;
        ::drops::__private::clean_field(async_drop_field0)
    }
}
impl AsyncDrop for File {
    type Error = std::io::Error;
    fn async_drop_impl<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> ::core::pin::Pin<
        crate::facade::drops::__private::Box<
            dyn ::core::future::Future<
                Output = ::core::result::Result<(), Self::Error>,
            > + ::core::marker::Send + 'async_trait,
        >,
    >
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        crate::facade::drops::__private::Box::pin(
            crate::facade::drops::AsyncDrop::async_drop_unboxed(self),
        )
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = Result<(), Self::Error>,
    > + ::core::marker::Send {
        async move { self.flush().await }
    }
}
