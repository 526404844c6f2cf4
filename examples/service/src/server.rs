//! The service: every resource in a guard, and an end that waits for all of them.

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

/// How long the connections have to end, once the service stops.
const DRAIN_DEADLINE: Duration = Duration::from_secs(5);
/// How often it is told what is waited for.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Serves until `stop` is ready, and returns when nothing is left.
///
/// The pool closes last: whatever happens to the rest, its connections are back then.
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
    // Ends by itself, as soon as the reaper was closed and has nothing left to do.
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
        let served = tell_pending(&handle, &stopping, serving).await;
        // What belongs to nobody any more: connections whose task panicked or was aborted.
        match timeout(DRAIN_DEADLINE, reaper.drain()).await {
            Ok(report) => report.into_result()?,
            Err(_late) => reaper.abandon().into_result()?,
        }
        served
    })
}

/// Accepts connections, each with a task of its own. Cleaning up stops that, and waits for the
/// connections; those that do not end in time are aborted, and left to the reaper.
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
                        connections.spawn(Connection::serve(connection, db.clone(), stop.clone()));
                    }
                    Err(error) => {
                        // Too many open files, mostly: that passes.
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

/// How a connection has ended.
fn note(ended: std::result::Result<std::io::Result<()>, JoinError>) {
    match ended {
        Ok(Err(error)) if !is_gone(&error) => eprintln!("a connection failed: {error}"),
        Err(error) => eprintln!("a connection's task: {error}"),
        Ok(_) => {}
    }
}

/// Awaits `work`, and tells what is waited for from when it is stopping.
async fn tell_pending<R>(
    reaper: &ReaperHandle,
    stopping: &CancellationToken,
    work: impl Future<Output = R>,
) -> R {
    let mut work = pin!(work);
    let telling = async {
        stopping.cancelled().await;
        loop {
            let pending = reaper.pending();
            if let Some(oldest) = pending.first() {
                println!("waiting for {} connections, the oldest: {oldest}", pending.len());
            }
            sleep(TELL_EVERY).await;
        }
    };
    tokio::select! {
        done = &mut work => done,
        () = telling => unreachable!("it tells until it is dropped"),
    }
}
