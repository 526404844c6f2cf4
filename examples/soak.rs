//! Adopts many resources from 64 tasks that are aborted, time out, panic and forget at random, and
//! counts how each resource was cleaned up.
//!
//! `cargo run --release --example soak -- [SECONDS] [RESOURCES]`; the defaults are 30 and 100000.
//! It ends at the first limit that is reached.

use std::fmt::{self, Display};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, Reaper, ReaperHandle, with_async_drop};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

const TASKS: usize = 64;

/// How the resources were cleaned up.
#[derive(Default)]
struct Counts {
    made: AtomicUsize,
    cleaned_by_owner: AtomicUsize,
    failed_at_owner: AtomicUsize,
    /// Cleanups that began a second time.
    restarted: AtomicUsize,
    /// Values that were dropped before their cleanup had ended.
    lost: AtomicUsize,
}

impl Counts {
    fn add(count: &AtomicUsize) {
        count.fetch_add(1, SeqCst);
    }
}

struct Resource {
    counts: Arc<Counts>,
    begun: AtomicBool,
    ended: AtomicBool,
}

#[derive(Debug)]
struct Failed;

impl Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cleanup failed")
    }
}

impl Resource {
    fn make(counts: &Arc<Counts>) -> AsyncDropGuard<Resource> {
        Counts::add(&counts.made);
        let (begun, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        AsyncDropGuard::new(Resource { counts: Arc::clone(counts), begun, ended })
    }
}

#[async_trait]
impl AsyncDrop for Resource {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        if self.begun.swap(true, SeqCst) {
            Counts::add(&self.counts.restarted);
        }
        pause().await;
        self.ended.store(true, SeqCst);
        if fastrand::u8(..) < 16 { Err(Failed) } else { Ok(()) }
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        if !self.ended.load(SeqCst) {
            Counts::add(&self.counts.lost);
        }
    }
}

/// Yields a few times, and sometimes sleeps.
async fn pause() {
    for _ in 0..fastrand::usize(..4) {
        yield_now().await;
    }
    if fastrand::u8(..) < 8 {
        sleep(Duration::from_micros(fastrand::u64(..500))).await;
    }
}

/// Acquires one resource, and cleans it up or leaves it to the reaper, at a random point.
async fn own(reaper: ReaperHandle, counts: Arc<Counts>) {
    let made = Arc::clone(&counts);
    let open = async move {
        pause().await;
        Ok::<_, Failed>(Resource::make(&made))
    };
    let Ok(mut guard): Result<AsyncDropGuard<Resource, Adopted>, _> = reaper.acquire(open).await
    else {
        return;
    };
    let cleaned = match fastrand::u8(..5) {
        0 => {
            pause().await;
            guard.async_drop().await
        }
        1 => {
            let body = with_async_drop(guard, async |_| {
                pause().await;
                Ok(())
            });
            body.await
        }
        2 => {
            pause().await;
            match timeout(Duration::from_micros(50), guard.async_drop()).await {
                Ok(cleaned) => cleaned,
                Err(_late) => return,
            }
        }
        3 => {
            pause().await;
            std::panic::panic_any(MEANT);
        }
        _ => return pause().await,
    };
    // There is no `.await` since the cleanup, so every cleanup here is counted.
    Counts::add(&counts.cleaned_by_owner);
    if cleaned.is_err() {
        Counts::add(&counts.failed_at_owner);
    }
}

/// The payload of the intended panics.
struct Meant;
const MEANT: Meant = Meant;

/// Starts owners one after another, and aborts some of them at a random point.
async fn worker(reaper: ReaperHandle, counts: Arc<Counts>, until: Instant, resources: usize) {
    while Instant::now() < until && counts.made.load(SeqCst) < resources {
        let owner = tokio::spawn(own(reaper.clone(), Arc::clone(&counts)));
        if fastrand::bool() {
            pause().await;
            owner.abort();
        }
        let _cancelled_or_panicked = owner.await;
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<Meant>() {
            others(info);
        }
    }));
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let (Ok(seconds), Ok(resources)) =
        (arguments.next().unwrap_or(Ok(30)), arguments.next().unwrap_or(Ok(100_000)))
    else {
        eprintln!("soak: SECONDS and RESOURCES are whole numbers: soak [SECONDS] [RESOURCES]");
        return ExitCode::FAILURE;
    };
    let until = Instant::now() + Duration::from_secs(seconds as u64);

    let counts = Arc::<Counts>::default();
    let mut reaper = Reaper::new();
    let running = tokio::spawn(reaper.run());
    let workers: Vec<_> = (0..TASKS)
        .map(|_| tokio::spawn(worker(reaper.handle(), Arc::clone(&counts), until, resources)))
        .collect();
    let watched = Arc::clone(&counts);
    let handle = reaper.handle();
    let progress = tokio::spawn(async move {
        loop {
            sleep(Duration::from_secs(1)).await;
            let (made, pending) = (watched.made.load(SeqCst), handle.pending().len());
            eprintln!("{made} of {resources} made, {pending} adopted now");
        }
    });
    for worker in workers {
        worker.await.expect("a worker does not panic");
    }
    let report = reaper.drain().await;
    progress.abort();
    reaper.async_drop().await.expect("drained before");
    running.await.expect("the reaper's task does not panic");

    let get = |count: &AtomicUsize| count.load(SeqCst);
    let (made, by_owner) = (get(&counts.made), get(&counts.cleaned_by_owner));
    // `made` does not count openings that were cancelled before they had created a resource.
    let by_reaper = made - by_owner;
    let failed = get(&counts.failed_at_owner) + report.failures.len();
    let (restarted, lost) = (get(&counts.restarted), get(&counts.lost));
    println!("made               {made:>8}");
    println!("cleaned by owner   {by_owner:>8}");
    println!("cleaned by reaper  {:>8}", report.cleaned);
    println!("failed             {failed:>8}");
    println!("restarted          {restarted:>8}");
    println!("lost               {lost:>8}");
    let agree = report.cleaned == by_reaper && lost == 0 && restarted == 0;
    println!("{}", if agree { "the sums agree" } else { "the sums do not agree" });
    if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
