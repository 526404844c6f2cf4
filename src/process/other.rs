//! Systems without SIGTERM: the process is killed.

use std::io;
use std::process::ExitStatus;

use super::Target;

impl Target {
    pub(super) fn terminate(&mut self) -> io::Result<()> {
        self.kill()
    }

    pub(super) fn kill(&mut self) -> io::Result<()> {
        match self.child.start_kill() {
            Err(error) if self.child.try_wait()?.is_none() => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) async fn ended(&mut self) -> io::Result<()> {
        self.child.wait().await.map(drop)
    }

    pub(super) async fn reap(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}
