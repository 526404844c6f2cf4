//! Background tasks in guards.
#![cfg(feature = "tokio")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::support::Reports;
use livedrop::AsyncDropGuard;
use livedrop::task::{self, TaskError};
use livedrop::testing::{cancel_after, leaks};
use tokio::time::{Instant, sleep};

/// A task that counts its beginning, and its end after the stop signal.
fn stoppable(count: &Arc<AtomicUsize>) -> AsyncDropGuard<task::Task<Result<(), String>>> {
    let count = Arc::clone(count);
    task::spawn(|stop| async move {
        count.fetch_add(1, SeqCst);
        stop.cancelled().await;
        sleep(Duration::from_millis(20)).await;
        count.fetch_add(10, SeqCst);
        Ok(())
    })
}

#[tokio::test(start_paused = true)]
async fn cleanup_signals_the_task_and_waits_for_it() {
    let count = Arc::default();
    let mut guard = stoppable(&count);
    tokio::task::yield_now().await;
    assert!(!guard.is_finished());
    guard.async_drop().await.unwrap();
    assert_eq!(count.load(SeqCst), 11);
}

#[tokio::test(start_paused = true)]
async fn token_stops_the_task_without_a_cleanup() {
    let count = Arc::default();
    let mut guard = stoppable(&count);
    tokio::task::yield_now().await;
    guard.token().cancel();
    sleep(Duration::from_millis(21)).await;
    assert!(guard.is_finished());
    assert_eq!(count.load(SeqCst), 11);
    guard.async_drop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn unstoppable_task_is_aborted_after_the_deadline() {
    struct Dropped(Arc<AtomicUsize>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let drops = Arc::<AtomicUsize>::default();
    let held = Dropped(Arc::clone(&drops));
    let mut guard = task::spawn(|_| async move {
        std::future::pending::<()>().await;
        drop(held);
    });
    guard.set_deadline(Duration::from_secs(3));
    let begun = Instant::now();
    let error = guard.async_drop().await.unwrap_err();
    assert!(matches!(error, TaskError::Aborted(deadline) if deadline == Duration::from_secs(3)));
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert_eq!(drops.load(SeqCst), 1, "the task has ended, and was not only signalled");
    assert_eq!(error.to_string(), "the task did not stop within 3s, and was aborted");
}

#[tokio::test(start_paused = true)]
async fn the_default_deadline_is_the_documented_one() {
    let mut guard = task::spawn(|_| std::future::pending::<()>());
    let begun = Instant::now();
    assert!(guard.async_drop().await.is_err());
    assert_eq!(begun.elapsed().as_secs(), task::DEADLINE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn the_longest_deadline_is_no_deadline() {
    for longest in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(1 << 40)] {
        let flushed = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&flushed);
        let mut guard = task::spawn(|stop| async move {
            stop.cancelled().await;
            tokio::time::sleep(Duration::from_secs(1_000_000)).await;
            count.fetch_add(1, SeqCst);
        });
        guard.set_deadline(longest);
        let called = tokio::time::timeout(Duration::from_secs(1), guard.async_drop()).await;
        assert!(called.is_err(), "cancelled, it can be called again");
        guard.async_drop().await.unwrap();
        assert_eq!(flushed.load(SeqCst), 1, "{longest:?}");
    }
}

#[tokio::test]
async fn a_panic_of_the_task_is_its_error() {
    let mut guard = task::spawn(|_| async { assert!(std::hint::black_box(false), "in the task") });
    let error = guard.async_drop().await.unwrap_err();
    assert_eq!(error.to_string(), "the task panicked: in the task");
    assert!(matches!(error, TaskError::Panicked(message) if message == "in the task"));
}

#[tokio::test]
async fn an_error_of_the_task_is_its_error() {
    let mut guard = task::spawn(|_| async { Err("disk full") });
    while !guard.is_finished() {
        tokio::task::yield_now().await;
    }
    let error = guard.async_drop().await.unwrap_err();
    assert_eq!(error.to_string(), "the task failed: disk full");
}

#[tokio::test(start_paused = true)]
async fn cancelled_cleanup_keeps_its_deadline() {
    let mut guard = task::spawn(|_| std::future::pending::<()>());
    guard.set_deadline(Duration::from_secs(4));
    let begun = Instant::now();
    for _ in 0..3 {
        let called = tokio::time::timeout(Duration::from_secs(1), guard.async_drop()).await;
        assert!(called.is_err());
    }
    assert!(guard.async_drop().await.is_err());
    assert_eq!(begun.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn reaper_finishes_a_cleanup_cancelled_at_every_poll() {
    for polls in 0.. {
        let count = Arc::default();
        let ended = leaks(async |reaper| {
            let mut guard = reaper.adopt(stoppable(&count));
            tokio::task::yield_now().await;
            cancel_after(polls, guard.async_drop()).await
        })
        .await;
        assert_eq!(count.load(SeqCst), 11, "{polls}");
        if ended.is_some() {
            assert!(polls > 1, "the task takes a while to stop");
            break;
        }
    }
}

#[tokio::test]
async fn a_task_whose_guard_was_lost_is_aborted() {
    let reports = Reports::collect();
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    drop(task::spawn(|_| async move {
        std::future::pending::<()>().await;
        drop(held);
    }));
    reports.expect_one("Forgot to call async_drop on Task<()>");
    while Arc::strong_count(&alive) > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_stops_the_task_before_its_cleanup() {
    let count = Arc::default();
    let mut guard = stoppable(&count);
    tokio::task::yield_now().await;
    assert!(!guard.token().is_cancelled());
    guard.token().clone().cancel();
    while !guard.is_finished() {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(count.load(SeqCst), 11);
    guard.async_drop().await.unwrap();
    assert_eq!(count.load(SeqCst), 11, "it is signalled once");
}
