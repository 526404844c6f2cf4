//! Adopts many resources from 64 tasks that are aborted, time out, panic and forget at random, and
//! counts how each resource was cleaned up. Some resources depend on others, and some work is shielded.
//!
//! `cargo run --release --example soak -- [SECONDS] [RESOURCES]`; the defaults are 30 and 100000.
//! It ends at the first limit that is reached.

use std::fmt::{self, Display};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use livedrop::hook::{self, Unhandled};
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
    /// Failures at the reaper that the hook was told of.
    told: AtomicUsize,
    /// Cleanups that began before the cleanup of a dependant had ended.
    out_of_order: AtomicUsize,
    shielded: AtomicUsize,
    shielded_to_the_end: AtomicUsize,
    /// Shielded work whose caller was not cancelled.
    shielded_for_caller: AtomicUsize,
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
    ended: Arc<AtomicBool>,
    /// Whether the cleanup of the resource that depends on this one has ended.
    dependant: Option<Arc<AtomicBool>>,
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
        Self::with_dependant(counts, None)
    }

    fn with_dependant(
        counts: &Arc<Counts>,
        dependant: Option<Arc<AtomicBool>>,
    ) -> AsyncDropGuard<Resource> {
        Counts::add(&counts.made);
        let (counts, begun, ended) = (Arc::clone(counts), AtomicBool::new(false), Arc::default());
        AsyncDropGuard::new(Resource { counts, begun, ended, dependant })
    }
}

#[async_trait]
impl AsyncDrop for Resource {
    type Error = Failed;

    async fn async_drop_impl(&mut self) -> Result<(), Failed> {
        if self.begun.swap(true, SeqCst) {
            Counts::add(&self.counts.restarted);
        }
        if self.dependant.as_ref().is_some_and(|dependant| !dependant.load(SeqCst)) {
            Counts::add(&self.counts.out_of_order);
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

/// Owns a network and a container in it. The container must be cleaned up first, by this task or by the reaper.
async fn own_two(reaper: ReaperHandle, counts: Arc<Counts>) {
    let reaper = reaper.ordered();
    let container = Resource::make(&counts);
    let network = Resource::with_dependant(&counts, Some(Arc::clone(&container.ended)));
    let mut network = reaper.adopt(network);
    let mut container = reaper.adopt(container); // declared later, so it is dropped first
    let cleaned_up = |cleaned: Result<(), Failed>| {
        Counts::add(&counts.cleaned_by_owner);
        if cleaned.is_err() {
            Counts::add(&counts.failed_at_owner);
        }
    };
    pause().await;
    cleaned_up(container.async_drop().await);
    cleaned_up(network.async_drop().await);
}

/// Work that must not be cancelled.
async fn work(counts: Arc<Counts>) {
    Counts::add(&counts.shielded);
    pause().await;
    Counts::add(&counts.shielded_to_the_end);
}

/// The payload of the intended panics.
struct Meant;
const MEANT: Meant = Meant;

/// Starts owners one after another, and aborts some of them at a random point.
async fn worker(reaper: ReaperHandle, counts: Arc<Counts>, until: Instant, resources: usize) {
    while Instant::now() < until && counts.made.load(SeqCst) < resources {
        let (handle, counted) = (reaper.clone(), Arc::clone(&counts));
        let owner = match fastrand::u8(..8) {
            0 => tokio::spawn(own_two(handle, counted)),
            1 => tokio::spawn(async move {
                handle.shield(work(Arc::clone(&counted))).await;
                Counts::add(&counted.shielded_for_caller);
            }),
            _ => tokio::spawn(own(handle, counted)),
        };
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
    let told = Arc::clone(&counts);
    hook::set(move |unhandled| match unhandled {
        Unhandled::Failed { .. } => Counts::add(&told.told),
        _ => hook::panic(unhandled),
    });
    let mut reaper = Reaper::new();
    reaper.set_concurrency(1_000);
    let running = tokio::spawn(reaper.run());
    let spawning = tokio::spawn(reaper.run_with(|cleanup| {
        tokio::spawn(cleanup);
    }));
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
    spawning.await.expect("the reaper's task does not panic");

    let get = |count: &AtomicUsize| count.load(SeqCst);
    let (made, by_owner) = (get(&counts.made), get(&counts.cleaned_by_owner));
    // `made` does not count openings that were cancelled before they had created a resource.
    let (shielded, to_the_end) = (get(&counts.shielded), get(&counts.shielded_to_the_end));
    let by_reaper = made - by_owner + shielded - get(&counts.shielded_for_caller);
    let failed_at_reaper = report.failures.len() + report.more_failures;
    let failed = get(&counts.failed_at_owner) + failed_at_reaper;
    let (restarted, lost) = (get(&counts.restarted), get(&counts.lost));
    let (told, out_of_order) = (get(&counts.told), get(&counts.out_of_order));
    let interrupted = shielded - to_the_end;
    println!("made               {made:>8}");
    println!("cleaned by owner   {by_owner:>8}");
    println!("cleaned by reaper  {:>8}", report.cleaned);
    println!("failed             {failed:>8}");
    println!("failed at reaper   {failed_at_reaper:>8}");
    println!("the hook was told  {told:>8}");
    println!("shielded           {shielded:>8}");
    println!("interrupted        {interrupted:>8}");
    println!("out of order       {out_of_order:>8}");
    println!("restarted          {restarted:>8}");
    println!("lost               {lost:>8}");
    let agree = report.cleaned == by_reaper
        && told == failed_at_reaper
        && [interrupted, out_of_order, restarted, lost] == [0; 4];
    println!("{}", if agree { "the sums agree" } else { "the sums do not agree" });
    if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
