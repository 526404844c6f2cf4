//! The demonstration: clients make load and some are aborted, a signal stops the service in the
//! middle, and then the numbers are compared.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use livedrop::hook::{self, Unhandled};
use livedrop::{AsyncDropGuard, with_async_drop};
use nix::sys::signal::{Signal, raise};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::store::Counts;
use crate::{Result, server, signals};

mod client;
mod ledger;

use client::Client;
use ledger::{Comparison, Ledger};

const CLIENTS: usize = 64;
const LOAD: Duration = Duration::from_secs(2);
const ABORT_EVERY: Duration = Duration::from_millis(10);

/// The number of reports to the hook: lost guards and suppressed errors.
static REPORTS: AtomicUsize = AtomicUsize::new(0);

pub(crate) async fn run() -> Result {
    hook::set(|unhandled: &Unhandled<'_>| {
        REPORTS.fetch_add(1, SeqCst);
        hook::log(unhandled);
    });
    let folder = std::env::temp_dir().join(format!("livedrop-service-{}", std::process::id()));
    std::fs::create_dir(&folder)
        .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let folder = AsyncDropGuard::with_cleanup(folder, tokio::fs::remove_dir_all);
    with_async_drop(folder, async |folder| demonstrate(&folder.join("pairs.db")).await).await
}

async fn demonstrate(database: &Path) -> Result {
    let stop = signals()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (counts, ledger) = (Arc::<Counts>::default(), Arc::<Mutex<Ledger>>::default());

    let service = server::run(database, listener, Arc::clone(&counts), stop);
    let (served, aborted) = tokio::join!(service, load(address, &ledger));
    served?;
    let aborted = aborted?;

    let log_is_left = database.with_extension("db-wal").exists();
    let stored = stored(database).await?;
    let tasks = tasks_left().await;
    let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let comparison = ledger.compare(&stored);
    println!("clients                  {CLIENTS:>7}, {aborted} of them aborted and replaced");
    print_clients(&ledger, &comparison);

    let [begun, committed, rolled_back] =
        [&counts.begun, &counts.committed, &counts.rolled_back].map(|count| count.load(SeqCst));
    let open = begun - committed - rolled_back;
    let reports = REPORTS.load(SeqCst);
    println!(
        "the service's own count  {begun:>7} transactions begun, {committed} committed, {rolled_back} rolled back"
    );
    println!(
        "left                     {open:>7} transactions open, {tasks} tasks, {reports} lost guards or errors"
    );
    println!("the log                  {:>7}", if log_is_left { "is left" } else { "is gone" });

    let nothing_is_left = (open, tasks, reports, log_is_left) == (0, 0, 0, false);
    if comparison.agrees() && nothing_is_left && ledger.surprises.is_empty() {
        println!("the numbers agree");
        Ok(())
    } else {
        Err("the numbers do not agree".into())
    }
}

/// Starts clients, aborts one after another, and stops the service while they write. Returns how many
/// were aborted, when all have ended.
async fn load(address: SocketAddr, ledger: &Arc<Mutex<Ledger>>) -> Result<usize> {
    let mut clients = JoinSet::new();
    let mut started = 0;
    let mut start = |clients: &mut JoinSet<()>| -> AbortHandle {
        started += 1;
        clients.spawn(Client::new(address, started, Arc::clone(ledger)).run())
    };
    let mut handles: Vec<_> = (1..CLIENTS).map(|_| start(&mut clients)).collect();
    clients.spawn(Client::new(address, 0, Arc::clone(ledger)).dawdle());

    let until = Instant::now() + LOAD;
    while Instant::now() < until {
        sleep(ABORT_EVERY).await;
        let unlucky = fastrand::usize(..handles.len());
        handles[unlucky].abort();
        handles[unlucky] = start(&mut clients);
    }
    let open = ledger.lock().unwrap_or_else(PoisonError::into_inner).open();
    println!("{open} writes have no answer yet: SIGTERM");
    raise(Signal::SIGTERM)?;

    let mut aborted = 0;
    while let Some(ended) = clients.join_next().await {
        match ended {
            Ok(()) => {}
            Err(error) if error.is_cancelled() => aborted += 1,
            Err(error) => return Err(format!("a client: {error}").into()),
        }
    }
    Ok(aborted)
}

/// Opens the database again and reads all pairs, in an exclusive transaction.
async fn stored(database: &Path) -> Result<HashMap<String, String>> {
    let options = SqliteConnectOptions::new().filename(database).busy_timeout(Duration::ZERO);
    let connection =
        AsyncDropGuard::with_cleanup(options.connect().await?, SqliteConnection::close);
    with_async_drop(connection, async |connection| {
        // This fails at once if a transaction is still open.
        let mut alone = connection.begin_with("BEGIN EXCLUSIVE").await?;
        let pairs = sqlx::query_as("SELECT key, value FROM pairs").fetch_all(&mut *alone).await?;
        alone.rollback().await?;
        Ok(pairs.into_iter().collect())
    })
    .await
}

/// Returns the number of remaining tasks. Waits up to a second for dropped tasks to end.
async fn tasks_left() -> usize {
    let metrics = Handle::current().metrics();
    for _ in 0..100 {
        if metrics.num_alive_tasks() == 0 {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    metrics.num_alive_tasks()
}

fn print_clients(ledger: &Ledger, comparison: &Comparison) {
    let (writes, transactions) = (&ledger.writes, &ledger.transactions);
    let acknowledged = writes.acknowledged + transactions.acknowledged;
    println!(
        "acknowledged             {acknowledged:>7}: {} writes and {} transactions; {} refused, {} rolled back",
        writes.acknowledged,
        transactions.acknowledged,
        writes.refused + transactions.refused,
        transactions.rolled_back,
    );
    println!(
        "not answered             {:>7}: {} stored, {} not, {} in part",
        ledger.open(),
        comparison.open_stored,
        comparison.open_not_stored,
        comparison.open_in_part,
    );
    println!("other replies            {:>7}, as expected", ledger.others);
    for surprise in &ledger.surprises {
        println!("a surprise: {surprise}");
    }
    println!(
        "rows                     {:>7} expected, {} stored: {} lost, {} unexpected",
        comparison.expected, comparison.stored, comparison.lost, comparison.unexpected
    );
}
