//! The allocations of a cleanup: none if the type is known, and one box if it is not.

use livedrop::{AsyncDrop, AsyncDropGuard};

use crate::support::block_on;

struct Quiet(u8);

#[livedrop::unboxed]
impl AsyncDrop for Quiet {
    type Error = ();

    async fn async_drop_impl(&mut self) -> Result<(), ()> {
        self.0 += 1;
        Ok(())
    }
}

#[derive(AsyncDrop)]
struct One(AsyncDropGuard<Quiet>);

#[derive(AsyncDrop)]
struct Three {
    a: AsyncDropGuard<Quiet>,
    b: Option<AsyncDropGuard<Quiet>>,
    #[async_drop]
    one: One,
}

#[derive(AsyncDrop)]
#[async_drop(concurrent)]
enum Both {
    Open(AsyncDropGuard<Quiet>, AsyncDropGuard<Quiet>),
    _Closed,
}

fn allocations(run: impl FnOnce()) -> u64 {
    // At its first call, the executor allocates its thread-local state.
    block_on(async {});
    allocation_counter::measure(run).count_total
}

fn quiet() -> AsyncDropGuard<Quiet> {
    AsyncDropGuard::new(Quiet(0))
}

fn clean<T: AsyncDrop>(value: T) {
    assert!(block_on(AsyncDropGuard::new(value).async_drop()).is_ok());
}

#[test]
fn no_allocation_through_a_static_guard() {
    assert_eq!(allocations(|| clean(Quiet(0))), 0);
    assert_eq!(allocations(|| clean(One(quiet()))), 0);
    assert_eq!(allocations(|| clean(Both::Open(quiet(), quiet()))), 0);
    let three = || Three { a: quiet(), b: Some(quiet()), one: One(quiet()) };
    assert_eq!(allocations(|| clean(three())), 0);
    let live = || block_on(AsyncDropGuard::live(three()).async_drop()).into_result().is_ok();
    assert_eq!(allocations(|| assert!(live())), 0);
}

#[test]
fn one_allocation_through_a_trait_object() {
    type Unnamed<E> = Box<dyn AsyncDrop<Error = E> + Send>;
    let unnamed: Unnamed<()> = Box::new(Quiet(0));
    assert_eq!(allocations(|| clean(unnamed)), 1);
    let unnamed: Unnamed<_> = Box::new(Three { a: quiet(), b: None, one: One(quiet()) });
    assert_eq!(allocations(|| clean(unnamed)), 1);
}
