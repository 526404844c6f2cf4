#[automatically_derived]
impl<'a, T, U, const N: usize> ::livedrop::AsyncDrop for Pool<'a, T, U, N>
where
    U: Debug,
    AsyncDropGuard<T>: ::livedrop::AsyncDrop + ::core::marker::Send,
    AsyncDropGuard<T>: ::livedrop::AsyncDrop,
    Vec<
        AsyncDropGuard<T>,
    >: ::livedrop::AsyncDrop<
            Error = ::livedrop::CleanupErrors<
                <AsyncDropGuard<T> as ::livedrop::AsyncDrop>::Error,
            >,
        > + ::core::marker::Send,
    <AsyncDropGuard<T> as ::livedrop::AsyncDrop>::Error: ::core::marker::Send,
{
    type Error = ::livedrop::CleanupErrors<
        <AsyncDropGuard<T> as ::livedrop::AsyncDrop>::Error,
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
        ::livedrop::__private::UnmarkedField::<[&'a str; N]>::new().owes_no_cleanup();
        ::livedrop::__private::Box::pin(::livedrop::AsyncDrop::async_drop_unboxed(self))
    }
    fn async_drop_unboxed(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), Self::Error>,
    > + ::core::marker::Send {
        let Self { spare: async_drop_field0, busy: async_drop_field1, .. } = self;
        async move {
            let __cleanups = ::livedrop::__private::Cleanups::<Self, _>::new();
            __cleanups.run(async_drop_field0).await;
            __cleanups.run_each(async_drop_field1).await;
            __cleanups.end()
        }
    }
}
