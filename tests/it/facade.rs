//! The crate behind another path, as in a crate that re-exports it: the macros use `$crate`.
#![no_implicit_prelude]

use ::core::assert_eq;
use ::core::convert::{From, Infallible};
use ::core::result::Result::{self, Err, Ok};
use ::std::boxed::Box;

use crate::support::block_on;

pub(crate) use ::livedrop as drops;

/// A name that the expansions must not use.
#[allow(dead_code, reason = "in the way")]
mod livedrop {}

/// A value whose cleanup fails with its number.
struct Fails(u8);

#[::async_trait::async_trait]
impl drops::AsyncDrop for Fails {
    type Error = u8;

    async fn async_drop_impl(&mut self) -> Result<(), u8> {
        Err(self.0)
    }
}

/// A value whose cleanup cannot fail.
struct Succeeds;

#[::async_trait::async_trait]
impl drops::AsyncDrop for Succeeds {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn fails(number: u8) -> drops::AsyncDropGuard<Fails> {
    drops::AsyncDropGuard::new(Fails(number))
}

fn live(number: u8) -> drops::AsyncDropGuard<Fails, drops::Live> {
    drops::AsyncDropGuard::live(Fails(number))
}

fn succeeds() -> drops::AsyncDropGuard<Succeeds> {
    drops::AsyncDropGuard::new(Succeeds)
}

#[test]
fn scopes_work_through_a_reexport() {
    let one = drops::scope!(live(1), async |guard| {
        drops::try_or_drop!(guard, Ok::<u8, u8>(guard.0));
        guard.async_drop().await.after(Ok::<(), u8>(()))
    });
    assert_eq!(block_on(one), Err(1));
    let several = drops::scope!((live(2), live(3)), async |a, b| {
        drops::try_or_drop!((a, b), Err::<(), _>(drops::CleanupErrors::from(4)));
        drops::async_drop_all((a, b)).await.after(Ok::<(), drops::CleanupErrors<u8>>(()))
    });
    assert_eq!(block_on(several).map_err(drops::CleanupErrors::into_first), Err(4));
}

#[test]
fn with_async_drop_works_through_a_reexport() {
    let (a, b, c) = (fails(1), fails(2), fails(3));
    let alone = async { drops::with_async_drop!(a, { Ok::<u8, u8>(a.0) }) };
    assert_eq!(block_on(alone), Err(1));
    let map_err = |error: u8| error + 10;
    let several = async { drops::with_async_drop!(b, c, { Ok(b.0 + c.0) }, map_err) };
    assert_eq!(block_on(several), Err(12));
    let a = fails(4);
    let original = async { drops::with_async_drop_2!(a, { Ok::<u8, u8>(a.0) }) };
    assert_eq!(block_on(original), Err(4));
    let (a, b, c) = (succeeds(), succeeds(), succeeds());
    assert_eq!(block_on(async { drops::with_async_drop_infallible!(a, b, { 5 }) }), 5);
    assert_eq!(block_on(async { drops::with_async_drop_2_infallible!(c, { 6 }) }), 6);
}
