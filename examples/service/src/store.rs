//! The store: a pool of `SQLite` connections in a guard, and transactions in guards.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use livedrop::app::AppHandle;
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, ReaperHandle};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Error, Sqlite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// The interval at which the log is written back.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// The store, shared by everything that uses it.
pub(crate) type SharedStore = Arc<AsyncDropGuard<Store, Adopted>>;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) balance: i64,
}

/// A transfer. The client chooses the id, so that it may repeat a request without harm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transfer {
    pub(crate) id: String,
    pub(crate) source: i64,
    pub(crate) target: i64,
    pub(crate) amount: i64,
}

/// The numbers of transactions, by how they ended.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) begun: AtomicUsize,
    pub(crate) committed: AtomicUsize,
    pub(crate) rolled_back: AtomicUsize,
}

/// Owns the pool. The cleanup closes the pool and waits for its connections.
pub(crate) struct Store {
    pool: SqlitePool,
    /// `SQLite` allows one writer at a time. Writers queue here fairly; in `SQLite` they would poll.
    writer: Arc<Semaphore>,
    changed: broadcast::Sender<Account>,
    counts: Arc<Counts>,
}

impl Store {
    pub(crate) async fn open(
        path: PathBuf,
        counts: Arc<Counts>,
    ) -> Result<AsyncDropGuard<Self>, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is in the log at once; `flush` syncs it.
            .synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        let (writer, changed) = (Arc::new(Semaphore::new(1)), broadcast::Sender::new(256));
        // From here on the guard closes the pool, whatever fails.
        let store = AsyncDropGuard::new(Store { pool, writer, changed, counts });
        let created = sqlx::raw_sql(
            "CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
             CREATE TABLE IF NOT EXISTS transfers (id TEXT PRIMARY KEY, source INTEGER NOT NULL,
                 target INTEGER NOT NULL, amount INTEGER NOT NULL)",
        );
        let created = created.execute(&store.pool).await;
        let (store, _created) = AsyncDropGuard::async_drop_on_err(store, created).await?;
        Ok(store)
    }

    pub(crate) async fn create(&self, balance: i64) -> Result<Account, Error> {
        let _permit = self.permit().await?;
        let insert = "INSERT INTO accounts (balance) VALUES (?) RETURNING id";
        let id = sqlx::query_scalar(insert).bind(balance).fetch_one(&self.pool).await?;
        Ok(Account { id, balance })
    }

    pub(crate) async fn account(&self, id: i64) -> Result<Option<Account>, Error> {
        let select = sqlx::query_scalar("SELECT balance FROM accounts WHERE id = ?").bind(id);
        let balance: Option<i64> = select.fetch_optional(&self.pool).await?;
        Ok(balance.map(|balance| Account { id, balance }))
    }

    /// Returns the new balances after each commit from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<Account> {
        self.changed.subscribe()
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.writer).acquire_owned().await.map_err(|_closed| Error::PoolClosed)
    }
}

#[async_trait]
impl AsyncDrop for Store {
    type Error = Error;

    async fn async_drop_impl(&mut self) -> Result<(), Error> {
        self.pool.close().await;
        Ok(())
    }
}

/// The background task: writes the log back into the database at an interval.
pub(crate) async fn flush(app: AppHandle, store: SharedStore) -> Result<(), Error> {
    let mut ticks = tokio::time::interval(FLUSH_EVERY);
    loop {
        tokio::select! {
            () = app.stopping() => return Ok(()),
            _ = ticks.tick() => {}
        }
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&store.pool).await?;
    }
}

/// A transaction. Its guard is used in a strict `scope`, so a program that leaves it open does not
/// compile: it ends by `async_drop_via` of [`commit`](Self::commit), or its cleanup rolls it back. If the
/// request is cancelled, the reaper rolls it back, or finishes a commit that has begun.
pub(crate) struct Transaction {
    /// `None` when the cleanup has begun.
    inner: Option<sqlx::Transaction<'static, Sqlite>>,
    changes: Vec<Account>,
    /// Keeps the pool open.
    store: SharedStore,
    _permit: OwnedSemaphorePermit,
}

impl Transaction {
    /// Begins a transaction when there is no other writer.
    pub(crate) async fn begin(
        reaper: &ReaperHandle,
        store: SharedStore,
    ) -> Result<AsyncDropGuard<Self, Adopted>, Error> {
        // Waits outside `acquire`: a request that is cancelled here has not begun anything.
        let permit = store.permit().await?;
        let begin = async move {
            let inner = Some(store.pool.begin_with("BEGIN IMMEDIATE").await?);
            store.counts.begun.fetch_add(1, SeqCst);
            let changes = Vec::new();
            Ok(AsyncDropGuard::new(Transaction { inner, changes, store, _permit: permit }))
        };
        reaper.acquire(begin).await
    }

    /// Adds to a balance and returns the new one, or `None` if there is no such account.
    pub(crate) async fn add(&mut self, id: i64, amount: i64) -> Result<Option<i64>, Error> {
        let inner = self.inner.as_mut().ok_or(Error::PoolClosed)?;
        let update = "UPDATE accounts SET balance = balance + ? WHERE id = ? RETURNING balance";
        let update = sqlx::query_scalar(update).bind(amount).bind(id);
        let balance = update.fetch_optional(&mut **inner).await?;
        self.changes.extend(balance.map(|balance| Account { id, balance }));
        Ok(balance)
    }

    /// Records a transfer. Returns `false` if there is one with this id.
    pub(crate) async fn record(&mut self, transfer: &Transfer) -> Result<bool, Error> {
        let inner = self.inner.as_mut().ok_or(Error::PoolClosed)?;
        let Transfer { id, source, target, amount } = transfer;
        let insert =
            "INSERT OR IGNORE INTO transfers (id, source, target, amount) VALUES (?, ?, ?, ?)";
        let insert = sqlx::query(insert).bind(id).bind(source).bind(target).bind(amount);
        Ok(insert.execute(&mut **inner).await?.rows_affected() == 1)
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        let inner = self.inner.take().ok_or(Error::PoolClosed)?;
        inner.commit().await?;
        self.store.counts.committed.fetch_add(1, SeqCst);
        for account in self.changes {
            let _nobody_listens = self.store.changed.send(account);
        }
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for Transaction {
    type Error = Error;

    async fn async_drop_impl(&mut self) -> Result<(), Error> {
        if let Some(inner) = self.inner.take() {
            inner.rollback().await?;
            self.store.counts.rolled_back.fetch_add(1, SeqCst);
        }
        Ok(())
    }
}
