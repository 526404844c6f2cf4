//! `fs::File`: every byte is in the file, or there is an error.

use std::future::{pending, poll_fn};
use std::io::{self, IoSlice, SeekFrom};
use std::pin::pin;

use super::folder;
use crate::support::{Reports, created_at};
use livedrop::testing::{cancel_after, leaks};
use livedrop::{AsyncDropGuard, fs, scope, try_or_drop, with_async_drop};
use tokio::fs::OpenOptions;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt};

/// Less than the buffer, so that nothing is written before the flush.
const TEXT: &[u8] = b"a line\n";

#[tokio::test]
async fn cleanup_writes_the_buffer() {
    let path = folder("cleanup_writes_the_buffer").join("file");
    let mut file = fs::create(&path).await.unwrap();
    assert_eq!(file.path(), path);
    file.write_all(TEXT).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    file.async_drop().await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), TEXT);
}

#[tokio::test]
async fn a_vectored_write_is_in_the_file() {
    let path = folder("a_vectored_write_is_in_the_file").join("file");
    let mut file = fs::create(&path).await.unwrap();
    assert!(file.is_write_vectored());
    // Both fit into the buffer, so one call takes both.
    let parts = [IoSlice::new(b"one, "), IoSlice::new(b"two")];
    assert_eq!(file.write_vectored(&parts).await.unwrap(), 8);
    file.async_drop().await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"one, two");
}

#[tokio::test]
async fn every_way_out_writes_the_buffer() {
    let folder = folder("every_way_out_writes_the_buffer");
    let path = |name| folder.join(name);

    let error = fs::create(path("error")).await.unwrap();
    let result: io::Result<()> = with_async_drop(error, async |file| {
        file.write_all(TEXT).await?;
        Err(io::Error::other("later"))
    })
    .await;
    assert_eq!(result.unwrap_err().to_string(), "later");
    assert_eq!(std::fs::read(path("error")).unwrap(), TEXT);

    let panic = fs::create(path("panic")).await.unwrap();
    let body = with_async_drop(panic, async |file| {
        file.write_all(TEXT).await?;
        assert!(std::hint::black_box(false), "in the body");
        io::Result::Ok(())
    });
    assert!(tokio::spawn(body).await.unwrap_err().is_panic());
    assert_eq!(std::fs::read(path("panic")).unwrap(), TEXT);

    leaks(async |reaper| {
        let cancelled = reaper.adopt(fs::create(path("cancelled")).await.unwrap());
        let body = with_async_drop(cancelled, async |file| {
            file.write_all(TEXT).await?;
            pending::<io::Result<()>>().await
        });
        assert!(cancel_after(1, body).await.is_none());
    })
    .await;
    assert_eq!(std::fs::read(path("cancelled")).unwrap(), TEXT);
}

#[tokio::test]
async fn a_live_guard_writes_its_buffer() {
    let path = folder("a_live_guard_writes_its_buffer").join("file");
    let Ok(file) = AsyncDropGuard::into_live(fs::create(&path).await.unwrap()) else {
        panic!("it is not cleaned up")
    };
    scope!(file, async |mut file| {
        try_or_drop!(file, file.write_all(TEXT).await);
        file.async_drop().await.after(io::Result::Ok(()))
    })
    .await
    .unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), TEXT);
}

#[tokio::test]
async fn cleanup_cancelled_at_every_poll_is_repeated() {
    let path = folder("cleanup_cancelled_at_every_poll_is_repeated").join("file");
    for polls in 0.. {
        let mut file = fs::create(&path).await.unwrap();
        file.write_all(TEXT).await.unwrap();
        let ended = cancel_after(polls, file.async_drop()).await;
        if ended.is_none() {
            // The guard can still be used. This is written, too.
            file.write_all(TEXT).await.unwrap();
        }
        file.async_drop().await.unwrap();
        let expected = if ended.is_none() { [TEXT, TEXT].concat() } else { TEXT.to_owned() };
        assert_eq!(std::fs::read(&path).unwrap(), expected, "{polls}");
        if ended.is_some() {
            break;
        }
    }
}

