//! Child processes in guards, with real processes.
#![cfg(all(feature = "process", unix))]

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::panic::AssertUnwindSafe;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Reports, block_on, created_at};
use futures::FutureExt;
use livedrop::process::{self, Process};
use livedrop::testing::{cancel_after, leaks};
use livedrop::{AsyncDropGuard, Reaper, scope};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{ChildStdout, Command};
use tokio::time::{Instant, timeout};

const SIGTERM: Option<i32> = Some(15);
const SIGKILL: Option<i32> = Some(9);

const MINUTE: Duration = Duration::from_secs(60);

/// Echoes when it is ready, ignores SIGTERM, and never ends.
const STUBBORN: &str = "trap '' TERM; echo ready; exec sleep 1000";

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A process that has begun, and the first line of its output.
async fn start(script: &str, spawn: Spawn) -> (AsyncDropGuard<Process>, String) {
    let mut process = spawn(&mut sh(script)).unwrap();
    // A test that depends on this deadline fails: the process is killed then.
    process.set_deadline(MINUTE);
    let line = next_line(process.stdout.as_mut().unwrap()).await;
    (process, line)
}

type Spawn = fn(&mut Command) -> io::Result<AsyncDropGuard<Process>>;
const SPAWNS: [Spawn; 2] = [process::spawn, process::spawn_group];

