//! Copies a file line by line, once for each way in which a copy can end. A guarded copy is always
//! complete; a plain copy loses bytes.
//!
//! `cargo run --example quickstart -- [FILE]`; the default is this source file.

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use async_trait::async_trait;
use futures::FutureExt;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper, scope, try_or_drop, with_async_drop};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::sync::Notify;

type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// The message of the error and of the panic.
const COMPLAINT: &str = "the last line is not to our liking";

/// A file whose last lines stay in memory until it is flushed.
struct Output {
    file: BufWriter<File>,
    written: u64,
}

impl Output {
    async fn create(path: &Path) -> io::Result<Self> {
        // Larger than most source files, so that many bytes are missing without a flush.
        let file = BufWriter::with_capacity(64 * 1024, File::create(path).await?);
        Ok(Self { file, written: 0 })
    }

    async fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line).await?;
        self.written += line.len() as u64;
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for Output {
    type Error = io::Error;

    async fn async_drop_impl(&mut self) -> io::Result<()> {
        self.file.flush().await?;
        self.file.get_ref().sync_all().await
    }
}

/// How a copy ends.
#[derive(Clone, Copy)]
enum WayOut {
    Normal,
    QuestionMark,
    Panic,
    Cancelled,
}

impl WayOut {
    const ALL: [(WayOut, &str); 4] = [
        (WayOut::Normal, "normal end"),
        (WayOut::QuestionMark, "`?` in the body"),
        (WayOut::Panic, "panic in the body"),
        (WayOut::Cancelled, "cancelled"),
    ];

    /// Ends the copy after its last line, in this way.
    async fn leave(self, progress: &Progress) -> Result {
        match self {
            WayOut::Normal => Ok(()),
            WayOut::QuestionMark => Err(COMPLAINT.into()),
            WayOut::Panic => panic!("{COMPLAINT}"),
            WayOut::Cancelled => {
                progress.waits.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// The progress of a copy.
#[derive(Default)]
struct Progress {
    written: Cell<u64>,
    /// Notified when the copy waits for its cancellation.
    waits: Notify,
}

/// Copies all lines, and ends in the given way. Counts the written bytes in any case.
async fn copy(input: &Path, output: &mut Output, way_out: WayOut, progress: &Progress) -> Result {
    let mut lines = BufReader::new(File::open(input).await?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).await? > 0 {
        output.write_line(&line).await?;
        progress.written.set(output.written);
        line.clear();
    }
    way_out.leave(progress).await
}

/// Without a guard: nothing flushes the output.
async fn plain_copy(input: &Path, to: &Path, way_out: WayOut, progress: &Progress) -> Result {
    let mut output = Output::create(to).await?;
    copy(input, &mut output, way_out, progress).await
}

/// With a guard: the output is flushed and synced, however the body ends.
async fn guarded_copy(input: &Path, to: &Path, way_out: WayOut, progress: &Progress) -> Result {
    let output = AsyncDropGuard::new(Output::create(to).await?);
    with_async_drop(output, async |output| copy(input, output, way_out, progress).await).await
}

/// With an adopted guard: the reaper flushes and syncs the output of a cancelled copy.
async fn adopted_copy(
    input: &Path,
    to: &Path,
    way_out: WayOut,
    progress: &Progress,
    reaper: &Reaper,
) -> Result {
    let output = reaper.adopt(AsyncDropGuard::new(Output::create(to).await?));
    with_async_drop(output, async |output| copy(input, output, way_out, progress).await).await
}

/// With an adopted guard that the compiler checks: without its `async_drop` this does not compile, and
/// after a panic or a cancellation the reaper flushes and syncs the output.
async fn strict_copy(
    input: &Path,
    to: &Path,
    way_out: WayOut,
    progress: &Progress,
    reaper: &Reaper,
) -> Result {
    let output = reaper.adopt(AsyncDropGuard::new(Output::create(to).await?));
    scope!(output, async |mut output| {
        try_or_drop!(output, copy(input, &mut output, way_out, progress).await);
        output.async_drop().await.after(Ok(()))
    })
    .await
}

/// Runs a copy until it ends, or cancels it when it waits.
async fn end(copy: impl Future<Output = Result>, progress: &Progress) {
    tokio::select! {
        _ended = AssertUnwindSafe(copy).catch_unwind() => {}
        () = progress.waits.notified() => {}
    }
}

/// Prints a row of the table: the bytes that were written, are in the file, and are missing.
async fn row(kind: &str, way: &str, to: &Path, progress: Progress) -> Result {
    let written = progress.written.get();
    let arrived = tokio::fs::metadata(to).await?.len();
    let missing = written - arrived;
    println!("{kind:<8} {way:<18} {written:>8} {arrived:>8} {missing:>8}");
    tokio::fs::remove_file(to).await?;
    Ok(())
}

/// Copies in all ways.
async fn table(input: &Path, to: &Path) -> Result {
    println!("{:<8} {:<18} {:>8} {:>8} {:>8}", "copy", "way out", "written", "in file", "missing");
    for (way_out, way) in WayOut::ALL {
        let progress = Progress::default();
        end(plain_copy(input, to, way_out, &progress), &progress).await;
        row("plain", way, to, progress).await?;

        // A cancelled copy cannot await its cleanup, so its guard would panic.
        if !matches!(way_out, WayOut::Cancelled) {
            let progress = Progress::default();
            end(guarded_copy(input, to, way_out, &progress), &progress).await;
            row("guarded", way, to, progress).await?;
        }
    }
    let mut reaper = Reaper::new();
    let progress = Progress::default();
    end(adopted_copy(input, to, WayOut::Cancelled, &progress, &reaper), &progress).await;
    reaper.drain().await.into_result()?; // waits for the cleanup
    row("adopted", "cancelled", to, progress).await?;

    // The compiler checks the other two ways.
    for (way_out, way) in &WayOut::ALL[2..] {
        let progress = Progress::default();
        end(strict_copy(input, to, *way_out, &progress, &reaper), &progress).await;
        reaper.drain().await.into_result()?;
        row("strict", way, to, progress).await?;
    }
    Ok(reaper.async_drop().await?)
}

async fn run(input: &Path) -> Result {
    // Read the input before a file is created: if that fails, nothing is left to remove.
    let length = std::fs::File::open(input)
        .and_then(|mut file| io::copy(&mut file, &mut io::sink()))
        .map_err(|error| format!("cannot read {}: {error}", input.display()))?;
    println!("{} has {length} bytes\n", input.display());

    let to = std::env::temp_dir().join(format!("livedrop-quickstart-{}", std::process::id()));
    let result = table(input, &to).await;
    // The file exists only if a row failed.
    let _ = tokio::fs::remove_file(&to).await;
    result
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Do not print the messages of the intended panics: they would break up the table.
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.to_string().contains(COMPLAINT) {
            default(info);
        }
    }));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(file!());
    let input = std::env::args_os().nth(1).map_or(source, PathBuf::from);
    match run(&input).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}
