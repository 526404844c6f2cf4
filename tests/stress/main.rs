//! Rounds of reapers under load: 64 tasks adopt, acquire under a timeout, shield and drop values, are aborted
//! and panic, on four threads; drivers are aborted; and each round ends in another way. After each round the
//! account of its values must agree: made = cleaned + abandoned, and nothing twice.
//!
//! `cargo run --release -p livedrop-stress -- [SECONDS]`; the default is 60.

mod account;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use account::{Account, Failed, Meant, Resource};
use livedrop::hook::{self, Unhandled};
use livedrop::reaper::{CleanupTask, Report};
use livedrop::{Adopted, AsyncDropGuard, Reaper, ReaperHandle, with_async_drop};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};

const TASKS: usize = 64;

/// The account of the current round, for the hook.
static CURRENT: Mutex<Option<Arc<Account>>> = Mutex::new(None);

static NUMBERS: AtomicUsize = AtomicUsize::new(0);

fn next_number() -> usize {
    NUMBERS.fetch_add(1, SeqCst)
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

/// Acquires a value, perhaps under a timeout, and cleans it up or leaves it to the reaper.
async fn own(reaper: ReaperHandle, account: Arc<Account>) {
    let number = next_number();
    let reaper = reaper.with_label(number.to_string());
    let opened = Arc::clone(&account);
    let open = async move {
        pause().await;
        // Nothing is awaited after the value is made, so an opening that is lost has made none.
        Ok::<_, Failed>(Resource::make(number, &opened))
    };
    let acquired: Option<AsyncDropGuard<Resource, Adopted>> = match fastrand::u8(..4) {
        0 => timeout(Duration::from_micros(100), reaper.acquire(open))
            .await
            .ok()
            .and_then(Result::ok),
        1 => reaper.try_acquire(open).await.ok(),
        _ => reaper.acquire(open).await.ok(),
    };
    let Some(mut guard) = acquired else { return };
    let cleaned = match fastrand::u8(..5) {
        0 => {
            pause().await;
            guard.async_drop().await
        }
        1 => {
            let body = async |_: &mut Resource| {
                pause().await;
                Ok(())
            };
            with_async_drop(guard, body).await
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
            std::panic::panic_any(Meant);
        }
        _ => return pause().await,
    };
    // There is no `.await` since the cleanup, so every cleanup here is counted.
    account.by_owner(&cleaned);
}

/// Owns a network and a container in it. The container must be cleaned up first.
async fn own_two(reaper: ReaperHandle, account: Arc<Account>) {
    let (first, second) = (next_number(), next_number());
    let lane = reaper.ordered();
    let container = Resource::make(first, &account);
    let network = Resource::before(second, &account, Some(container.ended()));
    let mut network = lane.with_label(second.to_string()).adopt(network);
    // Declared later, so it is dropped first.
    let mut container = lane.with_label(first.to_string()).adopt(container);
    pause().await;
    account.by_owner(&container.async_drop().await);
    account.by_owner(&network.async_drop().await);
}

async fn work(account: Arc<Account>) {
    Account::add(&account.shielded);
    pause().await;
    Account::add(&account.shielded_to_the_end);
}

/// Starts owners one after another, and aborts some of them at a random point.
async fn worker(reaper: ReaperHandle, account: Arc<Account>, until: Instant) {
    while Instant::now() < until {
        let (handle, account) = (reaper.clone(), Arc::clone(&account));
        let owner = match fastrand::u8(..8) {
            0 => tokio::spawn(own_two(handle, account)),
            1 => tokio::spawn(async move { handle.shield(work(account)).await }),
            _ => tokio::spawn(own(handle, account)),
        };
        if fastrand::bool() {
            pause().await;
            owner.abort();
        }
        let _cancelled_or_panicked = owner.await;
    }
}

/// Runs the reaper, and aborts the driver again and again.
async fn drive(reaper: Arc<AsyncDropGuard<Reaper>>, until: Instant) {
    while Instant::now() < until {
        let run = if fastrand::bool() { reaper.run() } else { reaper.run_with(spawn_cleanup) };
        let driver = tokio::spawn(run);
        sleep(Duration::from_micros(fastrand::u64(..5_000))).await;
        driver.abort();
    }
}

fn spawn_cleanup(cleanup: CleanupTask) {
    tokio::spawn(cleanup);
}

/// How a round ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Drain,
    Close,
    Abandon,
    Shutdown,
}