#[tokio::test]
async fn reaper_finishes_a_cleanup_cancelled_at_every_poll() {
    let path = folder("reaper_finishes_a_file_cancelled_at_every_poll").join("file");
    for polls in 0.. {
        let ended = leaks(async |reaper| {
            let mut file = reaper.adopt(fs::create(&path).await.unwrap());
            file.write_all(TEXT).await.unwrap();
            let body = scope!(file, async |file| file.async_drop().await.after(io::Result::Ok(())));
            cancel_after(polls, body).await
        })
        .await;
        assert_eq!(std::fs::read(&path).unwrap(), TEXT, "{polls}");
        if ended.is_some() {
            break;
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_an_error_of_the_cleanup() {
    let mut file = fs::create("/dev/full").await.unwrap();
    file.write_all(TEXT).await.unwrap();
    let error = file.async_drop().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(error.to_string().starts_with("cannot write /dev/full: No space left"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_never_silent() {
    // Smaller than the buffer, larger, and larger than the buffer of tokio's file.
    for length in [1, 100_000, 5_000_000] {
        for polls in 0.. {
            let mut file = fs::create("/dev/full").await.unwrap();
            let mut errors = Vec::new();
            errors.extend(file.write_all(&vec![b'x'; length]).await.err());
            let ended = cancel_after(polls, file.async_drop()).await;
            let is_last = ended.is_some();
            errors.extend(ended.and_then(Result::err));
            errors.extend(file.async_drop().await.err());
            assert!(!errors.is_empty(), "{length} bytes, cancelled after {polls} polls");
            if is_last {
                break;
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_ignored_write_error_fails_the_cleanup() {
    for is_flushed in [false, true] {
        let mut file = fs::create("/dev/full").await.unwrap();
        let ignored = if is_flushed {
            file.write_all(TEXT).await.unwrap();
            file.flush().await
        } else {
            // The error of the first write is seen by the second one.
            file.write_all(&vec![b'x'; 100_000]).await.unwrap();
            file.write_all(&vec![b'x'; 100_000]).await
        };
        assert_eq!(ignored.unwrap_err().kind(), io::ErrorKind::StorageFull, "{is_flushed}");
        let error = file.async_drop().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{is_flushed}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_read_keeps_an_earlier_write_error() {
    let options = OpenOptions::new().read(true).write(true).clone();
    let mut file = fs::open("/dev/full", &options).await.unwrap();
    file.write_all(&vec![b'x'; 100_000]).await.unwrap();
    file.read_exact(&mut [0; 8]).await.unwrap();
    let error = file.async_drop().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[cfg(unix)]
#[tokio::test]
async fn a_device_that_cannot_be_synced_is_no_error() {
    let mut file = fs::create("/dev/null").await.unwrap();
    file.write_all(TEXT).await.unwrap();
    file.async_drop().await.unwrap();
}

#[tokio::test]
async fn reads_and_seeks_see_what_was_written() {
    let path = folder("reads_and_seeks_see_what_was_written").join("file");
    let options = OpenOptions::new().read(true).write(true).create(true).clone();
    let mut file = fs::open(&path, &options).await.unwrap();
    file.write_all(b"hello world").await.unwrap();
    assert_eq!(file.seek(SeekFrom::Start(6)).await.unwrap(), 6);
    let mut end = String::new();
    file.read_to_string(&mut end).await.unwrap();
    assert_eq!(end, "world");
    file.seek(SeekFrom::Start(0)).await.unwrap();
    file.write_all(b"J").await.unwrap();
    let mut rest = String::new();
    file.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "ello world");
    file.async_drop().await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"Jello world");
}

/// Awaits the future, and counts its polls.
async fn counted<F: Future>(future: F) -> (usize, F::Output) {
    let (mut future, mut polls) = (pin!(future), 0);
    let output = poll_fn(|cx| {
        polls += 1;
        future.as_mut().poll(cx)
    })
    .await;
    (polls, output)
}

#[tokio::test]
async fn a_read_without_bytes_reads_once() {
    let folder = folder("a_read_without_bytes_reads_once");
    let options = OpenOptions::new().read(true).write(true).create(true).clone();
    let mut file = fs::open(folder.join("file"), &options).await.unwrap();
    file.write_all(TEXT).await.unwrap();
    // One poll begins the operation, and the next one returns its result. A second operation would need more.
    for _ in 0..100 {
        let (polls, end) = counted(file.read(&mut [0; 8])).await;
        assert_eq!(end.unwrap(), 0);
        assert!(polls <= 3, "{polls} polls");
    }
    file.async_drop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn an_error_of_a_read_is_returned() {
    let folder = folder("an_error_of_a_read_is_returned");
    let mut directory = fs::open(folder, OpenOptions::new().read(true)).await.unwrap();
    for _ in 0..100 {
        let (polls, read) = counted(directory.read(&mut [0; 8])).await;
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert!(polls <= 2, "{polls} polls");
    }
    directory.async_drop().await.unwrap();
}

#[tokio::test]
async fn a_file_opened_to_append_is_appended_to() {
    let path = folder("a_file_opened_to_append_is_appended_to").join("file");
    for expected in [TEXT.to_owned(), [TEXT, TEXT].concat()] {
        let options = OpenOptions::new().create(true).append(true).clone();
        let mut file = fs::open(&path, &options).await.unwrap();
        file.write_all(TEXT).await.unwrap();
        file.async_drop().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), expected);
    }
}

#[tokio::test]
async fn a_guard_is_written_to_as_its_file() {
    let path = folder("a_guard_is_written_to_as_its_file").join("file");
    let mut file = fs::create(&path).await.unwrap();
    let copied = tokio::io::copy(&mut &TEXT[..], &mut file).await.unwrap();
    assert_eq!(copied, TEXT.len() as u64);
    file.shutdown().await.unwrap();
    file.async_drop().await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), TEXT);
}

#[tokio::test]
async fn a_forgotten_file_names_its_creation_site() {
    let path = folder("a_forgotten_file_names_its_creation_site").join("file");
    let reports = Reports::collect();
    let line = line!() + 1;
    let created = fs::create(&path);
    drop(created.await.unwrap());
    let site = created_at(file!(), line);
    reports.expect_one(&format!("Forgot to call async_drop on File{site}"));
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let error = fs::create("/no/such/file").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().starts_with("cannot open /no/such/file: "), "{error}");
}
