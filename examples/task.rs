//! A background task in a guard: the cleanup stops it, joins it, and aborts it after a deadline.
//!
//! `cargo run --features tokio --example task -- [LINES]`; LINES is the number of lines to log.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use livedrop::task::{self, Task, TaskError};
use livedrop::{AsyncDropGuard, with_async_drop};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Writes lines slowly in the background, and the remaining ones at the end.
fn logger(written: Arc<AtomicUsize>) -> (UnboundedSender<String>, AsyncDropGuard<Task<()>>) {
    let (sender, mut lines): (_, UnboundedReceiver<String>) = unbounded_channel();
    let task = task::spawn(|stop| async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_line) = lines.recv() => {
                    written.fetch_add(1, SeqCst);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
        // Stop: accept no more lines, and write the lines that were sent.
        lines.close();
        while lines.recv().await.is_some() {
            written.fetch_add(1, SeqCst);
        }
    });
    (sender, task)
}

async fn log(lines: usize) -> Result<(), TaskError<std::convert::Infallible>> {
    let written = Arc::<AtomicUsize>::default();
    let (sender, task) = logger(Arc::clone(&written));
    with_async_drop(task, async |_| {
        for number in 0..lines {
            let _sent = sender.send(format!("line {number}"));
        }
        Ok(())
    })
    .await?;
    println!("{lines} lines sent, {} written when the task had ended", written.load(SeqCst));
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "1000".to_owned());
    let Ok(lines) = argument.parse() else {
        eprintln!("task: LINES is a whole number, not {argument}");
        return ExitCode::FAILURE;
    };
    if let Err(error) = log(lines).await {
        eprintln!("task: {error}");
        return ExitCode::FAILURE;
    }

    // This task ignores the signal to stop.
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let mut deaf = task::spawn(|_stop| async move {
        std::future::pending::<()>().await;
        drop(held);
    });
    deaf.set_deadline(Duration::from_millis(100));
    match deaf.async_drop().await {
        Err(error @ TaskError::Aborted(_)) => println!("{error}"),
        other => println!("not aborted: {other:?}"),
    }
    println!("of the aborted task {} values are left", Arc::strong_count(&alive) - 1);
    ExitCode::SUCCESS
}
