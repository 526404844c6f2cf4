//! The three levels of livedrop: checked at run time, checked by the compiler, and never lost.
//! Each one copies a file, and is stopped before the end. Then it prints how many bytes are missing.
//!
//! `cargo run --example quickstart -- [FILE]`; the default is this source file.

use std::error::Error;
use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, hook, scope, try_or_drop, with_async_drop};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::sync::Notify;

/// A file whose last bytes are in memory until they are flushed. `Drop` cannot await that.
struct Output(BufWriter<File>);

impl Output {
    async fn create(path: &Path) -> io::Result<Output> {
        Ok(Output(BufWriter::with_capacity(64 * 1024, File::create(path).await?)))
    }

    /// Writes the content, and fails at the end.
    async fn write(&mut self, content: &[u8]) -> io::Result<()> {
        for line in content.split_inclusive(|&byte| byte == b'\n') {
            self.0.write_all(line).await?;
        }
        Err(io::Error::other("the peer has hung up"))
    }
}

#[async_trait]
impl AsyncDrop for Output {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.0.flush().await?;
        self.0.get_ref().sync_all().await
    }
}

/// Without a guard: nothing flushes the output.
async fn plain(to: &Path, content: &[u8]) -> io::Result<()> {
    Output::create(to).await?.write(content).await
}

/// Checked at run time: `with_async_drop` cleans up however the body ends.
async fn checked(to: &Path, content: &[u8]) -> io::Result<()> {
    let output = AsyncDropGuard::new(Output::create(to).await?);
    with_async_drop(output, async |output| output.write(content).await).await
}

/// Checked by the compiler: without `async_drop`, or with a `?`, this does not compile.
async fn strict(to: &Path, content: &[u8]) -> io::Result<()> {
    let output = AsyncDropGuard::live(Output::create(to).await?);
    scope!(output, async |mut output| {
        try_or_drop!(output, output.write(content).await);
        output.async_drop().await.after(Ok(()))
    })
    .await
}

/// Never lost: this future is dropped before its end, and the reaper cleans up.
async fn adopted(to: &Path, content: &[u8], reaper: &Reaper, written: &Notify) -> io::Result<()> {
    let output = reaper.adopt(AsyncDropGuard::new(Output::create(to).await?));
    scope!(output, async |mut output| {
        let _failed = output.write(content).await;
        written.notify_one();
        pending::<()>().await; // it is cancelled here
        output.async_drop().await.after(Ok(()))
    })
    .await
}

async fn run(from: &Path, to: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    let content = std::fs::read(from);
    let content = content.map_err(|error| format!("cannot read {}: {error}", from.display()))?;
    println!("{:<8} {:>8} {:>8}", "copy", "bytes", "missing");
    let row = |name| {
        let missing = content.len() - std::fs::read(to)?.len();
        println!("{name:<8} {:>8} {missing:>8}", content.len());
        io::Result::Ok(())
    };
    let _failed = plain(to, &content).await;
    row("plain")?;
    let _failed = checked(to, &content).await;
    row("checked")?;
    let _failed = strict(to, &content).await;
    row("strict")?;

    let (mut reaper, written) = (Reaper::new(), Notify::new());
    tokio::select! {
        _never = adopted(to, &content, &reaper, &written) => {}
        () = written.notified() => {} // drops the other future
    }
    reaper.async_drop().await?; // waits for all cleanups
    row("adopted")?;

    // Without `with_async_drop` or a scope, a cleanup can be forgotten. The default hook panics.
    let _hook = hook::scoped(|forgotten| println!("\n{forgotten}"));
    drop(AsyncDropGuard::new(Output::create(to).await?));
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(file!());
    let from = std::env::args_os().nth(1).map_or(source, PathBuf::from);
    let to = std::env::temp_dir().join(format!("livedrop-quickstart-{}", std::process::id()));
    let result = run(&from, &to).await;
    let _removed = std::fs::remove_file(&to);
    if let Err(error) = result {
        eprintln!("quickstart: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
