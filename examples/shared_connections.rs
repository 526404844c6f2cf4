//! A cache of shared connections. The first user of an address opens its connection, the last one closes
//! it, and the next one waits for that and opens it anew.
//!
//! `cargo run -p livedrop-shared-connections-example --example shared_connections -- [USERS]`

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use futures::future::join_all;
use livedrop::collections::AsyncDropCache;
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

// Counted by the servers.
static OPENED: AtomicUsize = AtomicUsize::new(0);
static LINES: AtomicUsize = AtomicUsize::new(0);
static GOODBYES: AtomicUsize = AtomicUsize::new(0);

struct Connection {
    stream: Mutex<BufReader<TcpStream>>,
}

impl Connection {
    async fn open(address: SocketAddr) -> io::Result<AsyncDropGuard<Connection>> {
        let stream = Mutex::new(BufReader::new(TcpStream::connect(address).await?));
        Ok(AsyncDropGuard::new(Connection { stream }))
    }

    async fn ask(&self, question: &str) -> io::Result<String> {
        let mut stream = self.stream.lock().await;
        stream.write_all(format!("{question}\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_line(&mut answer).await?;
        Ok(answer)
    }
}

#[async_trait]
impl AsyncDrop for Connection {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.ask("bye").await?;
        self.stream.get_mut().shutdown().await
    }
}

type Cache = AsyncDropCache<SocketAddr, Connection>;

/// Uses the connection to `address`, and opens it first if necessary.
async fn use_it(cache: &Cache, address: SocketAddr) -> Result {
    let connection = cache.get(address, Connection::open(address)).await?;
    with_async_drop(connection, async |connection| {
        connection.ask("hello").await?;
        Ok(())
    })
    .await
}

/// Echoes every line.
async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        OPENED.fetch_add(1, SeqCst);
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let count = if line == "bye\n" { &GOODBYES } else { &LINES };
            count.fetch_add(1, SeqCst);
            stream.write_all(line.as_bytes()).await?;
            line.clear();
        }
    }
}

async fn run(users: usize) -> Result {
    let (mut addresses, mut servers) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        addresses.push(listener.local_addr()?);
        servers.push(tokio::spawn(serve(listener)));
    }
    // No server listens at this address any more.
    addresses.push(TcpListener::bind("127.0.0.1:0").await?.local_addr()?);

    let cache = Cache::new();
    let all = (0..users).map(|user| use_it(&cache, addresses[user % addresses.len()]));
    let results = join_all(all).await;
    servers.iter().for_each(tokio::task::JoinHandle::abort);

    let failed = results.iter().filter(|result| result.is_err()).count();
    let [opened, lines, goodbyes] = [&OPENED, &LINES, &GOODBYES].map(|count| count.load(SeqCst));
    println!("{users} users, 4 addresses, one of them without a server");
    println!("{lines} were answered, {failed} were told that it cannot be opened");
    println!("{opened} connections opened, {goodbyes} said goodbye");
    let agree = lines + failed == users && opened == goodbyes && cache.is_empty();
    if agree { Ok(()) } else { Err("the numbers do not agree".into()) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "100".to_owned());
    let result = match argument.parse() {
        Ok(users) => run(users).await,
        Err(_) => Err(format!("USERS is a whole number, not {argument}").into()),
    };
    if let Err(error) = result {
        eprintln!("shared_connections: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
