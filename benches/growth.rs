//! The cost of cleaning up many guards, for each guard, from a thousand to a million: in a map, a
//! vector, a stack, and by a reaper.
//!
//! `cargo bench -p livedrop-benches --bench growth` prints a table. If a cost grows faster than the
//! number of entries, its column rises. The rows `futures` and `boxed futures` are a
//! `FuturesUnordered` over plain values, without any guarantee: if they rise, too, the machine is the
//! cause. The bench `plot` draws the table.

use std::convert::Infallible;
use std::task::Poll;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::executor::block_on;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use livedrop::collections::{AsyncDropHashMap, AsyncDropStack, AsyncDropVec};
use livedrop::reaper::Report;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper};

const SIZES: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// A value of 16 bytes whose cleanup waits this many times, and is woken at once.
struct Entry {
    waits: u64,
    cleaned: u64,
}

impl Entry {
    fn guard(waits: u64) -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self { waits, cleaned: 0 })
    }
}

#[async_trait]
impl AsyncDrop for Entry {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Infallible>> + Send {
        async move {
            for _ in 0..self.waits {
                wake_and_wait().await;
            }
            self.cleaned += 1;
            Ok(())
        }
    }
}

/// Is pending once, and wakes its task at once.
fn wake_and_wait() -> impl Future<Output = ()> + Send {
    let mut has_waited = false;
    std::future::poll_fn(move |cx| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// The cost of one cleanup.
struct Cost {
    time: Duration,
    /// Bytes that were in use when the cleanup began, and the most that it used on top of them.
    held: i64,
    on_top: u64,
}

/// Fills a container, and measures its cleanup.
fn measure<T: AsyncDrop>(fill: impl FnOnce() -> AsyncDropGuard<T>) -> Cost {
    let mut container = None;
    let filling = allocation_counter::measure(|| container = Some(fill()));
    let mut container = container.expect("it was just filled");
    let begin = Instant::now();
    let cleaning = allocation_counter::measure(|| {
        block_on(container.async_drop()).expect("no cleanup fails");
    });
    Cost { time: begin.elapsed(), held: filling.bytes_current, on_top: cleaning.bytes_max }
}

fn map(entries: u64, waits: u64, limit: Option<usize>) -> Cost {
    measure(|| {
        let mut map = AsyncDropHashMap::new();
        if let Some(limit) = limit {
            map.set_concurrency(limit);
        }
        for key in 0..entries {
            let replaced = map.insert(key, Entry::guard(waits));
            assert!(replaced.is_none(), "every key is new");
        }
        map
    })
}

fn vec(entries: u64, waits: u64, limit: Option<usize>) -> Cost {
    measure(|| {
        let mut vec = AsyncDropVec::new();
        if let Some(limit) = limit {
            vec.set_concurrency(limit);
        }
        vec.extend((0..entries).map(|_| Entry::guard(waits)));
        vec
    })
}

fn stack(entries: u64, waits: u64, _: Option<usize>) -> Cost {
    measure(|| {
        let mut stack = AsyncDropStack::new();
        for _ in 0..entries {
            stack.push(Entry::guard(waits));
        }
        stack
    })
}

/// The hand-off to the reaper is measured, too.
fn reaper(entries: u64, waits: u64, _: Option<usize>) -> Cost {
    struct Orphans(Vec<AsyncDropGuard<Entry>>);

    #[async_trait]
    impl AsyncDrop for Orphans {
        type Error = Report;

        async fn async_drop_impl(&mut self) -> Result<(), Report> {
            let mut reaper = Reaper::new();
            for guard in self.0.drain(..) {
                drop(reaper.adopt(guard));
            }
            reaper.async_drop().await
        }
    }

    measure(|| AsyncDropGuard::new(Orphans((0..entries).map(|_| Entry::guard(waits)).collect())))
}

/// The usual code without the library.
fn futures(entries: u64, waits: u64, _: Option<usize>) -> Cost {
    struct ByHand(Vec<Entry>);

    #[async_trait]
    impl AsyncDrop for ByHand {
        type Error = Infallible;

        async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
            let cleanups = self.0.iter_mut().map(Entry::async_drop_unboxed);
            let mut cleanups: FuturesUnordered<_> = cleanups.collect();
            while let Some(result) = cleanups.next().await {
                result?;
            }
            Ok(())
        }
    }

    let entry = |_| Entry { waits, cleaned: 0 };
    measure(|| AsyncDropGuard::new(ByHand((0..entries).map(entry).collect())))
}

/// The same for values of several types.
fn boxes(entries: u64, waits: u64, _: Option<usize>) -> Cost {
    struct ByHand(Vec<Entry>);

    #[async_trait]
    impl AsyncDrop for ByHand {
        type Error = Infallible;

        async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
            let mut cleanups = FuturesUnordered::<BoxFuture<'_, _>>::new();
            for mut entry in self.0.drain(..) {
                cleanups.push(Box::pin(async move { entry.async_drop_unboxed().await }));
            }
            while let Some(result) = cleanups.next().await {
                result?;
            }
            Ok(())
        }
    }

    let entry = |_| Entry { waits, cleaned: 0 };
    measure(|| AsyncDropGuard::new(ByHand((0..entries).map(entry).collect())))
}

/// A line of the table.
struct Row {
    container: &'static str,
    clean: fn(u64, u64, Option<usize>) -> Cost,
    waits: u64,
    limit: Option<usize>,
    entries: u32,
}

impl Row {
    fn all(sizes: &[u32]) -> Vec<Self> {
        let cleanups = [
            ("map", map as fn(_, _, _) -> _),
            ("vec", vec),
            ("stack", stack),
            ("reaper", reaper),
            ("futures", futures),
            ("boxed futures", boxes),
        ];
        let mut rows = Vec::new();
        for (container, clean) in cleanups {
            for (waits, limit) in [(0, None), (1, None), (1, Some(100))] {
                // The other containers have no limit.
                if matches!(container, "map" | "vec") || limit.is_none() {
                    let row = |&entries| Self { container, clean, waits, limit, entries };
                    rows.extend(sizes.iter().map(row));
                }
            }
        }
        rows
    }

    fn run(&self) -> Cost {
        (self.clean)(u64::from(self.entries), self.waits, self.limit)
    }

    fn print(&self, cost: &Cost) {
        let Self { container, waits, entries, .. } = self;
        let limit = self.limit.map_or("all".to_owned(), |limit| limit.to_string());
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let [time, held, on_top] =
            [cost.time.as_nanos() as f64, cost.held as f64, cost.on_top as f64]
                .map(|total| total / f64::from(*entries));
        println!(
            "| {container} | {waits} | {limit} | {entries} | {time:.1} | {held:.1} | {on_top:.1} |"
        );
    }
}

fn main() {
    // Run as a test, it only has to work.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (sizes, rounds) = if is_bench { (&SIZES[..], 7) } else { (&SIZES[..1], 1) };
    let rows = Row::all(sizes);
    // Several rounds over all rows, of which the fastest counts: a disturbance lasts for a while.
    let mut best: Vec<Cost> = rows.iter().map(Row::run).collect();
    for _ in 1..rounds {
        for (row, best) in rows.iter().zip(&mut best) {
            let cost = row.run();
            if cost.time < best.time {
                *best = cost;
            }
        }
    }
    println!(
        "| container | waits | at a time | entries | ns/entry | bytes held/entry | peak on top/entry |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (row, cost) in rows.iter().zip(&best) {
        row.print(cost);
    }
}
