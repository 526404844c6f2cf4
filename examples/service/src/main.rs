//! A key-value service over TCP. Every resource is in a guard: the pool, the listener, a background
//! task, each connection and each transaction.
//!
//! * `cargo run -p livedrop-service-example -- ADDRESS DATABASE` serves until SIGINT or SIGTERM.
//! * `cargo run -p livedrop-service-example -- --demo` puts the service under load, stops it in the
//!   middle, and compares the acknowledged writes with the stored rows.

mod connection;
mod demo;
mod lines;
mod protocol;
mod server;
mod store;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use livedrop::hook;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

const USAGE: &str = "usage: livedrop-service-example ADDRESS DATABASE, or --demo";

/// Returns a future that is ready at the next SIGINT or SIGTERM.
fn signals() -> Result<impl Future<Output = &'static str>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

async fn serve(address: &str, database: &str) -> Result {
    let stop = signals()?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("listening on {}", listener.local_addr()?);
    server::run(&PathBuf::from(database), listener, Arc::default(), stop).await?;
    println!("stopped");
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    // Log forgotten guards: a panic could close the connections of other clients.
    hook::set(hook::log);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match *arguments {
        ["--demo"] => demo::run().await,
        [address, database] if !address.starts_with('-') => serve(address, database).await,
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("livedrop-service-example: {error}");
            ExitCode::FAILURE
        }
    }
}
