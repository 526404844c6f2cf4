//! A client that sends every valid request, and some invalid ones.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::ledger::{Ledger, OPENING};
use crate::Result;
use crate::store::{Account, Transfer};

/// A connection to the service. Dropping it in a request cancels the request.
struct Http {
    stream: BufReader<TcpStream>,
}

impl Http {
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(TcpStream::connect(address).await?) })
    }

    async fn send(&mut self, start: &str, body: &str) -> io::Result<()> {
        let request = format!(
            "{start} HTTP/1.1\r\nhost: demo\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await
    }

    /// Returns the next line, without its end.
    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Reads the status and the headers. Returns the status and the length of the body.
    async fn head(&mut self) -> io::Result<(StatusCode, usize)> {
        let status = self.line().await?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or(ErrorKind::InvalidData)?;
        let mut length = 0;
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok((status, length));
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().map_err(io::Error::other)?;
            }
        }
    }

    async fn ask(&mut self, start: &str, body: &str) -> io::Result<(StatusCode, Vec<u8>)> {
        self.send(start, body).await?;
        let (status, length) = self.head().await?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((status, body))
    }
}

/// Opens accounts with money.
pub(super) async fn open_accounts(address: SocketAddr, number: usize) -> Result<Vec<i64>> {
    let (mut http, mut accounts) = (Http::connect(address).await?, Vec::new());
    for _ in 0..number {
        let (_, body) = http.ask("POST /accounts", &format!("{{\"balance\": {OPENING}}}")).await?;
        accounts.push(serde_json::from_slice::<Account>(&body)?.id);
    }
    Ok(accounts)
}

pub(super) struct Client {
    address: SocketAddr,
    /// A part of the ids of its transfers.
    number: usize,
    accounts: Arc<[i64]>,
    ledger: Arc<Mutex<Ledger>>,
    transfers: usize,
}

impl Client {
    pub(super) fn new(
        address: SocketAddr,
        number: usize,
        accounts: Arc<[i64]>,
        ledger: Arc<Mutex<Ledger>>,
    ) -> Self {
        Self { address, number, accounts, ledger, transfers: 0 }
    }

    /// Runs until the service has stopped or the client is aborted.
    pub(super) async fn transfer_money(mut self) {
        while let Ok(mut http) = Http::connect(self.address).await {
            while self.request(&mut http).await.is_ok() {}
        }
    }

    async fn request(&mut self, http: &mut Http) -> io::Result<()> {
        match fastrand::u8(..20) {
            0..3 => self.nonsense(http).await,
            3..6 => {
                let path = format!("GET /accounts/{}", self.account());
                let (status, body) = http.ask(&path, "").await?;
                let account: io::Result<Account> =
                    serde_json::from_slice(&body).map_err(Into::into);
                self.expect(
                    status == StatusCode::OK && account?.balance >= 0,
                    "an account",
                    status,
                );
                Ok(())
            }
            _ => self.transfer(http).await,
        }
    }

    async fn transfer(&mut self, http: &mut Http) -> io::Result<()> {
        self.transfers += 1;
        let transfer = Transfer {
            id: format!("{} of {}", self.transfers, self.number),
            source: self.account(),
            target: self.account(),
            amount: fastrand::i64(1..OPENING),
        };
        let body = serde_json::to_string(&transfer).map_err(io::Error::other)?;
        let id = self.ledger().send(transfer);
        let (status, _) = http.ask("POST /transfers", &body).await?;
        match status {
            StatusCode::CREATED => self.ledger().acknowledge(&id),
            status if status.is_client_error() => self.ledger().refuse(&id),
            status => self.expect(false, "a transfer", status),
        }
        if status == StatusCode::CREATED && fastrand::u8(..10) == 0 {
            // Repeats the request.
            let (status, _) = http.ask("POST /transfers", &body).await?;
            self.expect(status == StatusCode::CONFLICT, "a conflict", status);
        }
        Ok(())
    }

    async fn nonsense(&self, http: &mut Http) -> io::Result<()> {
        let account = self.account();
        let same =
            format!(r#"{{"id": "x", "source": {account}, "target": {account}, "amount": 1}}"#);
        let nobody = format!(r#"{{"id": "x", "source": {account}, "target": 0, "amount": 1}}"#);
        let (start, body) = match fastrand::u8(..7) {
            0 => ("POST /transfers", "{"),
            1 => ("POST /transfers", "{}"),
            2 => ("POST /transfers", &*same),
            3 => ("POST /transfers", &*nobody),
            4 => ("POST /accounts", r#"{"balance": -1}"#),
            5 => ("GET /accounts/0", ""),
            _ => ("GET /nothing", ""),
        };
        let (status, _) = http.ask(start, body).await?;
        self.expect(status.is_client_error(), "an error of the client", status);
        Ok(())
    }

    /// Reads the events of an account until the stream ends.
    pub(super) async fn watch(self) {
        let Ok(mut http) = Http::connect(self.address).await else { return };
        let path = format!("GET /accounts/{}/events", self.account());
        if http.send(&path, "").await.is_err() {
            return;
        }
        while let Ok(line) = http.line().await {
            match &*line {
                "event: goodbye" => self.ledger().goodbyes += 1,
                line if line.starts_with("data: ") => self.ledger().events += 1,
                _ => {}
            }
        }
    }

    fn expect(&self, is_expected: bool, expected: &str, status: StatusCode) {
        if is_expected {
            self.ledger().others += 1;
        } else {
            self.ledger().surprises.push(format!("{status} instead of {expected}"));
        }
    }

    fn account(&self) -> i64 {
        self.accounts[fastrand::usize(..self.accounts.len())]
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
