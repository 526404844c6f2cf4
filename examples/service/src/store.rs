//! The store: a pool of `SQLite` connections in a guard, and transactions in guards.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use livedrop::task::{self, Task};
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, ReaperHandle};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Error, Sqlite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::protocol::{OK, Statement};

/// The interval at which the flusher writes the log back.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// The numbers of transactions, by how they ended.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) begun: AtomicUsize,
    pub(crate) committed: AtomicUsize,
    pub(crate) rolled_back: AtomicUsize,
}

/// Owns the pool. The cleanup closes the pool and waits for its connections.
pub(crate) struct Store {
    db: Db,
}

/// A handle to the store, for tasks. It needs no cleanup.
#[derive(Clone)]
pub(crate) struct Db {
    pool: SqlitePool,
    /// `SQLite` allows one writer at a time. Writers queue here fairly; in `SQLite` they would poll.
    writer: Arc<Semaphore>,
    counts: Arc<Counts>,
}

impl Store {
    pub(crate) async fn open(
        path: &Path,
        counts: Arc<Counts>,
    ) -> Result<AsyncDropGuard<Self>, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is in the log at once; the flusher syncs it.
            .synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        let writer = Arc::new(Semaphore::new(1));
        // From here on the guard closes the pool, whatever fails.
        let store = AsyncDropGuard::new(Store { db: Db { pool, writer, counts } });
        let create = "CREATE TABLE IF NOT EXISTS pairs (key TEXT PRIMARY KEY, value TEXT NOT NULL)";
        let created = sqlx::query(create).execute(&store.db.pool).await;
        let (store, _created) = AsyncDropGuard::async_drop_on_err(store, created).await?;
        Ok(store)
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }
}

#[async_trait]
impl AsyncDrop for Store {
    type Error = Error;

    async fn async_drop_impl(&mut self) -> Result<(), Error> {
        self.db.pool.close().await;
        Ok(())
    }
}

impl Db {
    /// Runs a single statement, and commits it.
    pub(crate) async fn run(&self, statement: &Statement) -> Result<String, Error> {
        let _permit = match statement {
            Statement::Get(_) => None,
            _ => Some(self.permit().await?),
        };
        run(&mut *self.pool.acquire().await?, statement).await
    }

    /// Begins a transaction when there is no other writer.
    pub(crate) async fn begin(
        &self,
        reaper: &ReaperHandle,
    ) -> Result<AsyncDropGuard<Transaction, Adopted>, Error> {
        // Waits outside `acquire`: a task that is cancelled here has not begun anything.
        let permit = self.permit().await?;
        let (pool, counts) = (self.pool.clone(), Arc::clone(&self.counts));
        let begin = async move {
            let inner = Some(pool.begin_with("BEGIN IMMEDIATE").await?);
            counts.begun.fetch_add(1, SeqCst);
            Ok(AsyncDropGuard::new(Transaction { inner, counts, _permit: permit }))
        };
        reaper.acquire(begin).await
    }

    /// Returns a task that writes the log back into the database at an interval, and all of it at the end.
    pub(crate) fn flusher(&self) -> AsyncDropGuard<Task<Result<(), Error>>> {
        let pool = self.pool.clone();
        task::spawn(|stop| async move {
            let mut ticks = tokio::time::interval(FLUSH_EVERY);
            loop {
                tokio::select! {
                    () = stop.cancelled() => break,
                    _ = ticks.tick() => {}
                }
                sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&pool).await?;
            }
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&pool).await.map(drop)
        })
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.writer).acquire_owned().await.map_err(|_closed| Error::PoolClosed)
    }
}

/// A transaction. Its guard is used in a strict `scope`, so a program that leaves it open does not
/// compile: it ends by `async_drop_via` of [`commit`](Self::commit), or its cleanup rolls it back. If the
/// task is cancelled, the reaper rolls it back, or finishes a commit that has begun.
pub(crate) struct Transaction {
    /// `None` when the cleanup has begun.
    inner: Option<sqlx::Transaction<'static, Sqlite>>,
    counts: Arc<Counts>,
    _permit: OwnedSemaphorePermit,
}

impl Transaction {
    pub(crate) async fn run(&mut self, statement: &Statement) -> Result<String, Error> {
        let inner = self.inner.as_mut().ok_or(Error::PoolClosed)?;
        run(&mut *inner, statement).await
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        let inner = self.inner.take().ok_or(Error::PoolClosed)?;
        inner.commit().await?;
        self.counts.committed.fetch_add(1, SeqCst);
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for Transaction {
    type Error = Error;

    async fn async_drop_impl(&mut self) -> Result<(), Error> {
        if let Some(inner) = self.inner.take() {
            inner.rollback().await?;
            self.counts.rolled_back.fetch_add(1, SeqCst);
        }
        Ok(())
    }
}

/// Runs a statement and returns its reply.
async fn run(connection: &mut SqliteConnection, statement: &Statement) -> Result<String, Error> {
    match statement {
        Statement::Get(key) => {
            let select = sqlx::query_scalar("SELECT value FROM pairs WHERE key = ?").bind(key);
            let value: Option<String> = select.fetch_optional(connection).await?;
            Ok(value.map_or_else(|| "NONE".to_owned(), |value| format!("VALUE {value}")))
        }
        Statement::Set(key, value) => {
            let upsert = "INSERT INTO pairs (key, value) VALUES (?, ?) \
                          ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            sqlx::query(upsert).bind(key).bind(value).execute(connection).await?;
            Ok(OK.to_owned())
        }
        Statement::Del(key) => {
            let delete = sqlx::query("DELETE FROM pairs WHERE key = ?").bind(key);
            let deleted = delete.execute(connection).await?;
            Ok(if deleted.rows_affected() > 0 { OK } else { "NONE" }.to_owned())
        }
    }
}
