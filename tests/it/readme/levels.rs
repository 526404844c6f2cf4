//! The code blocks of the README after the first one, each in a module with its test.

use std::cell::Cell;
use std::future::pending;
use std::io;

use livedrop::{AsyncDrop, AsyncDropGuard};

thread_local! {
    static GOODBYES: Cell<usize> = const { Cell::new(0) };
}

/// Returns the number of cleanups on this thread, and resets it.
fn goodbyes() -> usize {
    GOODBYES.replace(0)
}

struct Connection;

impl Connection {
    #[expect(clippy::unused_async, reason = "a real one connects")]
    async fn open() -> io::Result<AsyncDropGuard<Connection>> {
        Ok(AsyncDropGuard::new(Connection))
    }

    async fn query(&mut self, table: &str) -> io::Result<usize> {
        match table {
            "slow" => pending().await,
            "missing" => Err(io::ErrorKind::NotFound.into()),
            _ => Ok(table.len()),
        }
    }
}

#[livedrop::unboxed]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        GOODBYES.set(GOODBYES.get() + 1);
        Ok(())
    }
}

mod run_time {
    use super::{Connection, goodbyes, io};
    use futures::executor::block_on;
    use livedrop::{AsyncDropGuard, with_async_drop};

    async fn count(connection: AsyncDropGuard<Connection>, table: &str) -> io::Result<usize> {
        with_async_drop(connection, async |connection| {
            connection.query(table).await // `?` is allowed
        })
        .await
    }

    #[test]
    fn cleans_up_once_on_each_path() {
        let open = || block_on(Connection::open()).unwrap();
        assert_eq!(block_on(count(open(), "users")).unwrap(), 5);
        assert_eq!(goodbyes(), 1);
        block_on(count(open(), "missing")).unwrap_err();
        assert_eq!(goodbyes(), 1);
    }
}

mod compile_time {
    use super::{Connection, goodbyes, io};
    use futures::executor::block_on;
    use livedrop::{AsyncDropGuard, Live, scope, try_or_drop};

    async fn count(connection: AsyncDropGuard<Connection, Live>, table: &str) -> io::Result<usize> {
        scope!(connection, async |mut connection| {
            let rows = try_or_drop!(connection, connection.query(table).await); // in place of `?`
            connection.async_drop().await.after(Ok(rows)) // returns `(proof, result)`
        })
        .await
    }

    #[test]
    fn cleans_up_once_on_each_path() {
        let open = || AsyncDropGuard::live(Connection);
        assert_eq!(block_on(count(open(), "users")).unwrap(), 5);
        assert_eq!(goodbyes(), 1);
        block_on(count(open(), "missing")).unwrap_err();
        assert_eq!(goodbyes(), 1);
    }
}

mod cancellation {
    use super::{Connection, goodbyes, io};
    use livedrop::{AsyncDropGuard, Reaper, with_async_drop};

    async fn clean_up(connection: Connection) -> io::Result<()> {
        let reaper = Reaper::new();
        tokio::spawn(reaper.run()); // or another executor
        with_async_drop(reaper, async |reaper| {
            let connection = reaper.adopt(AsyncDropGuard::new(connection));
            drop(connection); // as a cancelled task does
            Ok(())
        })
        .await // awaits all cleanups, and returns their errors
    }

    #[tokio::test]
    async fn reaper_cleans_up() {
        clean_up(Connection).await.unwrap();
        assert_eq!(goodbyes(), 1);
    }
}

mod strict_and_safe {
    use super::{Connection, goodbyes, io};
    use crate::support::cancel_after;
    use futures::executor::block_on;
    use livedrop::{Reaper, ReaperHandle, scope, try_or_drop};

    async fn count(reaper: &ReaperHandle, table: &str) -> io::Result<usize> {
        let connection = reaper.acquire(Connection::open()).await?;
        scope!(connection, async |mut connection| {
            let rows = try_or_drop!(connection, connection.query(table).await);
            connection.async_drop().await.after(Ok(rows))
        })
        .await
    }

    #[test]
    fn cleans_up_once_on_each_path() {
        let mut reaper = Reaper::new();
        assert_eq!(block_on(count(&reaper, "users")).unwrap(), 5);
        assert_eq!(goodbyes(), 1);
        block_on(count(&reaper, "missing")).unwrap_err();
        assert_eq!(goodbyes(), 1);
        cancel_after(1, count(&reaper, "slow"));
        assert_eq!(goodbyes(), 0);
        block_on(reaper.async_drop()).unwrap();
        assert_eq!(goodbyes(), 1);
    }
}

mod foreign {
    use super::{GOODBYES, goodbyes, io};
    use futures::executor::block_on;
    use livedrop::{AsyncDropGuard, with_async_drop};

    struct Client;

    #[expect(clippy::unused_async, reason = "a real one sends")]
    impl Client {
        async fn send(&mut self, _line: &str) -> io::Result<()> {
            Ok(())
        }

        async fn close(self) -> io::Result<()> {
            GOODBYES.set(GOODBYES.get() + 1);
            Ok(())
        }
    }

    async fn greet(client: Client) -> io::Result<()> {
        let client = AsyncDropGuard::with_cleanup(client, Client::close); // `async fn close(self)`
        with_async_drop(client, async |client| client.send("hello").await).await
    }

    #[test]
    fn closure_closes_the_client() {
        block_on(greet(Client)).unwrap();
        assert_eq!(goodbyes(), 1);
    }
}

mod fields {
    use super::{Connection, goodbyes};
    use futures::executor::block_on;
    use livedrop::{AsyncDrop, AsyncDropGuard};

    #[derive(AsyncDrop)]
    struct Session {
        primary: AsyncDropGuard<Connection>,
        replica: AsyncDropGuard<Connection>,
    }

    #[test]
    fn derive_cleans_up_each_field() {
        let [primary, replica] = [Connection, Connection].map(AsyncDropGuard::new);
        let mut session = AsyncDropGuard::new(Session { primary, replica });
        block_on(session.async_drop()).unwrap();
        assert_eq!(goodbyes(), 2);
    }
}
