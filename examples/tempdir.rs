//! A temporary directory that is removed on every path, without blocking a thread in `Drop`.
//! If its owner is cancelled, the reaper removes it.
//!
//! `cargo run --features fs --example tempdir -- [FOLDER]`; the directories are created in FOLDER.

use std::error::Error;
use std::future::pending;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use futures::FutureExt;
use livedrop::{Reaper, fs, with_async_drop};
use tokio::time::timeout;

/// The message of intended panics and errors.
const MEANT: &str = "this is meant";

/// Writes files into the directory, and ends in the given way.
async fn fill(dir: &Path, way: &str) -> io::Result<()> {
    for file in ["a", "b", "c"] {
        tokio::fs::write(dir.join(file), file).await?;
    }
    match way {
        "error" => Err(io::Error::other(MEANT)),
        "panic" => panic!("{MEANT}"),
        "cancelled" => pending().await,
        _ => Ok(()),
    }
}

async fn run(parent: &Path, reaper: &Reaper) -> Result<(), Box<dyn Error + Send + Sync>> {
    for way in ["normal", "error", "panic", "cancelled"] {
        // Adopted, because a cancelled owner cannot await the removal. Nothing is awaited between the creation
        // and the adoption.
        let dir = reaper.adopt(fs::tempdir_in(parent).await?);
        let path = dir.path().to_owned();
        let used = AssertUnwindSafe(with_async_drop(dir, async |dir| fill(dir.path(), way).await));
        let _used = timeout(Duration::from_millis(100), used.catch_unwind()).await;
        // The reaper has something to do only if the owner was cancelled.
        let by_reaper = reaper.drain().await.cleaned > 0;
        let outcome = match (path.exists(), by_reaper) {
            (true, _) => "is left",
            (false, true) => "removed by the reaper",
            (false, false) => "removed",
        };
        println!("{way:<10} {outcome}");
    }
    Ok(())
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
    let ended = with_async_drop(Reaper::new(), async |reaper| run(&parent, reaper).await);
    if let Err(error) = ended.await {
        eprintln!("tempdir: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
