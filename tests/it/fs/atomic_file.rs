//! `fs::AtomicFile`: a reader sees the old or the new content, and no other file is left.

use std::future::poll_fn;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;

use futures::future::poll_immediate;

use super::{background_has_ended, folder, names, one_by_one};
use crate::support::{Reports, is_child};
use livedrop::fs::{self, AtomicFile};
use livedrop::testing::{cancel_after, leaks};
use livedrop::{AsyncDropGuard, scope};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

const OLD: &str = "old content";

/// Larger than the buffer.
fn new() -> String {
    "new content\n".repeat(10_000)
}

/// A directory with a file.
fn with_old(test: &str) -> (PathBuf, PathBuf) {
    let folder = folder(test);
    let path = folder.join("target");
    std::fs::write(&path, OLD).unwrap();
    (folder, path)
}

async fn written(path: &Path) -> AsyncDropGuard<AtomicFile> {
    let mut file = fs::replace(path).await.unwrap();
    let new = new();
    let (most, rest) = new.as_bytes().split_at(new.len() - 10);
    file.write_all(most).await.unwrap();
    // This stays in the buffer.
    file.write_all(rest).await.unwrap();
    file
}

/// Whether the file has the new content. It has the old one otherwise.
fn is_new(path: &Path) -> bool {
    let content = std::fs::read_to_string(path).unwrap();
    let is_new = content == new();
    assert!(is_new || content == OLD, "{} bytes", content.len());
    is_new
}

/// Awaits the future, and looks at the file after every poll.
async fn watched<F: Future>(path: &Path, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let poll = future.as_mut().poll(cx);
        is_new(path);
        poll
    })
    .await
}

#[tokio::test]
async fn persist_replaces_the_file() {
    let (folder, path) = with_old("persist_replaces_the_file");
    let file = written(&path).await;
    assert_eq!(file.path(), path);
    assert!(!is_new(&path));
    let (_proof, persisted) = file.async_drop_via(AtomicFile::persist).await;
    persisted.unwrap();
    assert!(is_new(&path));
    assert_eq!(names(&folder), ["target"]);
}

#[tokio::test]
async fn persist_creates_a_file_that_is_not_there() {
    let folder = folder("persist_creates_a_file_that_is_not_there");
    let path = folder.join("target");
    written(&path).await.async_drop_via(AtomicFile::persist).await.1.unwrap();
    assert!(is_new(&path));
    assert_eq!(names(&folder), ["target"]);
}

#[tokio::test]
async fn the_name_may_be_as_long_as_any() {
    let path = folder("the_name_may_be_as_long_as_any").join("x".repeat(255));
    written(&path).await.async_drop_via(AtomicFile::persist).await.1.unwrap();
    assert!(is_new(&path));
}

