//! Unix: SIGTERM and SIGKILL, for a process or a group.

use std::io;
use std::process::ExitStatus;

use super::Target;

impl Target {
    pub(super) fn terminate(&mut self) -> io::Result<()> {
        self.signal(rustix::process::Signal::TERM)
    }

    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.signal(rustix::process::Signal::KILL)
    }

    fn signal(&mut self, signal: rustix::process::Signal) -> io::Result<()> {
        let Some(pid) = self.pid() else { return Ok(()) };
        let sent = if self.is_group {
            rustix::process::kill_process_group(pid, signal)
        } else {
            rustix::process::kill_process(pid, signal)
        };
        match sent {
            // Some systems signal no process that has ended and is not reaped.
            Err(error) if !self.is_ended()? => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The process id, until the process was reaped.
    pub(super) fn pid(&self) -> Option<rustix::process::Pid> {
        let pid = i32::try_from(self.child.id()?).expect("a `pid_t` is an `i32`");
        rustix::process::Pid::from_raw(pid)
    }

    /// Returns whether the process has ended. The leader of a group is not reaped.
    fn is_ended(&mut self) -> io::Result<bool> {
        use rustix::process::{WaitId, WaitIdOptions, waitid};

        match self.pid() {
            None => Ok(true),
            Some(pid) if self.is_group => {
                let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
                Ok(waitid(WaitId::Pid(pid), look)?.is_some())
            }
            Some(_) => Ok(self.child.try_wait()?.is_some()),
        }
    }

    /// Waits until the process has ended. The leader of a group is not reaped.
    pub(super) async fn ended(&mut self) -> io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};

        if !self.is_group {
            return self.child.wait().await.map(drop);
        }
        // Before the first look, so that no signal is missed.
        let mut signals = signal(SignalKind::child())?;
        while !self.is_ended()? {
            signals.recv().await;
        }
        Ok(())
    }

    /// Waits until the process has ended, kills the others of its group, and reaps it.
    pub(super) async fn reap(&mut self) -> io::Result<ExitStatus> {
        if self.is_group {
            self.ended().await?;
            self.kill()?;
        }
        self.child.wait().await
    }
}
