//! A client that sends every valid command, and some invalid ones.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::ledger::{Change, Ledger};
use crate::protocol::{LONGEST, STOPPING};

pub(super) struct Client {
    address: SocketAddr,
    /// A part of its keys, so that no other client writes them.
    number: usize,
    ledger: Arc<Mutex<Ledger>>,
    /// A part of its values, so that each value is unique.
    values: usize,
}

type Stream = BufReader<TcpStream>;

impl Client {
    pub(super) fn new(address: SocketAddr, number: usize, ledger: Arc<Mutex<Ledger>>) -> Self {
        Self { address, number, ledger, values: 0 }
    }

    /// Runs until the service has stopped or the client is aborted.
    pub(super) async fn run(mut self) {
        while let Ok(stream) = TcpStream::connect(self.address).await {
            let _ended = self.talk(&mut BufReader::new(stream)).await;
        }
    }

    /// Keeps its connection open after the service has closed its side, so that the service waits.
    pub(super) async fn dawdle(mut self) {
        let Ok(stream) = TcpStream::connect(self.address).await else { return };
        let mut stream = BufReader::new(stream);
        let _ended = self.set(&mut stream).await;
        while stream.read_line(&mut String::new()).await.is_ok_and(|read| read > 0) {}
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }

    /// Sends random commands over one connection.
    async fn talk(&mut self, stream: &mut Stream) -> io::Result<()> {
        loop {
            match fastrand::u8(..20) {
                0..8 => self.set(stream).await?,
                8..11 => self.get(stream).await?,
                11..13 => self.delete(stream).await?,
                13 => self.nonsense(stream).await?,
                14 => return self.half_close(stream).await,
                _ => {
                    if !self.transaction(stream).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn set(&mut self, stream: &mut Stream) -> io::Result<()> {
        let change = self.new_row(self.key());
        self.write(stream, change).await
    }

    async fn delete(&mut self, stream: &mut Stream) -> io::Result<()> {
        let key = self.key();
        if self.ledger().value(&key).is_none() {
            return Ok(());
        }
        self.write(stream, (key, None)).await
    }

    async fn write(&mut self, stream: &mut Stream, change: Change) -> io::Result<()> {
        let line = line(&change);
        let write = self.ledger().send(vec![change]);
        stream.write_all(line.as_bytes()).await?;
        self.answered(stream, write, false).await
    }

    /// Enters the reply to a write or a COMMIT into the ledger.
    async fn answered(
        &self,
        stream: &mut Stream,
        write: usize,
        is_transaction: bool,
    ) -> io::Result<()> {
        let reply = read(stream).await?;
        if reply == "OK" {
            self.ledger().acknowledge(write, is_transaction);
            return Ok(());
        }
        self.ledger().refuse(write, is_transaction);
        self.expect(&reply, "OK")
    }

    /// Reads a row, and expects the last acknowledged value.
    async fn get(&self, stream: &mut Stream) -> io::Result<()> {
        let key = self.key();
        let reply = ask(stream, &format!("GET {key}\n")).await?;
        let value = self.ledger().value(&key).cloned();
        let expected = value.map_or_else(|| "NONE".to_owned(), |value| format!("VALUE {value}"));
        self.expect(&reply, &expected)
    }

    async fn nonsense(&self, stream: &mut Stream) -> io::Result<()> {
        let line: &[u8] = match fastrand::u8(..4) {
            0 => b"FROBNICATE\n",
            1 => b"SET key-without-value\n",
            2 => b"SET \xff\xfe x\n",
            _ => &[&[b'x'; 3 * LONGEST][..], b"\n"].concat(),
        };
        stream.write_all(line).await?;
        let reply = read(stream).await?;
        self.expect(&reply, "ERROR …")
    }

    /// Sends several lines at once, the last one cut off, closes its side, and reads the replies.
    async fn half_close(&mut self, stream: &mut Stream) -> io::Result<()> {
        let (mut lines, mut writes) = (String::new(), Vec::new());
        for key in 0..3 {
            let change = self.new_row(format!("{}.{key}", self.number));
            lines += &line(&change);
            writes.push(self.ledger().send(vec![change]));
        }
        lines += "SET cut o";
        stream.write_all(lines.as_bytes()).await?;
        stream.shutdown().await?;
        for write in writes {
            self.answered(stream, write, false).await?;
        }
        let reply = read(stream).await?;
        self.expect(&reply, "ERROR …")
    }

    /// Commits, rolls back, or leaves in the middle. Returns `false` if it leaves.
    async fn transaction(&mut self, stream: &mut Stream) -> io::Result<bool> {
        let reply = ask(stream, "BEGIN\n").await?;
        self.expect(&reply, "OK")?;
        let first = fastrand::usize(..KEYS);
        let mut changes = Vec::new();
        for offset in 0..fastrand::usize(2..5) {
            let change = self.new_row(format!("{}.{}", self.number, (first + offset) % KEYS));
            let reply = ask(stream, &line(&change)).await?;
            self.expect(&reply, "OK")?;
            changes.push(change);
            if fastrand::u8(..10) == 0 {
                self.nonsense(stream).await?;
            }
        }
        match fastrand::u8(..6) {
            0 => Ok(false),
            1 => {
                let reply = ask(stream, "ROLLBACK\n").await?;
                self.expect(&reply, "OK")?;
                self.ledger().transactions.rolled_back += 1;
                Ok(true)
            }
            _ => {
                let write = self.ledger().send(changes);
                stream.write_all(b"COMMIT\n").await?;
                self.answered(stream, write, true).await?;
                Ok(true)
            }
        }
    }

    /// Compares a reply. `ERROR …` matches every error. A service that stops ends the connection.
    fn expect(&self, reply: &str, expected: &str) -> io::Result<()> {
        if reply.starts_with(STOPPING) {
            return Err(ErrorKind::ConnectionAborted.into());
        }
        if reply == expected || expected == "ERROR …" && reply.starts_with("ERROR ") {
            self.ledger().others += 1;
        } else {
            self.ledger().surprises.push(format!("{reply} instead of {expected}"));
        }
        Ok(())
    }

    fn key(&self) -> String {
        format!("{}.{}", self.number, fastrand::usize(..KEYS))
    }

    fn new_row(&mut self, key: String) -> Change {
        self.values += 1;
        (key, Some(format!("value {} of {}", self.values, self.number)))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of keys of a client: few, so that each is written many times.
const KEYS: usize = 8;

fn line((key, value): &Change) -> String {
    match value {
        Some(value) => format!("SET {key} {value}\n"),
        None => format!("DEL {key}\n"),
    }
}

async fn ask(stream: &mut Stream, line: &str) -> io::Result<String> {
    stream.write_all(line.as_bytes()).await?;
    read(stream).await
}

/// Reads a complete reply.
async fn read(stream: &mut Stream) -> io::Result<String> {
    let mut reply = String::new();
    stream.read_line(&mut reply).await?;
    match reply.strip_suffix('\n') {
        Some(reply) => Ok(reply.to_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}
