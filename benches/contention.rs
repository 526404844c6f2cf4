//! The time in which two threads adopt guards and clean them up, with one reaper for both and with a
//! reaper each. A cleanup takes some microseconds on the processor, as a system call or two does.
//!
//! `cargo bench -p livedrop-benches --bench contention` prints the least time of several runs of each, one
//! after the other, and their ratio. It fails if the ratio is above the bound. Run it on an idle machine
//! with two processors or more. Cleanups that do nothing have a larger ratio, because the threads then only
//! fight for the lock and its cache line.

use std::convert::Infallible;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Barrier;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, ReaperHandle};

const RUNS: usize = 15;
const GUARDS: u32 = 20_000;
const BOUND: f64 = 1.3;
/// Steps of a cleanup.
const STEPS: u64 = 20_000;

struct Connection;

#[livedrop::unboxed]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        for step in 0..STEPS {
            std::hint::black_box(step);
        }
        Ok(())
    }
}

fn adopt_and_clean(reaper: &ReaperHandle) {
    for _ in 0..GUARDS {
        let mut guard = reaper.adopt(AsyncDropGuard::new(Connection));
        let cleaned = pin!(guard.async_drop()).poll(&mut Context::from_waker(Waker::noop()));
        assert!(cleaned.is_ready());
    }
}

/// The time of two threads, one for each handle.
fn time_of(handles: [ReaperHandle; 2]) -> Duration {
    let start = Barrier::new(3);
    std::thread::scope(|scope| {
        let threads = handles.map(|handle| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                adopt_and_clean(&handle);
            })
        });
        start.wait();
        let begun = Instant::now();
        for thread in threads {
            thread.join().expect("it does not panic");
        }
        begun.elapsed()
    })
}

fn main() -> ExitCode {
    let (mut one, mut two) = (Duration::MAX, Duration::MAX);
    for _ in 0..RUNS {
        let mut reapers = [Reaper::new(), Reaper::new()];
        one = one.min(time_of([reapers[0].handle(), reapers[0].handle()]));
        two = two.min(time_of([reapers[0].handle(), reapers[1].handle()]));
        for reaper in &mut reapers {
            futures::executor::block_on(reaper.async_drop()).expect("nothing is left");
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(GUARDS);
    let ratio = one.as_secs_f64() / two.as_secs_f64();
    println!("| one reaper | a reaper each | ratio | bound |");
    println!("|---|---|---|---|");
    println!("| {:.0} ns | {:.0} ns | {ratio:.2} | {BOUND} |", each(one), each(two));
    if ratio <= BOUND { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
