//! Child processes that are terminated, waited for and reaped, however their owner ends, also on Ctrl-C.
//! A process that ignores SIGTERM is killed at a deadline, and a process group ends as a whole.
//!
//! `cargo run --features process --example processes -- [PROGRAM ARGUMENT…]`; the default is `sleep 1000`.

use std::error::Error;
use std::future::pending;
use std::io;
use std::panic::AssertUnwindSafe;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use futures::FutureExt;
use livedrop::process;
use livedrop::{Reaper, with_async_drop};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{ChildStdout, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The message of intended panics and errors.
const MEANT: &str = "this is meant";

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdout(Stdio::piped());
    command
}

/// Whether a process, or a zombie, has this id.
async fn exists(pid: u32) -> io::Result<bool> {
    let status = sh(&format!("kill -0 {pid} 2>/dev/null")).status().await?;
    Ok(status.success())
}

/// Uses a process, and ends in the given way.
async fn work(way: &str) -> io::Result<()> {
    match way {
        "error" => Err(io::Error::other(MEANT)),
        "panic" => panic!("{MEANT}"),
        "cancelled" => pending().await,
        "Ctrl-C" => {
            let mut interrupt = signal(SignalKind::interrupt())?;
            sh("kill -INT $PPID").status().await?; // as Ctrl-C does
            interrupt.recv().await;
            Err(io::Error::other("interrupted"))
        }
        _ => Ok(()),
    }
}

/// Reads the first line of the output.
async fn first_line(output: &mut Option<ChildStdout>) -> io::Result<String> {
    let mut line = String::new();
    let output = output.as_mut().expect("it is piped");
    BufReader::new(output).read_line(&mut line).await?;
    Ok(line)
}

async fn run(program: &[String], reaper: &Reaper) -> Result {
    for way in ["normal", "error", "panic", "cancelled", "Ctrl-C"] {
        let mut command = Command::new(&program[0]);
        command.args(&program[1..]).stdin(Stdio::null());
        // Adopted, because a cancelled owner cannot await. There is no `.await` before that.
        let process = reaper.adopt(process::spawn(&mut command)?);
        let pid = process.id().expect("it is not reaped yet");
        let used = AssertUnwindSafe(with_async_drop(process, async |_| work(way).await));
        let _used = timeout(Duration::from_millis(500), used.catch_unwind()).await;
        reaper.drain().await.into_result()?;
        println!("{way:<10} {}", if exists(pid).await? { "still there" } else { "gone" });
    }

    let stubborn = process::spawn(&mut sh("trap '' TERM; echo ready; exec sleep 1000"))?;
    let status = with_async_drop(stubborn, async |stubborn| {
        first_line(&mut stubborn.stdout).await?;
        stubborn.set_deadline(Duration::from_millis(300));
        stubborn.terminate().await
    });
    println!("{:<10} {}", "stubborn", status.await?);

    let mut group = process::spawn_group(&mut sh("sleep 1000 & echo ready; wait"))?;
    let mut output = group.stdout.take();
    with_async_drop(group, async |_| first_line(&mut output).await).await?;
    // The pipe is closed when the last process that holds it has ended.
    first_line(&mut output).await?;
    println!("{:<10} gone, with its children", "group");
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
    let mut program: Vec<String> = std::env::args().skip(1).collect();
    if program.is_empty() {
        program = ["sleep", "1000"].map(str::to_owned).to_vec();
    }
    let ended = with_async_drop(Reaper::new(), async |reaper| run(&program, reaper).await);
    if let Err(error) = ended.await {
        eprintln!("processes: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
