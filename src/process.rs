//! Child processes in guards: the cleanup terminates the process, awaits its end, and kills it at a
//! deadline.
//!
//! The processes are children of tokio's [`Command`], so this needs the feature `process`, and a tokio
//! runtime with its I/O and time drivers.
//!
//! | the child | the cleanup |
//! |---|---|
//! | has ended before | reaps it |
//! | ends on SIGTERM | awaits that |
//! | ignores SIGTERM | kills it at the [deadline](Process::set_deadline) |
//! | writes to a pipe while it ends | reads the pipe, and discards what it reads |
//! | has children of its own | signals them, too, if it was spawned by `spawn_group` |
//!
//! On systems other than Unix there is no SIGTERM: the cleanup kills the process at once.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, join, select};
use tokio::io::AsyncRead;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};

use crate::errors::failed_to;
use crate::{AsyncDrop, AsyncDropGuard};

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

/// The default time between the termination of a process and its kill: ten seconds.
/// [`set_deadline`](Process::set_deadline) changes it.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Spawns a process, and returns a guard whose cleanup ends it.
///
/// The cleanup signals this process only. If the process starts others, see `spawn_group`.
///
/// This sets [`kill_on_drop`](Command::kill_on_drop) of the command.
///
/// # Errors
///
/// If the process cannot be started. The error names the program.
///
/// # Panics
///
/// If it is called outside a tokio runtime with an I/O driver, as [`Command::spawn`].
///
/// # Examples
///
/// ```
/// use std::process::Stdio;
///
/// use livedrop::{process, with_async_drop};
/// use tokio::io::{AsyncBufReadExt, BufReader};
/// use tokio::process::Command;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # if cfg!(not(unix)) { return Ok(()) }
/// let mut command = Command::new("sh");
/// command.args(["-c", "echo ready; exec sleep 1000"]).stdout(Stdio::piped());
/// let server = process::spawn(&mut command)?;
/// with_async_drop(server, async |server| {
///     let output = server.stdout.take().expect("it is piped");
///     let first = BufReader::new(output).lines().next_line().await?;
///     assert_eq!(first.as_deref(), Some("ready"));
///     Ok(())
/// })
/// .await // terminates the process, and awaits its end
/// # }
/// ```
#[track_caller]
pub fn spawn(command: &mut Command) -> io::Result<AsyncDropGuard<Process>> {
    Ok(AsyncDropGuard::new(spawn_as(command, false)?))
}

/// Spawns a process in a process group of its own, and returns a guard whose cleanup ends the group.
///
/// The processes that it starts are in the same group, and so are theirs, unless they leave it, as a daemon
/// does. The signals go to the whole group. When the first process has ended, the others are killed, as in a
/// container. So the first process should await the others if they need time to end. The cleanup does not await
/// them.
///
/// The group does not get the signals of the terminal: Ctrl-C reaches only your program.
///
/// This sets [`kill_on_drop`](Command::kill_on_drop) and [`process_group`](Command::process_group) of the
/// command.
///
/// # Errors
///
/// As [`spawn`].
///
/// # Panics
///
/// As [`spawn`].
///
/// # Examples
///
/// ```
/// use livedrop::process;
/// use tokio::process::Command;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut command = Command::new("sh");
/// command.args(["-c", "sleep 1000 & sleep 1000 & wait"]);
/// let mut group = process::spawn_group(&mut command)?;
/// group.async_drop().await // ends all three
/// # }
/// ```
#[cfg(unix)]
#[track_caller]
pub fn spawn_group(command: &mut Command) -> io::Result<AsyncDropGuard<Process>> {
    Ok(AsyncDropGuard::new(spawn_as(command.process_group(0), true)?))
}

fn spawn_as(command: &mut Command, is_group: bool) -> io::Result<Process> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let mut child = command
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed_to(format_args!("start {program}"), &error))?;
    Ok(Process {
        stdin: child.stdin.take(),
        stdout: child.stdout.take(),
        stderr: child.stderr.take(),
        name: format!("{program} (pid {})", child.id().unwrap_or_default()),
        target: Target { child, is_group },
        deadline: DEADLINE,
        is_terminated: false,
        kill_at: None,
    })
}

