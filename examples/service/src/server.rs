//! The service: every resource is in a guard, and the end waits for all cleanups.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use livedrop::task::{self, Task};
use livedrop::{AsyncDropGuard, Reaper, ReaperHandle, with_async_drop};
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::connection::{Connection, is_gone};
use crate::store::{Counts, Db, Store};

/// How long the connections may take to end when the service stops.
const DRAIN_DEADLINE: Duration = Duration::from_secs(5);
/// The interval between two lines about the remaining connections.
const PRINT_EVERY: Duration = Duration::from_millis(100);

/// Serves until `stop` is ready, and returns when everything is cleaned up.
///
/// The pool closes last, when all its connections have been returned.
pub(crate) async fn run(
    path: &Path,
    listener: TcpListener,
    counts: Arc<Counts>,
    stop: impl Future<Output = &'static str>,
) -> Result {
    let store = Store::open(path, counts)
        .await
        .map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    with_async_drop(store, async |store| serve(listener, store.db(), stop).await).await
}

async fn serve(listener: TcpListener, db: &Db, stop: impl Future<Output = &'static str>) -> Result {
    let flusher = db.flusher();
    let reaper = Reaper::new();
    // The task ends when the reaper is closed and has nothing left to do.
    let running = task::spawn(|_| reaper.run());
    with_async_drop!(flusher, reaper, running, {
        let handle = reaper.handle();
        let listener = listen(listener, db.clone(), handle.clone());
        let stopping = CancellationToken::new();
        let serving = with_async_drop(listener, async |_| {
            let why = stop.await;
            println!("{why}: no more connections are accepted");
            stopping.cancel();
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        });
        let served = print_pending(&handle, &stopping, serving).await;
        // The orphans are the connections and transactions whose tasks panicked or were aborted.
        match timeout(DRAIN_DEADLINE, reaper.drain()).await {
            Ok(report) => report.into_result()?,
            Err(_late) => reaper.abandon().into_result()?,
        }
        served
    })
}

/// Accepts connections, each in a task of its own. The cleanup stops accepting and waits for the
/// connections. It aborts the ones that do not end in time, and the reaper cleans them up.
fn listen(listener: TcpListener, db: Db, reaper: ReaperHandle) -> AsyncDropGuard<Task<()>> {
    let mut listening = task::spawn(|stop| async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = connections.join_next() => note(ended),
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let connection = reaper.adopt(Connection::new(stream));
                        let (db, reaper) = (db.clone(), reaper.clone());
                        connections.spawn(Connection::serve(connection, db, reaper, stop.clone()));
                    }
                    Err(error) => {
                        // Usually too many open files: try again later.
                        eprintln!("cannot accept: {error}");
                        sleep(Duration::from_millis(10)).await;
                    }
                },
            }
        }
        drop(listener);
        while let Some(ended) = connections.join_next().await {
            note(ended);
        }
    });
    listening.set_deadline(DRAIN_DEADLINE);
    listening
}

/// Prints how a connection has ended, if it failed.
fn note(ended: std::result::Result<std::io::Result<()>, JoinError>) {
    match ended {
        Ok(Err(error)) if !is_gone(&error) => eprintln!("a connection failed: {error}"),
        Err(error) => eprintln!("a connection's task: {error}"),
        Ok(_) => {}
    }
}

/// Awaits `work`, and prints the remaining connections and transactions after `stopping`.
async fn print_pending<R>(
    reaper: &ReaperHandle,
    stopping: &CancellationToken,
    work: impl Future<Output = R>,
) -> R {
    let mut work = pin!(work);
    let printing = async {
        stopping.cancelled().await;
        loop {
            let pending = reaper.pending();
            if let Some(oldest) = pending.first() {
                println!("waiting for {} resources, the oldest: {oldest}", pending.len());
            }
            sleep(PRINT_EVERY).await;
        }
    };
    tokio::select! {
        done = &mut work => done,
        () = printing => unreachable!("`printing` loops until it is dropped"),
    }
}
