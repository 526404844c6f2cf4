//! The guarantees of the library's guards, written by hand for one type: what a careful engineer
//! would write who does not want the library. Each file begins with the guarantee it gives.

pub(crate) mod arc;
pub(crate) mod bomb;
pub(crate) mod boxed;
pub(crate) mod checked;
pub(crate) mod live;
pub(crate) mod live_apart;
pub(crate) mod live_in_place;
mod origin;
pub(crate) mod scope;
pub(crate) mod with;

use std::convert::Infallible;

use origin::Origin;

/// By-value cleanup: what the twins of `Live` have in common.
pub(crate) trait Close {
    fn close(self) -> impl Future<Output = Result<(), Infallible>>;
}
