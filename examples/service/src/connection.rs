//! A client's connection: an adopted guard, with transactions in strict scopes.

use std::io::{self, ErrorKind};
use std::time::Duration;

use async_trait::async_trait;
use livedrop::{Adopted, AsyncDrop, AsyncDropGuard, ReaperHandle, scope, with_async_drop};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::lines::{Line, Lines};
use crate::protocol::{Command, OK, STOPPING};
use crate::store::{Db, Transaction};

/// The time limit of a transaction, because other writers wait for it.
const TRANSACTION_DEADLINE: Duration = Duration::from_secs(2);
/// The time limit of a reply, for a client that does not read.
const REPLY_DEADLINE: Duration = Duration::from_secs(2);
/// How long the cleanup waits for the client to close its side.
const LINGER: Duration = Duration::from_millis(500);

/// A client's connection. The cleanup closes the service's side, and lets the client read the
/// remaining replies.
pub(crate) struct Connection {
    lines: Lines<BufReader<TcpStream>>,
}

/// The next input from a client.
enum Next {
    Command(Command),
    /// A bad line; the reply to it.
    Bad(String),
    /// The client sends nothing more.
    Closed,
    Late,
    Stopping,
}

/// How a transaction must end.
enum Wish {
    Commit,
    RollBack,
    /// The transaction cannot continue, for this reason.
    Broken(String),
    /// The connection cannot continue either, for this reason.
    Leave(&'static str),
}

/// Whether the connection continues.
enum After {
    GoOn,
    Leave,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self { lines: Lines::new(BufReader::new(stream)) })
    }

    /// Replies until the client closes its side or the service stops.
    pub(crate) async fn serve(
        connection: AsyncDropGuard<Self, Adopted>,
        db: Db,
        reaper: ReaperHandle,
        stop: CancellationToken,
    ) -> io::Result<()> {
        with_async_drop(connection, async |connection| {
            connection.converse(&db, &reaper, &stop).await
        })
        .await
    }

    async fn converse(
        &mut self,
        db: &Db,
        reaper: &ReaperHandle,
        stop: &CancellationToken,
    ) -> io::Result<()> {
        loop {
            match self.next(stop, None).await? {
                Next::Command(Command::Run(statement)) => match db.run(&statement).await {
                    Ok(reply) => self.reply(&reply).await?,
                    Err(error) => self.reply(&format!("ERROR {error}")).await?,
                },
                Next::Command(Command::Begin) => match self.transaction(db, reaper, stop).await? {
                    After::GoOn => {}
                    After::Leave => return Ok(()),
                },
                Next::Command(Command::Commit | Command::RollBack) => {
                    self.reply("ERROR there is no transaction").await?;
                }
                Next::Bad(reply) => self.reply(&reply).await?,
                Next::Closed | Next::Late => return Ok(()),
                Next::Stopping => return self.reply(STOPPING).await,
            }
        }
    }

    /// Runs a transaction, from BEGIN to the reply to COMMIT or ROLLBACK.
    async fn transaction(
        &mut self,
        db: &Db,
        reaper: &ReaperHandle,
        stop: &CancellationToken,
    ) -> io::Result<After> {
        let transaction = match db.begin(reaper).await {
            Ok(transaction) => transaction,
            Err(error) => {
                self.reply(&format!("ERROR {error}")).await?;
                return Ok(After::GoOn);
            }
        };
        // A `?` in this body would leave the transaction open, so it does not compile.
        let (wish, ended) = scope!(transaction, async |mut transaction| {
            let wish = self.statements(&mut transaction, stop).await;
            let (proof, ended) = if matches!(wish, Ok(Wish::Commit)) {
                transaction.async_drop_via(Transaction::commit).await
            } else {
                transaction.async_drop().await.after(Ok(())) // rolls back
            };
            (proof, (wish, ended))
        })
        .await;
        let (reply, after) = match (wish?, ended) {
            (Wish::Commit | Wish::RollBack, Ok(())) => (OK.to_owned(), After::GoOn),
            (Wish::Broken(why), Ok(())) => (format!("ERROR {why}: rolled back"), After::GoOn),
            (Wish::Leave(why), _) => (format!("{why}: rolled back"), After::Leave),
            (_, Err(error)) => (format!("ERROR {error}"), After::GoOn),
        };
        self.reply(&reply).await?;
        Ok(after)
    }

    /// Runs the statements of a transaction. Returns how it must end.
    async fn statements(
        &mut self,
        transaction: &mut Transaction,
        stop: &CancellationToken,
    ) -> io::Result<Wish> {
        let deadline = Instant::now() + TRANSACTION_DEADLINE;
        self.reply(OK).await?;
        loop {
            match self.next(stop, Some(deadline)).await? {
                Next::Command(Command::Run(statement)) => match transaction.run(&statement).await {
                    Ok(reply) => self.reply(&reply).await?,
                    Err(error) => return Ok(Wish::Broken(error.to_string())),
                },
                Next::Command(Command::Begin) => {
                    self.reply("ERROR there is a transaction already").await?;
                }
                Next::Command(Command::Commit) => return Ok(Wish::Commit),
                Next::Command(Command::RollBack) => return Ok(Wish::RollBack),
                Next::Bad(reply) => self.reply(&reply).await?,
                Next::Closed => return Ok(Wish::Leave("ERROR closed in a transaction")),
                Next::Late => {
                    return Ok(Wish::Broken("the transaction took too long".to_owned()));
                }
                Next::Stopping => return Ok(Wish::Leave(STOPPING)),
            }
        }
    }

    async fn next(
        &mut self,
        stop: &CancellationToken,
        deadline: Option<Instant>,
    ) -> io::Result<Next> {
        let next = async {
            match deadline {
                Some(deadline) => timeout_at(deadline, self.lines.next()).await.ok(),
                None => Some(self.lines.next().await),
            }
        };
        let line = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Next::Stopping),
            line = next => line,
        };
        Ok(match line.transpose()? {
            Some(Line::Text(line)) => match Command::parse(&line) {
                Ok(command) => Next::Command(command),
                Err(why) => Next::Bad(format!("ERROR {why}")),
            },
            Some(Line::Bad(why)) => Next::Bad(format!("ERROR {why}")),
            Some(Line::End) => Next::Closed,
            None => Next::Late,
        })
    }

    async fn reply(&mut self, reply: &str) -> io::Result<()> {
        let line = format!("{reply}\n");
        let written = self.lines.get_mut().write_all(line.as_bytes());
        timeout(REPLY_DEADLINE, written).await.unwrap_or_else(|_| {
            Err(io::Error::new(ErrorKind::TimedOut, "the client does not read its replies"))
        })
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        let stream = self.lines.get_mut();
        let close = async {
            stream.shutdown().await?;
            // Closing with unread input would reset the connection, and the client could lose the
            // last replies.
            let mut unread = [0; 1024];
            while stream.read(&mut unread).await? > 0 {}
            Ok(())
        };
        match timeout(LINGER, close).await {
            Ok(Err(error)) if !is_gone(&error) => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whether the client has disconnected, so that the error is none of the service.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | TimedOut
    )
}
