//! The allocations of each operation, and the sizes of guards and of their cleanups' futures.
//!
//! `cargo bench -p livedrop-benches --bench sizes` prints both as tables, and fails if one is
//! larger than promised.

use std::convert::Infallible;

use async_trait::async_trait;
use columns::{head, row};
use livedrop::scope::ScopedGuard;
use livedrop::sync::AsyncDropArc;
use livedrop::{
    Adopted, AsyncDrop, AsyncDropGuard, Dropped, Live, bracket, scope, with_async_drop,
};
use support::pairs::{MANY, Many, ONCE};
use value::run;

#[path = "instructions/many.rs"]
mod many;
#[expect(dead_code, reason = "nothing is subtracted here")]
#[path = "instructions/once.rs"]
mod once;
mod support {
    pub(crate) mod pairs;
}
mod baselines;
#[path = "support/columns.rs"]
mod columns;
#[path = "instructions/value.rs"]
mod value;

const VALUES: u64 = 10_000;

/// A value of that many bytes, whose cleanup keeps nothing across an await.
struct Bytes<const N: usize>([u8; N]);

#[async_trait]
impl<const N: usize> AsyncDrop for Bytes<N> {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Infallible>> + Send {
        async move {
            self.0[0] += 1;
            Ok(())
        }
    }
}

/// The allocations and allocated bytes of one operation. The difference of two runs leaves out
/// everything that is made once.
fn allocated(operation: impl Fn(u64)) -> (u64, u64) {
    let few = allocation_counter::measure(|| operation(1_000));
    let more = allocation_counter::measure(|| operation(2_000));
    ((more.count_total - few.count_total) / 1_000, (more.bytes_total - few.bytes_total) / 1_000)
}

/// Prints the allocations and the bytes of one operation. Returns whether only a boxed cleanup allocates.
fn print_allocations_of_one() -> bool {
    println!("{}", head("allocations, bytes"));
    let mut all_hold = true;
    for pairs in ONCE {
        let cell = |operation: &fn(u64)| {
            let (count, bytes) = allocated(operation);
            format!("{count}, {bytes}")
        };
        let (count, bytes) = allocated(pairs.livedrop);
        let may_allocate = matches!(pairs.operation, "boxed" | "`scope!`, adopted");
        let holds = count == 0 || may_allocate;
        all_hold &= holds;
        let sign = if holds { "" } else { " **> 0**" };
        let livedrop = format!("{count}, {bytes}{sign}");
        println!("{}", row(pairs.operation, &livedrop, pairs.others, cell));
    }
    all_hold
}

/// Prints the allocations and the bytes of the cleanup of many values, for each value.
fn print_allocations_of_many() {
    println!("{}", head("allocations, bytes for each value"));
    for pairs in MANY {
        for (waits, name) in [(0, "no waiting"), (1, "waits once")] {
            let cell = |many: &Many| {
                let info = allocation_counter::measure(many(VALUES, waits));
                #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                let each = |total: u64| total as f64 / VALUES as f64;
                format!("{:.2}, {:.1}", each(info.count_total), each(info.bytes_total))
            };
            let operation = format!("{}, {name}", pairs.operation);
            println!("{}", row(&operation, &cell(&pairs.livedrop), pairs.others, cell));
        }
    }
}