/// A child process. [`spawn`] makes it.
///
/// The cleanup is [`terminate`](Self::terminate) without the exit status: it sends SIGTERM, awaits the end
/// of the process, kills it at the deadline, and reaps it. The deadline counts from the first call.
///
/// If the value is dropped without its cleanup, the process is killed. This happens if the guard is
/// forgotten, or if a reaper abandons it. Then tokio reaps the process in the background.
///
/// # Errors
///
/// The cleanup fails if the process cannot be signalled or awaited. The error names the program and the
/// process id. The exit status is not an error, because a terminated process has no successful one. To
/// read it, call [`wait`](Self::wait) or [`terminate`](Self::terminate) before the cleanup.
///
/// # Panics
///
/// The cleanup panics if it is polled outside a tokio runtime with a time driver. The process is killed then.
///
/// # Cancel safety
///
/// The cleanup is cancel safe: the next call awaits the process until the same deadline. It sends no second
/// SIGTERM, because some programs skip their own cleanup on a second one.
#[derive(Debug)]
pub struct Process {
    /// The standard input, if the command pipes it.
    pub stdin: Option<ChildStdin>,
    /// The standard output, if the command pipes it.
    pub stdout: Option<ChildStdout>,
    /// The standard error, if the command pipes it.
    pub stderr: Option<ChildStderr>,
    target: Target,
    /// The program and the process id, for errors.
    name: String,
    deadline: Duration,
    is_terminated: bool,
    /// The end of the deadline, once the process was terminated. `None` also if it is too far in the future for
    /// an `Instant`.
    kill_at: Option<Instant>,
}

impl Process {
    /// Sets the time between the termination of the process and its kill. With [`Duration::MAX`], the
    /// process is never killed. After the termination this has no effect.
    pub fn set_deadline(&mut self, deadline: Duration) {
        self.deadline = deadline;
    }

    /// Returns the process id. It is `None` after the process was reaped, because another process may
    /// have the same id then.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.target.child.id()
    }

    /// Waits until the process has ended by itself, reaps it, and returns its exit status.
    ///
    /// It closes the standard input first. It does not read the standard output: a process that fills a
    /// pipe waits until the pipe is read. If the process has a group, the others in it are killed then.
    ///
    /// # Errors
    ///
    /// If the process cannot be awaited. The error names the program and the process id.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. If the process was reaped before, this returns its exit status again.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.stdin = None;
        self.target
            .reap()
            .await
            .map_err(|error| failed_to(format_args!("await {}", self.name), &error))
    }

    /// Terminates the process, and returns its exit status. If it is still running at the deadline, it is
    /// killed.
    ///
    /// It closes the standard input, and discards what the process writes to the pipes. The guard still
    /// owes the cleanup, which has nothing to do after this.
    ///
    /// # Errors
    ///
    /// If the process cannot be signalled or awaited. The error names the program and the process id.
    ///
    /// # Panics
    ///
    /// As the [cleanup](Process#panics).
    ///
    /// # Cancel safety
    ///
    /// As the [cleanup](Process#cancel-safety).
    pub async fn terminate(&mut self) -> io::Result<ExitStatus> {
        self.stdin = None;
        let ended = {
            let pipes = join(discard(self.stdout.as_mut()), discard(self.stderr.as_mut()));
            let pipes = async {
                pipes.await;
                pending::<Infallible>().await
            };
            let end = async {
                if !self.is_terminated {
                    self.target.terminate()?;
                    self.is_terminated = true;
                    self.kill_at = Instant::now().checked_add(self.deadline);
                }
                if let Some(kill_at) = self.kill_at {
                    if timeout_at(kill_at, self.target.ended()).await.is_err() {
                        self.target.kill()?;
                    }
                }
                self.target.reap().await
            };
            match select(pin!(end), pin!(pipes)).await {
                Either::Left((ended, _)) => ended,
                Either::Right((never, _)) => match never {},
            }
        };
        ended.map_err(|error| failed_to(format_args!("end {}", self.name), &error))
    }
}

// Excluded from rustc's list of implementations, so that messages do not depend on features.
#[diagnostic::do_not_recommend]
#[async_trait]
impl AsyncDrop for Process {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.terminate().await.map(drop)
    }
}

/// Kills the process group, so that nothing of a lost process runs on.
impl Drop for Process {
    fn drop(&mut self) {
        // Without a group, `kill_on_drop` does it.
        if self.target.is_group {
            let _ = self.target.kill();
        }
    }
}

/// Reads the pipe to its end, so that a process which writes to it can end.
async fn discard(pipe: Option<&mut (impl AsyncRead + Unpin)>) {
    if let Some(pipe) = pipe {
        let _ = tokio::io::copy(pipe, &mut tokio::io::sink()).await;
    }
}

/// What the signals go to: a process, or its group.
///
/// After a process was reaped, the system may give its id, and the id of its group, to another process. So nothing is
/// signalled after that. Only `reap` and `is_ended` reap.
#[derive(Debug)]
struct Target {
    child: Child,
    is_group: bool,
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Reaps a process before its guard does, as a `waitpid(-1)` elsewhere in the program would.
    #[tokio::test]
    async fn the_errors_name_program_and_process_id() {
        for (is_group, action) in [(false, "end"), (true, "end"), (true, "await")] {
            let mut process = spawn_as(&mut Command::new("true"), is_group).unwrap();
            let pid = process.target.pid().unwrap();
            rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap();
            let ended =
                if action == "end" { process.terminate().await } else { process.wait().await };
            let error = ended.unwrap_err().to_string();
            let expected = format!("cannot {action} true (pid {}): No child", pid.as_raw_pid());
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
