//! The guarantees of the library's guards, written by hand for one type, as a careful engineer would
//! write them without the library. The first lines of each file state its guarantee.

pub(crate) mod arc;
pub(crate) mod boxed;
pub(crate) mod checked;
pub(crate) mod live;
mod origin;
pub(crate) mod scope;
pub(crate) mod with;

use std::convert::Infallible;

use origin::Origin;

/// The by-value cleanup of the baselines of `Live`.
pub(crate) trait Close {
    fn close(self) -> impl Future<Output = Result<(), Infallible>>;
}
