//! Child processes that are terminated, waited for, and killed after a deadline, on every path.
//!
//! `cargo run --example processes -- [PROGRAM ARGUMENT…]`; the default is `sleep 1000`.

use std::error::Error;
use std::future::pending;
use std::io;
use std::panic::AssertUnwindSafe;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, with_async_drop};
use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// The message of intended panics and errors.
const MEANT: &str = "this is meant";

/// How long a process has between SIGTERM and SIGKILL.
const DEADLINE: Duration = Duration::from_millis(300);

struct Process {
    child: Child,
    /// The exit status of the process, for the table.
    ended: Arc<Mutex<Option<ExitStatus>>>,
}

impl Process {
    fn spawn(command: &mut Command) -> io::Result<AsyncDropGuard<Process>> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        Ok(AsyncDropGuard::new(Process { child, ended: Arc::default() }))
    }

    /// The process id. The system does not reuse it until the process is waited for.
    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()?).ok().map(Pid::from_raw)
    }
}

#[async_trait]
impl AsyncDrop for Process {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        if let Some(pid) = self.pid() {
            kill(pid, Signal::SIGTERM)?;
        }
        let status = match timeout(DEADLINE, self.child.wait()).await {
            Ok(status) => status?,
            Err(_late) => {
                self.child.start_kill()?;
                self.child.wait().await?
            }
        };
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
        Ok(())
    }
}

/// Uses the process, and ends in the given way.
async fn work(way: &str) -> Result {
    match way {
        "error" => Err(MEANT.into()),
        "panic" => panic!("{MEANT}"),
        "cancelled" => pending().await,
        "Ctrl-C" => {
            let mut interrupt = signal(SignalKind::interrupt())?;
            // Ctrl-C sends this signal.
            raise(Signal::SIGINT)?;
            interrupt.recv().await;
            Err("interrupted".into())
        }
        _ => Ok(()),
    }
}

/// Runs one process from its start to its end and prints a line. Returns whether it is gone.
async fn one(reaper: &mut Reaper, way: &str, command: &mut Command) -> Result<bool> {
    // Adopted, because a cancelled future cannot await. There is no `.await` before that.
    let process = reaper.adopt(Process::spawn(command)?);
    let pid = process.pid().ok_or("the process has no id")?;
    let ended = Arc::clone(&process.ended);
    let used = with_async_drop(process, async |process| {
        if way == "stubborn"
            && let Some(output) = process.child.stdout.take()
        {
            // The process prints a line when it ignores the signal.
            BufReader::new(output).read_line(&mut String::new()).await?;
        }
        work(way).await
    });
    let _used = timeout(Duration::from_secs(1), AssertUnwindSafe(used).catch_unwind()).await;
    reaper.drain().await.into_result()?;

    let ended = ended.lock().unwrap_or_else(PoisonError::into_inner).take();
    let ended = ended.map_or_else(|| "not waited for".to_owned(), |status| status.to_string());
    // Without a wait, the process would still exist, as a zombie.
    let is_gone = kill(pid, None).is_err();
    println!("{way:<10} {ended:<24} {}", if is_gone { "gone" } else { "still there" });
    Ok(is_gone)
}

async fn all(reaper: &mut Reaper, program: &[String]) -> Result {
    println!("{:<10} {:<24} the process", "way out", "ended by");
    let mut left = 0;
    for way in ["normal", "error", "panic", "cancelled", "Ctrl-C", "stubborn"] {
        let mut command = if way == "stubborn" {
            let mut shell = Command::new("sh");
            shell.args(["-c", "trap '' TERM; echo ready; exec sleep 1000"]);
            shell
        } else {
            let mut command = Command::new(&program[0]);
            command.args(&program[1..]);
            command
        };
        let gone = one(reaper, way, &mut command).await;
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        left += usize::from(!gone.map_err(|error| format!("{name}: {error}"))?);
    }
    println!("{left} processes are left");
    if left == 0 { Ok(()) } else { Err("processes are left".into()) }
}

async fn run(program: &[String]) -> Result {
    with_async_drop(Reaper::new(), async |reaper| all(reaper, program).await).await
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
    match run(&program).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("processes: {error}");
            ExitCode::FAILURE
        }
    }
}
