//! The demonstration: clients make load and some are aborted, a signal stops the service in the
//! middle, and then the numbers are compared.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use livedrop::app::{App, AppHandle};
use livedrop::hook::{self, Unhandled};
use livedrop::{AsyncDropGuard, with_async_drop};
use nix::sys::signal::{Signal, raise};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::store::{Counts, Transfer};
use crate::{Result, bind, serve};

mod client;
mod ledger;

use client::Client;
use ledger::{Ledger, Stored};

const CLIENTS: usize = 64;
const ACCOUNTS: usize = 32;
const WATCHERS: usize = 8;
const LOAD: Duration = Duration::from_secs(2);
const ABORT_EVERY: Duration = Duration::from_millis(5);

/// The number of reports to the hook: lost guards and suppressed errors.
static REPORTS: AtomicUsize = AtomicUsize::new(0);

/// Runs the service as an application inside this one, which leaves the signals to it.
pub(crate) async fn run(_app: AppHandle) -> Result {
    hook::set(|unhandled: &Unhandled<'_>| {
        REPORTS.fetch_add(1, SeqCst);
        hook::log(unhandled);
    });
    let folder = std::env::temp_dir().join(format!("livedrop-service-{}", std::process::id()));
    std::fs::create_dir(&folder)
        .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let folder = AsyncDropGuard::with_cleanup(folder, tokio::fs::remove_dir_all);
    with_async_drop(folder, async |folder| demonstrate(&folder.join("bank.db")).await).await
}

async fn demonstrate(database: &Path) -> Result {
    let others = Handle::current().metrics().num_alive_tasks();
    let listener = bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (counts, ledger) = (Arc::<Counts>::default(), Arc::<Mutex<Ledger>>::default());

    let for_service = Arc::clone(&counts);
    let service = App::new().run(async |app| serve(app, listener, database, for_service).await);
    let (served, aborted) = tokio::join!(service, load(address, &ledger));
    let orphans = served.report.cleaned;
    served.into_result()?;
    let aborted = aborted?;

    let log_is_left = database.with_extension("db-wal").exists();
    let stored = stored(database).await?;
    let tasks = tasks_left(others).await;
    let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let comparison = ledger.compare(&stored);
    println!("clients                  {CLIENTS:>7}, {aborted} of them aborted and replaced");
    ledger.print();
    comparison.print();

    let [begun, committed, rolled_back] =
        [&counts.begun, &counts.committed, &counts.rolled_back].map(|count| count.load(SeqCst));
    let open = begun - committed - rolled_back;
    let reports = REPORTS.load(SeqCst);
    println!(
        "the service's own count  {begun:>7} transactions begun, {committed} committed, {rolled_back} rolled back"
    );
    println!(
        "cleaned up by the reaper {orphans:>7}: the transactions of cancelled requests, and the pool"
    );
    println!(
        "left                     {open:>7} transactions open, {tasks} tasks, {reports} lost guards or errors"
    );
    println!("the log                  {:>7}", if log_is_left { "is left" } else { "is gone" });

    let nothing_is_left = (open, tasks, reports, log_is_left) == (0, 0, 0, false);
    let all_told = ledger.goodbyes == WATCHERS;
    if comparison.agrees() && nothing_is_left && all_told && ledger.surprises.is_empty() {
        println!("the numbers agree");
        Ok(())
    } else {
        Err("the numbers do not agree".into())
    }
}

/// Starts clients, aborts one after another, and stops the service while they write. Returns how many
/// were aborted, when all have ended.
async fn load(address: SocketAddr, ledger: &Arc<Mutex<Ledger>>) -> Result<usize> {
    let accounts: Arc<[i64]> = client::open_accounts(address, ACCOUNTS).await?.into();
    let mut clients = JoinSet::new();
    let mut started = 0;
    let mut client = || {
        started += 1;
        Client::new(address, started, Arc::clone(&accounts), Arc::clone(ledger))
    };
    for _ in 0..WATCHERS {
        clients.spawn(client().watch());
    }
    let mut start =
        |clients: &mut JoinSet<()>| -> AbortHandle { clients.spawn(client().transfer_money()) };
    let mut handles: Vec<_> = (0..CLIENTS).map(|_| start(&mut clients)).collect();

    let until = Instant::now() + LOAD;
    while Instant::now() < until {
        sleep(ABORT_EVERY).await;
        let unlucky = fastrand::usize(..handles.len());
        handles[unlucky].abort();
        handles[unlucky] = start(&mut clients);
    }
    let open = ledger.lock().unwrap_or_else(PoisonError::into_inner).open();
    println!("{open} transfers have no answer yet: SIGTERM");
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

/// Opens the database again and reads everything, in an exclusive transaction.
async fn stored(database: &Path) -> Result<Stored> {
    let options = SqliteConnectOptions::new().filename(database).busy_timeout(Duration::ZERO);
    let connection =
        AsyncDropGuard::with_cleanup(options.connect().await?, SqliteConnection::close);
    with_async_drop(connection, async |connection| {
        // This fails at once if a transaction is still open.
        let mut alone = connection.begin_with("BEGIN EXCLUSIVE").await?;
        let accounts = sqlx::query_as("SELECT id, balance FROM accounts");
        let accounts: HashMap<i64, i64> =
            accounts.fetch_all(&mut *alone).await?.into_iter().collect();
        let transfers = sqlx::query_as("SELECT id, source, target, amount FROM transfers");
        let transfers: Vec<(String, i64, i64, i64)> = transfers.fetch_all(&mut *alone).await?;
        alone.rollback().await?;
        let transfers = transfers.into_iter().map(|(id, source, target, amount)| {
            (id.clone(), Transfer { id, source, target, amount })
        });
        Ok(Stored { accounts, transfers: transfers.collect() })
    })
    .await
}

/// Returns the number of tasks beside `others`. Waits up to a second for dropped tasks to end.
async fn tasks_left(others: usize) -> usize {
    let metrics = Handle::current().metrics();
    for _ in 0..100 {
        if metrics.num_alive_tasks() <= others {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    metrics.num_alive_tasks() - others
}
