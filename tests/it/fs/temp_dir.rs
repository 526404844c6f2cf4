//! `fs::TempDir`: nothing is left of it.

use std::future::pending;
use std::io;
use std::path::Path;

use super::{background_has_ended, folder, names, one_by_one};
use crate::support::{Reports, created_at};
use livedrop::testing::{cancel_after, leaks};
use livedrop::{AsyncDropGuard, fs, scope, with_async_drop};

/// Creates files and directories in `folder`.
fn fill(folder: &Path) {
    for name in ["a", "b"] {
        let inner = folder.join(name).join("inner");
        std::fs::create_dir_all(&inner).unwrap();
        for file in 0..20 {
            std::fs::write(inner.join(file.to_string()), "content").unwrap();
        }
    }
}

#[tokio::test]
async fn cleanup_removes_the_directory_and_its_content() {
    let mut dir = fs::tempdir().await.unwrap();
    assert_eq!(dir.path().parent(), Some(&*std::env::temp_dir()));
    let path = dir.path().to_owned();
    assert_eq!(path, AsRef::<Path>::as_ref(&*dir));
    fill(&path);
    dir.async_drop().await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn every_way_out_removes_the_directory() {
    let parent = folder("every_way_out_removes_the_directory");

    let dir = fs::tempdir_in(&parent).await.unwrap();
    let error = with_async_drop(dir, async |dir| {
        fill(dir.path());
        Err::<(), _>(io::Error::other("later"))
    });
    assert_eq!(error.await.unwrap_err().to_string(), "later");
    assert!(names(&parent).is_empty());

    leaks(async |reaper| {
        let dir = reaper.adopt(fs::tempdir_in(&parent).await.unwrap());
        let cancelled = with_async_drop(dir, async |dir| {
            fill(dir.path());
            pending::<io::Result<()>>().await
        });
        assert!(cancel_after(1, cancelled).await.is_none());
        assert_eq!(names(&parent).len(), 1);
    })
    .await;
    assert!(names(&parent).is_empty());

    let Ok(dir) = AsyncDropGuard::into_live(fs::tempdir_in(&parent).await.unwrap()) else {
        panic!("it is not cleaned up")
    };
    let live = scope!(dir, async |dir| dir.async_drop().await.after(io::Result::Ok(())));
    live.await.unwrap();
    assert!(names(&parent).is_empty());
}

#[tokio::test]
async fn a_directory_that_is_removed_already_is_no_error() {
    let mut dir = fs::tempdir().await.unwrap();
    std::fs::remove_dir(dir.path()).unwrap();
    dir.async_drop().await.unwrap();
}

#[tokio::test]
async fn a_directory_that_cannot_be_removed_is_named() {
    let parent = folder("a_directory_that_cannot_be_removed_is_named");
    let mut dir = fs::tempdir_in(&parent).await.unwrap();
    let path = dir.path().to_owned();
    // The tests may run as a user who may remove everything.
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, "a file in its place").unwrap();
    let error = dir.async_drop().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
    assert!(error.to_string().starts_with(&format!("cannot remove {}: ", path.display())));
}

#[tokio::test]
async fn cleanup_cancelled_at_every_poll_is_repeated() {
    let parent = folder("cleanup_cancelled_at_every_poll_is_repeated_dir");
    for polls in 0.. {
        let mut dir = fs::tempdir_in(&parent).await.unwrap();
        fill(dir.path());
        let ended = cancel_after(polls, dir.async_drop()).await;
        dir.async_drop().await.unwrap();
        assert!(names(&parent).is_empty(), "{polls}");
        if ended.is_some() {
            break;
        }
    }
}

#[tokio::test]
async fn reaper_finishes_a_cleanup_cancelled_at_every_poll() {
    let parent = folder("reaper_finishes_a_dir_cancelled_at_every_poll");
    for polls in 0.. {
        let ended = leaks(async |reaper| {
            let dir = reaper.adopt(fs::tempdir_in(&parent).await.unwrap());
            fill(dir.path());
            let body = scope!(dir, async |dir| dir.async_drop().await.after(io::Result::Ok(())));
            cancel_after(polls, body).await
        })
        .await;
        assert!(names(&parent).is_empty(), "{polls}");
        if ended.is_some() {
            break;
        }
    }
}

#[test]
fn creation_cancelled_at_every_poll_leaves_nothing() {
    let parent = folder("creation_cancelled_at_every_poll_leaves_nothing");
    one_by_one().block_on(async {
        for polls in 0.. {
            let made = cancel_after(polls, fs::tempdir_in(&parent)).await;
            background_has_ended().await;
            if let Some(made) = made {
                made.unwrap().async_drop().await.unwrap();
                break;
            }
            assert!(names(&parent).is_empty(), "{polls}");
        }
        assert!(names(&parent).is_empty());
    });
}

#[tokio::test]
async fn a_lost_directory_is_removed_when_it_is_dropped() {
    let parent = folder("a_lost_directory_is_removed_when_it_is_dropped");
    let reports = Reports::collect();
    let line = line!() + 1;
    let created = fs::tempdir_in(&parent);
    drop(created.await.unwrap());
    let site = created_at(file!(), line);
    reports.expect_one(&format!("Forgot to call async_drop on TempDir{site}"));
    assert!(names(&parent).is_empty());
}

#[tokio::test]
async fn a_kept_directory_stays() {
    let parent = folder("a_kept_directory_stays");
    let dir = fs::tempdir_in(&parent).await.unwrap();
    let path = AsyncDropGuard::into_inner_without_cleanup(dir).keep();
    assert!(path.is_dir());
}

#[tokio::test]
async fn a_directory_that_cannot_be_created_is_an_error() {
    let error = fs::tempdir_in("/no/such").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().starts_with("cannot create a directory in /no/such: "), "{error}");
}
