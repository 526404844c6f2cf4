//! A web service for transfers between accounts. Every resource is in a guard: the pool, each
//! transaction and each stream of events. `livedrop::app` runs it.
//!
//! * `cargo run -p livedrop-service-example -- ADDRESS DATABASE` serves until SIGINT or SIGTERM.
//! * `cargo run -p livedrop-service-example -- --demo` puts the service under load, stops it in the
//!   middle, and compares the acknowledged transfers with the stored ones.
//!
//! | request | reply |
//! |---|---|
//! | `POST /accounts` with `{"balance": 100}` | `201` and `{"id": 1, "balance": 100}` |
//! | `GET /accounts/1` | `200` and the account |
//! | `POST /transfers` with `{"id": "a", "source": 1, "target": 2, "amount": 5}` | `201`, or `409` if the id is used or the money is not there |
//! | `GET /accounts/1/events` | a stream of server-sent events: each new balance, and at last `goodbye` |

mod api;
mod demo;
mod store;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use livedrop::app::{App, AppHandle, Ended};
use livedrop::hook;
use tokio::net::TcpListener;

use store::{Counts, Store};

type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

const USAGE: &str = "usage: livedrop-service-example ADDRESS DATABASE, or --demo";

/// Serves until the application stops.
async fn serve(app: AppHandle, listener: TcpListener, path: &Path, counts: Arc<Counts>) -> Result {
    let store = app
        .acquire(Store::open(path.to_owned(), counts))
        .await
        .map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    // The requests, the streams and the background task share the guard. When the last one drops it, the reaper
    // closes the pool.
    let store = Arc::new(store);
    app.spawn(store::flush(app.clone(), Arc::clone(&store)));
    let stopping = app.stopping();
    let router = api::router(app, store);
    println!("listening on {}", listener.local_addr()?);
    let stopping = async {
        stopping.await;
        println!("stopping: no more connections are accepted");
    };
    Ok(axum::serve(listener, router).with_graceful_shutdown(stopping).await?)
}

async fn bind(address: &str) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| format!("cannot listen on {address}: {error}").into())
}

#[tokio::main]
async fn main() -> Ended<(), Box<dyn Error + Send + Sync>> {
    // Log forgotten guards: a panic could close the connections of other clients.
    hook::set(hook::log);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["--demo"] => App::new().without_signals().run(demo::run).await,
        [address, path] if !address.starts_with('-') => {
            let serving = App::new().run(async |app| {
                serve(app, bind(address).await?, path.as_ref(), Arc::default()).await
            });
            serving.await
        }
        _ => App::new().run(async |_| Err(USAGE.into())).await,
    }
}
