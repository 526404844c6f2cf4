//! The time to clean up many connections whose close waits for a millisecond each.
//!
//! `cargo bench -p livedrop-benches --bench latency` prints two tables. The first uses tokio's paused
//! clock, so that only waiting takes time. The second uses the real clock, and compares with the same
//! written by hand. The bench fails if the library is more than 5 % above the ideal time in the first
//! table, or above the time by hand in the second.

use std::convert::Infallible;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use livedrop::collections::AsyncDropVec;
use livedrop::{AsyncDrop, AsyncDropGuard};
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep};

const CLOSE: Duration = Duration::from_millis(1);
const AT_A_TIME: u32 = 100;
const MOST: f64 = 1.05;

struct Connection {
    is_open: bool,
}

impl Connection {
    fn open() -> Self {
        Self { is_open: true }
    }

    /// The cleanup, as it is written without any guarantee.
    async fn close(mut self) {
        self.shut_down().await;
    }

    async fn shut_down(&mut self) {
        sleep(CLOSE).await;
        self.is_open = false;
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        self.async_drop_unboxed().await
    }

    fn async_drop_unboxed(&mut self) -> impl Future<Output = Result<(), Infallible>> + Send {
        async move {
            self.shut_down().await;
            Ok(())
        }
    }
}

/// How many are closed at a time.
#[derive(Clone, Copy)]
enum Plan {
    OneByOne,
    Bounded,
    AllAtOnce,
}

impl Plan {
    fn name(self) -> &'static str {
        match self {
            Self::OneByOne => "one by one",
            Self::Bounded => "100 at a time",
            Self::AllAtOnce => "all at once",
        }
    }

    /// The time if only waiting took time.
    fn ideal(self, connections: u32) -> Duration {
        match self {
            Self::OneByOne => CLOSE * connections,
            Self::Bounded => CLOSE * connections.div_ceil(AT_A_TIME),
            Self::AllAtOnce => CLOSE,
        }
    }

    /// Times only the closing, as `livedrop` does.
    async fn by_hand(self, connections: u32) -> Duration {
        let connections: Vec<_> = (0..connections).map(|_| Connection::open()).collect();
        let begin = Instant::now();
        match self {
            Self::OneByOne => {
                for connection in connections {
                    connection.close().await;
                }
            }
            Self::Bounded => {
                let closing = stream::iter(connections).map(Connection::close);
                closing.buffer_unordered(AT_A_TIME as usize).collect::<()>().await;
            }
            Self::AllAtOnce => {
                join_all(connections.into_iter().map(Connection::close)).await;
            }
        }
        begin.elapsed()
    }

    async fn livedrop(self, connections: u32) -> Duration {
        let mut vec = AsyncDropVec::new();
        vec.extend((0..connections).map(|_| AsyncDropGuard::new(Connection::open())));
        match self {
            Self::OneByOne => _ = vec.set_concurrency(1),
            Self::Bounded => _ = vec.set_concurrency(AT_A_TIME as usize),
            Self::AllAtOnce => {}
        }
        let begin = Instant::now();
        let Ok(()) = vec.async_drop().await else { panic!("no cleanup fails") };
        begin.elapsed()
    }
}

fn block_on<F: Future>(is_paused: bool, future: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_time().start_paused(is_paused).build();
    runtime.expect("a runtime needs only memory").block_on(future)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Prints the table of the paused clock. Returns whether all times are close to the ideal.
fn print_paused(connections: u32) -> bool {
    println!("| waiting, ms | ideal | by hand | livedrop | of ideal | bound | holds |");
    println!("|---|---|---|---|---|---|---|");
    let mut all_hold = true;
    for plan in [Plan::OneByOne, Plan::Bounded, Plan::AllAtOnce] {
        let ideal = milliseconds(plan.ideal(connections));
        let by_hand = milliseconds(block_on(true, plan.by_hand(connections)));
        let livedrop = milliseconds(block_on(true, plan.livedrop(connections)));
        let ratio = livedrop / ideal;
        all_hold &= ratio <= MOST;
        print!("| {} | {ideal:.0} | {by_hand:.0} | {livedrop:.0} | {ratio:.3} |", plan.name());
        println!(" ≤ {MOST} | {} |", if ratio <= MOST { "yes" } else { "**no**" });
    }
    all_hold
}

/// Prints the table of the real clock. Returns whether all times are close to the times by hand.
///
/// It takes the shortest of several times, since the others were disturbed, and measures the two
/// in turns, since the speed of the machine changes.
fn print_real(connections: u32) -> bool {
    println!("| on the wall, ms | by hand | livedrop | ratio | bound | holds |");
    println!("|---|---|---|---|---|---|");
    let mut all_hold = true;
    for (plan, times) in [(Plan::OneByOne, 1), (Plan::Bounded, 10), (Plan::AllAtOnce, 50)] {
        let (mut by_hand, mut livedrop) = (Duration::MAX, Duration::MAX);
        for _ in 0..times {
            by_hand = by_hand.min(block_on(false, plan.by_hand(connections)));
            livedrop = livedrop.min(block_on(false, plan.livedrop(connections)));
        }
        let (by_hand, livedrop) = (milliseconds(by_hand), milliseconds(livedrop));
        let ratio = livedrop / by_hand;
        all_hold &= ratio <= MOST;
        print!("| {} | {by_hand:.2} | {livedrop:.2} | {ratio:.3} |", plan.name());
        println!(" ≤ {MOST} | {} |", if ratio <= MOST { "yes" } else { "**no**" });
    }
    all_hold
}

fn main() {
    // Run as a test, it only has to work.
    if !std::env::args().any(|argument| argument == "--bench") {
        print_paused(1_000);
        return;
    }
    let waits = print_paused(10_000);
    println!();
    if !(print_real(10_000) && waits) {
        eprintln!("not all bounds hold");
        std::process::exit(1);
    }
}