#[tokio::test]
async fn cleanup_keeps_the_old_file() {
    let (folder, path) = with_old("cleanup_keeps_the_old_file");
    let mut file = written(&path).await;
    assert_eq!(names(&folder).len(), 2);
    file.async_drop().await.unwrap();
    assert!(!is_new(&path));
    assert_eq!(names(&folder), ["target"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_that_cannot_be_removed_is_named() {
    let (folder, path) = with_old("a_new_file_that_cannot_be_removed_is_named");
    let mut file = written(&path).await;
    let new = names(&folder).into_iter().find(|name| name != "target").unwrap();
    // The tests may run as a user who may remove everything, but not a directory as a file.
    std::fs::remove_file(folder.join(&new)).unwrap();
    std::fs::create_dir(folder.join(&new)).unwrap();
    let error = file.async_drop().await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot discard the new {}: ", path.display())), "{error}");
    assert!(!is_new(&path));
}

/// The new content is on the disk before it has the name.
#[test]
fn the_rename_is_the_last_step() {
    let (_folder, path) = with_old("the_rename_is_the_last_step");
    one_by_one().block_on(async {
        let file = written(&path).await;
        let mut persist = pin!(file.async_drop_via(AtomicFile::persist));
        let persisted = loop {
            let was_new = is_new(&path);
            // A poll begins at most one operation in the background.
            let poll = poll_immediate(persist.as_mut()).await;
            if let Some((_proof, persisted)) = poll {
                break persisted;
            }
            assert!(!was_new, "an operation follows the rename");
            background_has_ended().await;
        };
        persisted.unwrap();
        assert!(is_new(&path));
    });
}

#[tokio::test]
async fn a_lost_file_is_removed() {
    let (folder, path) = with_old("a_lost_file_is_removed");
    let reports = Reports::collect();
    drop(written(&path).await);
    reports.expect_one("Forgot to call async_drop on AtomicFile");
    assert!(!is_new(&path));
    assert_eq!(names(&folder), ["target"]);
}

#[test]
fn persist_cancelled_at_every_poll_is_atomic() {
    let (folder, path) = with_old("persist_cancelled_at_every_poll_is_atomic");
    one_by_one().block_on(async {
        let mut outcomes = Vec::new();
        for polls in 0.. {
            std::fs::write(&path, OLD).unwrap();
            let reports = Reports::collect();
            let persisted = written(&path).await.async_drop_via(AtomicFile::persist);
            let ended = cancel_after(polls, watched(&path, persisted)).await;
            is_new(&path);
            background_has_ended().await;
            outcomes.push(is_new(&path));
            assert_eq!(names(&folder), ["target"], "{polls}");
            if let Some((_proof, persisted)) = ended {
                persisted.unwrap();
                reports.expect_none();
                break;
            }
            reports.expect_one(match polls {
                0 => "Forgot to call async_drop on AtomicFile",
                _ => "async_drop on AtomicFile was cancelled before it finished",
            });
        }
        assert!(!outcomes[0] && outcomes[outcomes.len() - 1], "{outcomes:?}");
    });
}

#[test]
fn reaper_finishes_a_persist_cancelled_at_every_poll() {
    let (folder, path) = with_old("reaper_finishes_a_persist_cancelled_at_every_poll");
    one_by_one().block_on(async {
        for polls in 0.. {
            std::fs::write(&path, OLD).unwrap();
            let ended = leaks(async |reaper| {
                let file = reaper.adopt(written(&path).await);
                let body = scope!(file, async |it| it.async_drop_via(AtomicFile::persist).await);
                cancel_after(polls, body).await
            });
            let ended = watched(&path, ended).await;
            assert_eq!(is_new(&path), polls > 0, "{polls}");
            assert_eq!(names(&folder), ["target"], "{polls}");
            if let Some(persisted) = ended {
                persisted.unwrap();
                break;
            }
        }
    });
}

#[test]
fn cleanup_cancelled_at_every_poll_discards_the_file() {
    let (folder, path) = with_old("cleanup_cancelled_at_every_poll_discards_the_file");
    one_by_one().block_on(async {
        for polls in 0.. {
            let mut file = written(&path).await;
            let ended = cancel_after(polls, file.async_drop()).await;
            file.async_drop().await.unwrap();
            assert_eq!(names(&folder), ["target"], "{polls}");

            leaks(async |reaper| {
                let mut file = reaper.adopt(written(&path).await);
                cancel_after(polls, file.async_drop()).await;
            })
            .await;
            assert_eq!(names(&folder), ["target"], "{polls}");
            assert!(!is_new(&path));
            if ended.is_some() {
                break;
            }
        }
    });
}

#[test]
fn creation_cancelled_at_every_poll_leaves_nothing() {
    let (folder, path) = with_old("creation_of_a_file_cancelled_at_every_poll");
    one_by_one().block_on(async {
        for polls in 0.. {
            let made = cancel_after(polls, fs::replace(&path)).await;
            background_has_ended().await;
            if let Some(made) = made {
                made.unwrap().async_drop().await.unwrap();
                break;
            }
            assert_eq!(names(&folder), ["target"], "{polls}");
        }
        assert_eq!(names(&folder), ["target"]);
    });
}

#[test]
fn a_discarded_file_cannot_be_persisted() {
    let (folder, path) = with_old("a_discarded_file_cannot_be_persisted");
    one_by_one().block_on(async {
        let mut file = written(&path).await;
        // The removal waits for this operation.
        let (go, begin) = std::sync::mpsc::channel::<()>();
        let blocking = tokio::task::spawn_blocking(move || begin.recv());
        assert!(cancel_after(1, file.async_drop()).await.is_none());
        let (_proof, persisted) = file.async_drop_via(AtomicFile::persist).await;
        let error = persisted.unwrap_err().to_string();
        assert!(error.ends_with("the new file was discarded"), "{error}");
        go.send(()).unwrap();
        blocking.await.unwrap().unwrap();
        background_has_ended().await;
        assert!(!is_new(&path));
        assert_eq!(names(&folder), ["target"]);
    });
}

#[cfg(unix)]
#[tokio::test]
async fn a_path_that_cannot_be_looked_at_is_an_error() {
    let path = folder("a_path_that_cannot_be_looked_at_is_an_error").join("target");
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let error = fs::replace(&path).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot replace {}: ", path.display())));
}

#[tokio::test]
async fn a_file_that_cannot_be_replaced_is_named() {
    let folder = folder("a_file_that_cannot_be_replaced_is_named");
    let path = folder.join("target");
    let file = written(&path).await;
    std::fs::create_dir(&path).unwrap();
    let error = file.async_drop_via(AtomicFile::persist).await.1.unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot replace {}: ", path.display())));
    assert_eq!(names(&folder), ["target"]);

    for path in [path, folder.join("no-such").join("target"), PathBuf::from("/")] {
        let error = fs::replace(&path).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot replace {}: ", path.display())));
        assert_eq!(names(&folder), ["target"]);
    }
    if cfg!(unix) {
        let error = fs::replace("/dev/null").await.unwrap_err().to_string();
        assert_eq!(error, "cannot replace /dev/null: it is not a regular file");
    }
}

/// A limit of the file size stands in for a full disk. It is a limit of the whole process.
#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_keeps_the_old_file() {
    if !is_child() {
        let script = "trap '' XFSZ; ulimit -f 20; LIVEDROP_TEST_CHILD=1 exec \"$0\" --exact \"$1\"";
        let name = concat!(module_path!(), "::a_full_disk_keeps_the_old_file");
        let (_crate, name) = name.split_once("::").unwrap();
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", script]).arg(std::env::current_exe().unwrap()).arg(name);
        let output = shell.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && printed.contains("1 passed"), "{output:?}");
        return;
    }
    let (folder, path) = with_old("a_full_disk_keeps_the_old_file");
    let mut file = fs::replace(&path).await.unwrap();
    // Also if the error of this is ignored, and there is room later.
    let _sent = file.write_all(new().as_bytes()).await;
    let _flushed = file.flush().await;
    file.rewind().await.unwrap();
    file.write_all(b"short").await.unwrap();
    let (_proof, persisted) = file.async_drop_via(AtomicFile::persist).await;
    assert_eq!(persisted.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    assert!(!is_new(&path));
    assert_eq!(names(&folder), ["target"]);
}

#[cfg(unix)]
#[tokio::test]
async fn the_permissions_are_those_of_the_old_file() {
    use std::os::unix::fs::PermissionsExt;

    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    let (folder, path) = with_old("the_permissions_are_those_of_the_old_file");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o751)).unwrap();
    written(&path).await.async_drop_via(AtomicFile::persist).await.1.unwrap();
    assert_eq!(mode(&path), 0o751);

    let (plain, replaced) = (folder.join("plain"), folder.join("replaced"));
    std::fs::write(&plain, OLD).unwrap();
    written(&replaced).await.async_drop_via(AtomicFile::persist).await.1.unwrap();
    assert_eq!(mode(&replaced), mode(&plain));
}