/// Reads a line byte by byte, so that nothing after it is lost.
async fn next_line(output: &mut ChildStdout) -> String {
    let mut line = String::new();
    BufReader::with_capacity(1, output).read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

/// Sends a signal, and returns whether there is such a process.
fn signal(name: &str, pid: u32) -> bool {
    let kill = format!("kill -{name} {pid} 2>/dev/null");
    std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success()
}

/// Whether a process, or a zombie, has this id.
fn exists(pid: u32) -> bool {
    signal("0", pid)
}

/// Waits until tokio has reaped a lost child.
async fn gone(pid: u32) {
    let begun = std::time::Instant::now();
    while exists(pid) {
        assert!(begun.elapsed() < MINUTE, "{pid} still exists");
        tokio::task::yield_now().await;
    }
}

/// Waits until every process that holds the pipe has ended. A grandchild is reaped by other code, at any time.
async fn closed(mut output: ChildStdout) {
    let ended = timeout(MINUTE, output.read_to_end(&mut Vec::new())).await;
    ended.expect("a process still runs").unwrap();
}

#[tokio::test]
async fn cleanup_terminates_and_reaps_the_process() {
    for spawn in SPAWNS {
        let (mut process, _) = start("echo ready; exec sleep 1000", spawn).await;
        let pid = process.id().unwrap();
        assert!(exists(pid));
        process.async_drop().await.unwrap();
        assert!(!exists(pid));
    }
}

#[tokio::test]
async fn terminate_returns_the_exit_status() {
    for spawn in SPAWNS {
        let (mut process, _) = start("echo ready; exec sleep 1000", spawn).await;
        let status = process.terminate().await.unwrap();
        assert_eq!(status.signal(), SIGTERM);
        assert_eq!(process.id(), None);
        assert_eq!(process.terminate().await.unwrap(), status);
        assert_eq!(process.wait().await.unwrap(), status);
        process.async_drop().await.unwrap();
    }
}

#[tokio::test]
async fn a_process_may_end_in_its_own_way() {
    for spawn in SPAWNS {
        let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done";
        let (mut process, _) = start(script, spawn).await;
        assert_eq!(process.terminate().await.unwrap().code(), Some(7));
        process.async_drop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn stubborn_process_is_killed_at_the_deadline() {
    for spawn in SPAWNS {
        let (mut process, _) = start(STUBBORN, spawn).await;
        let pid = process.id().unwrap();
        process.set_deadline(Duration::from_secs(3));
        let begun = Instant::now();
        let status = process.terminate().await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 3);
        assert_eq!(status.signal(), SIGKILL);
        process.async_drop().await.unwrap();
        assert!(!exists(pid));
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_deadline_is_the_documented_one() {
    let mut process = process::spawn(&mut sh(STUBBORN)).unwrap();
    next_line(process.stdout.as_mut().unwrap()).await;
    let begun = Instant::now();
    process.async_drop().await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), process::DEADLINE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn cancelled_cleanup_keeps_its_deadline() {
    for spawn in SPAWNS {
        let (mut process, _) = start(STUBBORN, spawn).await;
        process.set_deadline(Duration::from_secs(4));
        let begun = Instant::now();
        for _ in 0..3 {
            let called = timeout(Duration::from_secs(1), process.async_drop()).await;
            assert!(called.is_err());
        }
        process.async_drop().await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 4);
    }
}

#[tokio::test]
async fn repeated_cleanup_terminates_the_process_once() {
    let script = "trap 'echo TERM' TERM; trap 'echo USR1' USR1; echo ready
        while :; do sleep 0.01; done";
    let (mut process, _) = start(script, process::spawn).await;
    let pid = process.id().unwrap();
    let mut output = process.stdout.take().unwrap();
    assert!(cancel_after(1, process.async_drop()).await.is_none());
    assert_eq!(next_line(&mut output).await, "TERM");
    assert!(cancel_after(1, process.async_drop()).await.is_none());
    // A second SIGTERM would be seen before the second SIGUSR1.
    for _ in 0..2 {
        assert!(signal("USR1", pid));
        assert_eq!(next_line(&mut output).await, "USR1");
    }
    assert!(signal("KILL", pid));
    process.async_drop().await.unwrap();
}

#[tokio::test]
async fn a_process_that_has_ended_is_no_error() {
    for spawn in SPAWNS {
        for script in ["exit 0", "exit 3", "kill -9 $$"] {
            let mut unreaped = spawn(&mut sh(script)).unwrap();
            let mut output = unreaped.stdout.take().unwrap();
            output.read_to_end(&mut Vec::new()).await.unwrap();
            let pid = unreaped.id().unwrap();
            unreaped.async_drop().await.unwrap();
            assert!(!exists(pid));

            let mut reaped = spawn(&mut sh(script)).unwrap();
            let status = reaped.wait().await.unwrap();
            assert_eq!(status.success(), script == "exit 0");
            assert_eq!(reaped.id(), None);
            reaped.async_drop().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_process_ends_though_its_pipes_are_full() {
    let script = "trap 'head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 5' TERM
        echo ready; while :; do sleep 0.01; done";
    for spawn in SPAWNS {
        let mut process = spawn(sh(script).stderr(Stdio::piped())).unwrap();
        process.set_deadline(MINUTE);
        next_line(process.stdout.as_mut().unwrap()).await;
        assert_eq!(process.terminate().await.unwrap().code(), Some(5));
        process.async_drop().await.unwrap();
    }
}

#[tokio::test]
async fn the_standard_input_is_closed_first() {
    for spawn in SPAWNS {
        let (mut process, _) = start("trap '' TERM; echo ready; exec cat", spawn).await;
        assert!(process.terminate().await.unwrap().success());
        process.async_drop().await.unwrap();
        let mut process = spawn(&mut sh("exec cat")).unwrap();
        assert!(process.wait().await.unwrap().success());
        process.async_drop().await.unwrap();
    }
}

#[tokio::test]
async fn a_pipe_that_a_grandchild_holds_delays_nothing() {
    let (mut process, line) = start("sleep 1000 & echo $!; wait", process::spawn).await;
    let grandchild = line.parse().unwrap();
    process.async_drop().await.unwrap();
    assert!(exists(grandchild), "without a group, it is not signalled");
    assert!(signal("KILL", grandchild));
}

#[tokio::test]
async fn a_group_ends_with_its_first_process() {
    let scripts = [
        "sleep 1000 & echo; wait",
        // The first process has ended before the cleanup.
        "sleep 1000 & echo",
        // Only the first process ends on SIGTERM.
        "(trap '' TERM; echo; exec sleep 1000) & wait",
    ];
    for script in scripts {
        let (mut process, _) = start(script, process::spawn_group).await;
        let output = process.stdout.take().unwrap();
        process.async_drop().await.unwrap();
        closed(output).await;
    }
    let (mut process, _) = start(scripts[1], process::spawn_group).await;
    let output = process.stdout.take().unwrap();
    assert!(process.wait().await.unwrap().success());
    closed(output).await;
    process.async_drop().await.unwrap();
}

#[tokio::test]
async fn the_first_process_may_wait_for_its_group() {
    let script = "trap 'wait; exit 6' TERM
        (trap 'sleep 0.1; exit' TERM; echo ready; while :; do sleep 0.01; done) & wait";
    let (mut process, _) = start(script, process::spawn_group).await;
    assert_eq!(process.terminate().await.unwrap().code(), Some(6));
    process.async_drop().await.unwrap();
}

#[tokio::test]
async fn a_stubborn_group_is_killed_at_the_deadline() {
    let script = "trap '' TERM; sleep 1000 & echo; wait";
    let (mut process, _) = start(script, process::spawn_group).await;
    let output = process.stdout.take().unwrap();
    process.set_deadline(Duration::from_millis(10));
    assert_eq!(process.terminate().await.unwrap().signal(), SIGKILL);
    closed(output).await;
    process.async_drop().await.unwrap();
}

#[tokio::test]
async fn a_lost_process_is_killed_and_reaped() {
    for spawn in SPAWNS {
        let reports = Reports::collect();
        let (process, _) = start(STUBBORN, spawn).await;
        let pid = process.id().unwrap();
        drop(process);
        reports.expect_one("Forgot to call async_drop on Process");
        gone(pid).await;
    }
}

#[test]
fn a_process_is_killed_by_a_cleanup_outside_a_runtime() {
    for spawn in SPAWNS {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut process, _) = runtime.block_on(start(STUBBORN, spawn));
        let pid = process.id().unwrap();
        assert!(block_on(AssertUnwindSafe(process.async_drop()).catch_unwind()).is_err());
        runtime.block_on(gone(pid));
    }
}

#[tokio::test]
async fn a_lost_group_is_killed_as_a_whole() {
    let reports = Reports::collect();
    let script = "trap '' TERM; sleep 1000 & echo; wait";
    let (mut process, _) = start(script, process::spawn_group).await;
    let output = process.stdout.take().unwrap();
    drop(process);
    reports.expect_one("Forgot to call async_drop on Process");
    closed(output).await;
}

#[tokio::test]
async fn a_forgotten_process_names_its_creation_site() {
    let reports = Reports::collect();
    let mut command = sh("exit 0");
    let line = line!() + 1;
    drop(process::spawn(&mut command).unwrap());
    drop(process::spawn_group(&mut command).unwrap());
    let report =
        |line| format!("Forgot to call async_drop on Process{}", created_at(file!(), line));
    reports.expect(&[&report(line), &report(line + 1)]);
}

#[tokio::test]
async fn an_abandoned_process_is_killed_and_reaped() {
    let mut reaper = Reaper::new();
    let (process, _) = start(STUBBORN, process::spawn).await;
    let pid = process.id().unwrap();
    drop(reaper.adopt(process));
    assert!(timeout(Duration::from_millis(1), reaper.drain()).await.is_err());
    assert_eq!(reaper.abandon().abandoned.len(), 1);
    gone(pid).await;
    reaper.async_drop().await.unwrap();
}

#[tokio::test]
async fn cleanup_cancelled_at_every_poll_ends_the_process() {
    for spawn in SPAWNS {
        for polls in 0.. {
            let (mut process, _) = start("echo ready; exec sleep 1000", spawn).await;
            let pid = process.id().unwrap();
            let ended = cancel_after(polls, process.async_drop()).await;
            process.async_drop().await.unwrap();
            assert!(!exists(pid), "{polls}");
            if ended.is_some() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn reaper_finishes_a_cleanup_cancelled_at_every_poll() {
    for spawn in SPAWNS {
        for polls in 0.. {
            let (pid, ended) = leaks(async |reaper| {
                let (process, _) = start("echo ready; exec sleep 1000", spawn).await;
                let pid = process.id().unwrap();
                let process = reaper.adopt(process);
                let body = scope!(process, async |process| {
                    process.async_drop().await.after(io::Result::Ok(()))
                });
                (pid, cancel_after(polls, body).await)
            })
            .await;
            assert!(!exists(pid), "{polls}");
            if ended.is_some() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_live_guard_ends_its_process() {
    let (process, _) = start("echo ready; exec sleep 1000", process::spawn).await;
    let pid = process.id().unwrap();
    let Ok(process) = AsyncDropGuard::into_live(process) else { panic!("it is not cleaned up") };
    scope!(process, async |process| process.async_drop().await.after(io::Result::Ok(())))
        .await
        .unwrap();
    assert!(!exists(pid));
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_named() {
    for spawn in SPAWNS {
        let error = spawn(&mut Command::new("/no/such")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().starts_with("cannot start /no/such: "), "{error}");
    }
}