/// The name of a type, its size in bytes, and the bound of the size.
type Size = (&'static str, usize, Option<usize>);

fn sizes_of_guards<const N: usize>() -> Vec<Size> {
    vec![
        ("the value", size_of::<Bytes<N>>(), None),
        ("`Live`", size_of::<AsyncDropGuard<Bytes<N>, Live>>(), Some(N)),
        ("`Live`, in a `scope`", size_of::<ScopedGuard<'_, Bytes<N>>>(), Some(N)),
        ("`Dropped`", size_of::<AsyncDropGuard<Bytes<N>, Dropped>>(), Some(0)),
        (
            "`Checked`",
            size_of::<AsyncDropGuard<Bytes<N>>>(),
            Some(size_of::<Option<Bytes<N>>>() + size_of::<usize>()),
        ),
        ("`Adopted`", size_of::<AsyncDropGuard<Bytes<N>, Adopted>>(), None),
        ("`AsyncDropArc`, `Checked`", size_of::<AsyncDropGuard<AsyncDropArc<Bytes<N>>>>(), None),
    ]
}

/// The size of the future. Runs it, so that its guard is not forgotten.
fn size<F: Future>(future: F) -> usize {
    let size = size_of_val(&future);
    run(future);
    size
}

/// With 1,000 bytes, the futures of `async_drop` and `scope` have bounds.
fn sizes_of_futures<const N: usize>() -> Vec<Size> {
    let bound = |bound| (N == 1_000).then_some(bound);
    let value = || Bytes([0; N]);
    let (live, checked) = (|| AsyncDropGuard::live(value()), || AsyncDropGuard::new(value()));
    let by_hand = async |mut value: Bytes<N>| value.async_drop_unboxed().await;
    vec![
        ("future by hand, `async fn close(self)`", size(by_hand(value())), None),
        ("future of `async_drop`, `Live`", size(live().async_drop()), bound(1_040)),
        ("future of `async_drop`, `Checked`", size(checked().async_drop()), None),
        (
            "future of `scope`",
            size(scope(live(), async |guard| (guard.async_drop().await.proof, ()))),
            bound(2_060),
        ),
        (
            "future of `scope`, the value used in it",
            size(scope(live(), async |mut guard| {
                guard.0[0] += 1;
                (guard.async_drop().await.proof, ())
            })),
            None,
        ),
        (
            "future of `scope!`",
            size(scope!(live(), async |guard| (guard.async_drop().await.proof, ()))),
            bound(2_060),
        ),
        (
            "future of `scope!`, the value used in it",
            size(scope!(live(), async |mut guard| {
                guard.0[0] += 1;
                (guard.async_drop().await.proof, ())
            })),
            None,
        ),
        ("future of `bracket`", size(bracket(checked(), async |_| ())), None),
        (
            "future of `with_async_drop`",
            size(with_async_drop(checked(), async |_| Ok::<(), Infallible>(()))),
            None,
        ),
        (
            "future around `with_async_drop!`",
            size(async {
                let guard = checked();
                with_async_drop!(guard, { Ok::<(), Infallible>(()) })
            }),
            None,
        ),
    ]
}

/// Prints the table. Returns whether all bounds hold.
fn print_sizes() -> bool {
    println!("| of | 24 bytes | bound | 1,000 bytes | bound | holds |\n|---|---|---|---|---|---|");
    let small = sizes_of_guards::<24>().into_iter().chain(sizes_of_futures::<24>());
    let large = sizes_of_guards::<1_000>().into_iter().chain(sizes_of_futures::<1_000>());
    let mut all_hold = true;
    for ((name, small, small_bound), (_, large, large_bound)) in small.zip(large) {
        let is_within = |size, bound: Option<usize>| bound.is_none_or(|bound| size <= bound);
        let holds = match large_bound {
            _ if !is_within(small, small_bound) || !is_within(large, large_bound) => {
                all_hold = false;
                "**no**"
            }
            Some(_) => "yes",
            None => "",
        };
        let text = |bound: Option<usize>| bound.map_or(String::new(), |bound| format!("≤ {bound}"));
        let (small_bound, large_bound) = (text(small_bound), text(large_bound));
        println!("| {name} | {small} | {small_bound} | {large} | {large_bound} | {holds} |");
    }
    all_hold
}

fn main() {
    let mut all_hold = print_allocations_of_one();
    println!();
    print_allocations_of_many();
    println!();
    all_hold &= print_sizes();
    // Run as a test, it only has to work: guards of a build with creation sites are larger.
    if std::env::args().any(|argument| argument == "--bench") && !all_hold {
        eprintln!("not all bounds hold");
        std::process::exit(1);
    }
}
