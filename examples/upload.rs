//! Multipart uploads with the `object_store` crate: each is committed or aborted, once, on every path,
//! and neither the body's error nor the cleanup's error is lost. If the store refuses to complete an
//! upload, the upload is aborted, too.
//!
//! `cargo run -p livedrop-upload-example --example upload -- [FOLDER]`; the store is created in FOLDER, which must exist.
//!
//! In a local folder the parts of an upload are in one file beside the object, `object#1`. A commit
//! renames it. If a local upload is dropped, a thread removes that file some time later. Stores in the
//! cloud cannot do that: they keep the parts and charge for them.

use std::error::Error;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use livedrop::{AsyncDrop, AsyncDropGuard, CleanupErrors, Reaper, bracket, with_async_drop};
use object_store::local::LocalFileSystem;
use object_store::{
    MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, PutResult, UploadPart,
};
use tokio::time::{sleep, timeout};

type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// The message of intended panics and errors.
const MEANT: &str = "this is meant";
const PART: usize = 100_000;
const PARTS: usize = 3;
/// The time limit of an upload.
const DEADLINE: Duration = Duration::from_millis(500);

/// The requests to the store, over all uploads.
#[derive(Default)]
struct Counts {
    committed: AtomicUsize,
    aborted: AtomicUsize,
}

/// An upload. Its cleanup aborts it unless `complete` was called.
struct Upload {
    inner: Box<dyn MultipartUpload>,
    is_complete: bool,
    counts: Arc<Counts>,
}

impl Upload {
    async fn start(
        store: Arc<dyn ObjectStore>,
        object: &'static str,
        way: &'static str,
        counts: Arc<Counts>,
    ) -> object_store::Result<AsyncDropGuard<Upload>> {
        let inner = Box::new(Unwilling(store.put_multipart(&object.into()).await?, way));
        Ok(AsyncDropGuard::new(Upload { inner, is_complete: false, counts }))
    }

    async fn send(&mut self, part: Vec<u8>) -> object_store::Result<()> {
        self.inner.put_part(part.into()).await
    }

    /// Makes the cleanup commit; if the commit fails, the cleanup aborts. The last step of a body.
    fn complete(&mut self) {
        self.is_complete = true;
    }
}

#[async_trait]
impl AsyncDrop for Upload {
    type Error = CleanupErrors<object_store::Error>;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        let mut refused = None;
        // Commit at most once: if this cleanup is called again, it aborts.
        if std::mem::take(&mut self.is_complete) {
            match self.inner.complete().await {
                Ok(_) => {
                    self.counts.committed.fetch_add(1, SeqCst);
                    return Ok(());
                }
                // The store would keep the parts, so the upload is aborted below.
                Err(error) => refused = Some(error),
            }
        }
        self.counts.aborted.fetch_add(1, SeqCst);
        let kept = self.inner.abort().await.err();
        CleanupErrors::from_errors(refused.into_iter().chain(kept)).map_or(Ok(()), Err)
    }
}

/// An upload to a store that refuses to complete it, or completes it only after the deadline.
#[derive(Debug)]
struct Unwilling(Box<dyn MultipartUpload>, &'static str);

#[async_trait]
impl MultipartUpload for Unwilling {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.0.put_part(data)
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        match self.1 {
            "refused" => {
                return Err(object_store::Error::Generic { store: "test", source: MEANT.into() });
            }
            "late" => sleep(2 * DEADLINE).await,
            _ => {}
        }
        self.0.complete().await
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.0.abort().await
    }
}

/// Sends all parts. Ends in the given way, and completes the upload if it gets to the end.
async fn send(upload: &mut Upload, root: &Path, way: &str) -> Result {
    for number in 0..PARTS {
        upload.send(vec![u8::try_from(number)?; PART]).await?;
    }
    match way {
        "error" => return Err(MEANT.into()),
        "panic" => panic!("{MEANT}"),
        "cancelled" => pending().await,
        "two errors" => {
            // Remove the file of the parts, so that aborting fails, too.
            std::fs::remove_file(root.join("object#1"))?;
            return Err(MEANT.into());
        }
        _ => {}
    }
    upload.complete();
    Ok(())
}

/// Runs one upload and prints a line. Returns whether the upload ended as it must.
async fn one(reaper: &mut Reaper, root: &Path, way: &'static str) -> Result<bool> {
    let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(root)?);
    let counts = Arc::<Counts>::default();
    // Shielded: if it is cancelled while it starts, the reaper aborts it after the start.
    let upload = reaper.acquire(Upload::start(store, "object", way, Arc::clone(&counts))).await?;
    let used = bracket(upload, async |upload| send(upload, root, way).await);
    let outcome = match timeout(DEADLINE, AssertUnwindSafe(used).catch_unwind()).await {
        Ok(Ok((Ok(()), Ok(())))) => "uploaded".to_owned(),
        Ok(Ok((Err(error), Ok(())))) => format!("failed: {error}"),
        Ok(Ok((Ok(()), Err(cleanup)))) => format!("not committed: {cleanup}"),
        // Show both errors: the first one is the cause, the second one says what is left.
        Ok(Ok((Err(error), Err(cleanup)))) => format!("failed: {error}; then: {cleanup}"),
        Ok(Err(_)) => "panicked".to_owned(),
        Err(_) => "cancelled half-way".to_owned(),
    };
    reaper.drain().await.into_result()?;

    let (committed, aborted) = (counts.committed.load(SeqCst), counts.aborted.load(SeqCst));
    let bytes = std::fs::metadata(root.join("object")).map_or(0, |object| object.len());
    let left = std::fs::read_dir(root)?.count() - usize::from(bytes > 0);
    println!("{way:<10} {committed:>9} {aborted:>7} {bytes:>7} {left:>11}  {outcome}");
    let complete = if matches!(way, "normal" | "late") { PARTS * PART } else { 0 };
    Ok(committed + aborted == 1 && bytes == complete as u64 && left == 0)
}

async fn run(parent: &Path) -> Result {
    let mut ok = true;
    println!("way out    committed aborted   bytes half-written  outcome");
    for way in ["normal", "error", "panic", "cancelled", "late", "refused", "two errors"] {
        let root = parent.join(format!("livedrop-upload-{}", std::process::id()));
        let made = tokio::fs::create_dir(&root).await;
        made.map_err(|error| format!("cannot create {}: {error}", root.display()))?;
        let root = AsyncDropGuard::with_cleanup(root, tokio::fs::remove_dir_all);
        // The outer guard, the folder of the store, is cleaned up last.
        ok &= with_async_drop(root, async |root| {
            with_async_drop(Reaper::new(), async |reaper| one(reaper, root, way).await).await
        })
        .await?;
    }
    if ok { Ok(()) } else { Err("an upload was not committed or aborted once".into()) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.to_string().contains(MEANT) {
            default(info);
        }
    }));
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    match run(&parent).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("upload: {error}");
            ExitCode::FAILURE
        }
    }
}