/// One round. Returns what does not agree.
async fn round(end: End) -> (String, Vec<String>) {
    let account = Arc::<Account>::default();
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&account));
    let until = Instant::now() + Duration::from_millis(fastrand::u64(100..500));
    let reaper = Arc::new(Reaper::new());
    if fastrand::bool() {
        reaper.set_concurrency(fastrand::usize(1..1_000));
    }
    let kept_run = tokio::spawn(reaper.run());
    let driver = tokio::spawn(drive(Arc::clone(&reaper), until));
    let workers: Vec<JoinHandle<()>> = (0..TASKS)
        .map(|_| tokio::spawn(worker(reaper.handle(), Arc::clone(&account), until)))
        .collect();
    let mut reports = Vec::new();
    // Some rounds end while the workers still adopt.
    if fastrand::bool() {
        sleep(Duration::from_millis(fastrand::u64(..100))).await;
        match end {
            End::Close => reaper.close(),
            End::Abandon => reports.push(reaper.abandon()),
            End::Drain | End::Shutdown => reports.push(reaper.take_report()),
        }
    }
    for worker in workers {
        worker.await.expect("a worker does not panic");
    }
    driver.await.expect("the drivers do not panic");
    let mut reaper = Arc::into_inner(reaper).expect("`drive` has ended");
    match end {
        End::Drain | End::Close => reports.push(reaper.drain().await),
        End::Abandon => reports.push(reaper.abandon()),
        End::Shutdown => {
            let deadline = sleep(Duration::from_micros(fastrand::u64(..300)));
            reports.push(Reaper::shutdown(reaper, deadline).await);
            kept_run.await.expect("the reaper's task does not panic");
            return settle(&account, &reports, false).await;
        }
    }
    // The next report names the orphans that were being polled during an `abandon`.
    reports.push(reaper.drain().await);
    if let Err(last) = reaper.async_drop().await {
        return (account.to_string(), vec![format!("a cleanup failed after the drain: {last:?}")]);
    }
    kept_run.await.expect("the reaper's task does not panic");
    settle(&account, &reports, true).await
}

/// Compares the account with the reports, when the last values of aborted tasks are gone.
async fn settle(
    account: &Account,
    reports: &[Report],
    all_are_named: bool,
) -> (String, Vec<String>) {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let errors = account.errors(reports, all_are_named);
        if errors.is_empty() || Instant::now() > until {
            return (account.to_string(), errors);
        }
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::main(worker_threads = 4)]
async fn main() -> ExitCode {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<Meant>() {
            others(info);
        }
    }));
    let seconds = match std::env::args().nth(1).map(|text| text.parse()) {
        None => 60,
        Some(Ok(seconds)) => seconds,
        Some(Err(error)) => {
            eprintln!("livedrop-stress: SECONDS is a whole number: {error}");
            return ExitCode::FAILURE;
        }
    };
    hook::set(|unhandled| {
        let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let account = current.expect("nothing is reported before the first round");
        match unhandled {
            Unhandled::Failed { .. } => Account::add(&account.failures_told),
            Unhandled::Forgotten { .. } => Account::add(&account.forgotten),
            _ => hook::log(unhandled),
        }
    });
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut rounds = 0;
    while Instant::now() < until {
        let ends = [End::Drain, End::Close, End::Abandon, End::Shutdown];
        let end = ends[fastrand::usize(..ends.len())];
        let (account, errors) = round(end).await;
        rounds += 1;
        if !errors.is_empty() {
            println!("round {rounds}, {end:?}: {account}\n{}", errors.join("\n"));
            return ExitCode::FAILURE;
        }
    }
    println!("{rounds} rounds: all accounts agree");
    ExitCode::SUCCESS
}
