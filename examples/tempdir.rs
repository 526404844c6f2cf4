//! A temporary folder that is removed on every path, without blocking a thread in `Drop`.
//!
//! `cargo run --example tempdir -- [FOLDER]`; the temporary folders are created in FOLDER.

use std::error::Error;
use std::future::pending;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, with_async_drop};
use tokio::time::timeout;

type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// The message of intended panics and errors.
const MEANT: &str = "this is meant";

struct TempDir {
    path: PathBuf,
}

impl TempDir {
    async fn create(parent: &Path, name: &str) -> io::Result<AsyncDropGuard<TempDir>> {
        let path = parent.join(format!("livedrop-tempdir-{}-{name}", std::process::id()));
        tokio::fs::create_dir(&path).await?;
        Ok(AsyncDropGuard::new(TempDir { path }))
    }
}

#[async_trait]
impl AsyncDrop for TempDir {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        match tokio::fs::remove_dir_all(&self.path).await {
            // A cancelled cleanup may have removed it already.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

/// Writes files into the folder, and ends in the given way.
async fn fill(folder: &Path, way: &str) -> Result {
    for file in ["a", "b", "c"] {
        tokio::fs::write(folder.join(file), file).await?;
    }
    match way {
        "error" => Err(MEANT.into()),
        "panic" => panic!("{MEANT}"),
        "cancelled" => pending().await,
        _ => Ok(()),
    }
}

async fn run(parent: &Path) -> Result {
    let mut reaper = Reaper::new();
    println!("{:<10} {:<22} {:<12}", "way out", "outcome", "the folder");
    for way in ["normal", "error", "panic", "cancelled"] {
        // Adopted, because a cancelled future cannot await the removal.
        let opened = reaper.acquire({
            let parent = parent.to_owned();
            async move { TempDir::create(&parent, way).await }
        });
        let folder = match opened.await {
            Ok(folder) => folder,
            Err(error) => {
                reaper.async_drop().await?;
                return Err(
                    format!("cannot create a folder in {}: {error}", parent.display()).into()
                );
            }
        };
        let path = folder.path.clone();
        let used = with_async_drop(folder, async |folder| fill(&folder.path, way).await);
        let used = timeout(Duration::from_millis(100), AssertUnwindSafe(used).catch_unwind()).await;
        let outcome = match used {
            Ok(Ok(Ok(()))) => "done",
            Ok(Ok(Err(_))) => "failed",
            Ok(Err(_)) => "panicked",
            Err(_) => "cancelled half-way",
        };
        // The reaper has something to do only if the owner was cancelled.
        let by_reaper = reaper.drain().await.cleaned > 0;
        let folder = match (path.exists(), by_reaper) {
            (true, _) => "is left",
            (false, true) => "removed by the reaper",
            (false, false) => "removed",
        };
        println!("{way:<10} {outcome:<22} {folder}");
    }
    Ok(reaper.async_drop().await?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.to_string().contains(MEANT) {
            default(info);
        }
    }));
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    match run(&parent).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tempdir: {error}");
            ExitCode::FAILURE
        }
    }
}
