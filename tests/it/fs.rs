//! Files and temporary directories in guards, on a real file system.
#![cfg(feature = "fs")]

mod atomic_file;
mod file;
mod temp_dir;

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use crate::support::block_on;
use futures::FutureExt;
use livedrop::fs;
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

#[test]
fn a_cleanup_outside_a_runtime_panics() {
    let folder = folder("a_cleanup_outside_a_runtime_panics");
    let path = folder.join("file");
    let (mut dir, mut file, mut new) = one_by_one().block_on(async {
        let dir = fs::tempdir_in(&folder).await.unwrap();
        (dir, fs::create(&path).await.unwrap(), fs::replace(&path).await.unwrap())
    });
    assert!(block_on(AssertUnwindSafe(dir.async_drop()).catch_unwind()).is_err());
    assert!(block_on(AssertUnwindSafe(file.async_drop()).catch_unwind()).is_err());
    assert!(block_on(AssertUnwindSafe(new.async_drop()).catch_unwind()).is_err());
    assert_eq!(names(&folder), ["file"]);
}
