//! A cache of shared connections. The first user of an address opens its connection. It is closed once,
//! when the cache and the last user have cleaned up their handles.
//!
//! `cargo run --example shared_connections -- [USERS]`; USERS is the number of concurrent users.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use futures::future::{BoxFuture, join_all};
use livedrop::collections::{AsyncDropHashMap, AsyncDropResult};
use livedrop::sync::{AsyncDropArc, AsyncDropShared};
use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// The events that the servers have counted.
#[derive(Default)]
struct Seen {
    opened: AtomicUsize,
    lines: AtomicUsize,
    goodbyes: AtomicUsize,
}

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

/// Opening may fail: the users that share the attempt also share its error.
type Opened = AsyncDropResult<Connection, io::Error>;
type Opening = BoxFuture<'static, AsyncDropGuard<Opened>>;
type Handle = AsyncDropGuard<AsyncDropArc<Opened>>;
type Shared = AsyncDropShared<Opened, Opening>;

/// Opens a connection when it is first asked for.
struct Cache {
    connections: Mutex<AsyncDropGuard<AsyncDropHashMap<SocketAddr, Shared>>>,
}

impl Cache {
    fn new() -> AsyncDropGuard<Cache> {
        AsyncDropGuard::new(Cache { connections: Mutex::new(AsyncDropHashMap::new()) })
    }

    async fn get(&self, address: SocketAddr) -> Result<Handle> {
        let mut connections = self.connections.lock().await;
        if !connections.contains_key(&address) {
            let opening: Opening =
                Box::pin(async move { AsyncDropResult::new(Connection::open(address).await) });
            let replaced = connections.insert(address, AsyncDropShared::new(opening));
            assert!(replaced.is_none(), "the key was looked up under the same lock");
        }
        let shared = AsyncDropShared::clone(
            connections.get(&address).expect("the entry was inserted above"),
        );
        // Other users may take the lock while this connection is being opened.
        drop(connections);
        // The cache has a handle, too, so this one is not the last: its cleanup cannot fail.
        with_async_drop(shared, async |shared| Ok(shared.get().await?)).await
    }
}

#[async_trait]
impl AsyncDrop for Cache {
    type Error = livedrop::CleanupErrors<io::Error>;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.connections.get_mut().async_drop().await
    }
}

/// Uses the connection to `address`, and opens it first if necessary.
async fn use_it(cache: &Cache, address: SocketAddr) -> Result {
    let connection = cache.get(address).await?;
    with_async_drop(connection, async |connection| match connection.as_inner() {
        Ok(connection) => {
            connection.ask("hello").await?;
            Ok(())
        }
        Err(error) => Err(format!("cannot open {address}: {}", error.kind()).into()),
    })
    .await
}

/// Echoes every line.
async fn serve(listener: TcpListener, seen: Arc<Seen>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        seen.opened.fetch_add(1, SeqCst);
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let count = if line == "bye\n" { &seen.goodbyes } else { &seen.lines };
            count.fetch_add(1, SeqCst);
            stream.write_all(line.as_bytes()).await?;
            line.clear();
        }
    }
}

async fn run(users: usize) -> Result {
    let seen = Arc::<Seen>::default();
    let (mut addresses, mut servers) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        addresses.push(listener.local_addr()?);
        servers.push(tokio::spawn(serve(listener, Arc::clone(&seen))));
    }
    // No server listens at this address any more.
    addresses.push(TcpListener::bind("127.0.0.1:0").await?.local_addr()?);

    let results = with_async_drop(Cache::new(), async |cache| -> Result<_> {
        let users = (0..users).map(|user| use_it(cache, addresses[user % addresses.len()]));
        Ok(join_all(users).await)
    })
    .await?;
    servers.iter().for_each(tokio::task::JoinHandle::abort);

    let failed = results.iter().filter(|result| result.is_err()).count();
    let [opened, lines, goodbyes] =
        [&seen.opened, &seen.lines, &seen.goodbyes].map(|count| count.load(SeqCst));
    println!("{users} users, {} addresses, one of them without a server", addresses.len());
    println!("{lines} were answered, {failed} were told that it cannot be opened");
    println!("{opened} connections opened, {goodbyes} said goodbye");
    if lines + failed == users && opened == goodbyes {
        Ok(())
    } else {
        Err("the numbers do not agree".into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "100".to_owned());
    let result = match argument.parse() {
        Ok(users) => run(users).await,
        Err(_) => Err(format!("USERS is a whole number, not {argument}").into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shared_connections: {error}");
            ExitCode::FAILURE
        }
    }
}
