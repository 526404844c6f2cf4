//! A guard for a type of another crate: tokio's buffered file, which loses the data in its buffer
//! unless it is flushed.
//!
//! `cargo run --example foreign -- [FILE]` writes FILE; the default is a file in the temporary folder.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use livedrop::{AsyncDropGuard, with_async_drop};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

const LINES: usize = 100;

async fn write(path: &Path) -> io::Result<()> {
    let file = BufWriter::new(File::create(path).await?);
    // The closure takes the value; its future returns `()` or a `Result`.
    let file = AsyncDropGuard::with_cleanup(file, |mut file| async move {
        file.flush().await?;
        file.into_inner().sync_all().await
    });
    // The guard derefs to the file. `with_async_drop` cleans it up, however the body ends.
    with_async_drop(file, async |file| {
        for number in 1..=LINES {
            file.write_all(format!("line {number}\n").as_bytes()).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let default = || std::env::temp_dir().join(format!("livedrop-foreign-{}", std::process::id()));
    let argument = std::env::args_os().nth(1).map(PathBuf::from);
    let path = argument.clone().unwrap_or_else(default);
    let written = match write(&path).await {
        Ok(()) => std::fs::read_to_string(&path),
        Err(error) => Err(error),
    };
    if argument.is_none() {
        let _absent = std::fs::remove_file(&path);
    }
    match written {
        Ok(text) => {
            let arrived = text.lines().count();
            println!("{LINES} lines written, {arrived} in the file");
            if arrived == LINES { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("foreign: cannot write {}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
