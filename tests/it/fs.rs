//! Files and temporary directories in guards, on a real file system.
#![cfg(feature = "fs")]

mod atomic_file;
mod file;
mod temp_dir;

use std::path::{Path, PathBuf};

use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;

/// A new directory for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fs").join(name);
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The names in a directory.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A runtime whose blocking operations run one after another.
fn one_by_one() -> Runtime {
    Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap()
}

/// Waits for the blocking operations before this one, on a runtime of `one_by_one`.
async fn background_has_ended() {
    spawn_blocking(|| ()).await.unwrap();
}
