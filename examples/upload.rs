//! Multipart uploads: each is committed or aborted, exactly once, whatever happens to its task or its store.
//!
//! `cargo run -p livedrop-upload-example --example upload -- [FOLDER]`; the store is created in FOLDER.

use std::error::Error;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use livedrop::{
    AsyncDrop, AsyncDropGuard, CleanupErrors, Reaper, scope, try_or_drop, with_async_drop,
};
use object_store::local::LocalFileSystem;
use object_store::{MultipartUpload, ObjectStoreExt, Result as StoreResult};
use tokio::time::{sleep, timeout};

type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

const DEADLINE: Duration = Duration::from_millis(500);

/// An upload. Its cleanup aborts it: the store would keep the parts, and charge for them.
struct Upload {
    parts: Box<dyn MultipartUpload>,
    way: &'static str,
}

impl Upload {
    async fn start(
        store: LocalFileSystem,
        way: &'static str,
    ) -> StoreResult<AsyncDropGuard<Upload>> {
        let parts = store.put_multipart(&"object".into()).await?;
        Ok(AsyncDropGuard::new(Upload { parts, way }))
    }

    /// Sends three parts, or ends in another way.
    async fn send(&mut self, root: &Path) -> Result {
        for part in 0..3 {
            self.parts.put_part(vec![part; 100_000].into()).await?;
        }
        if matches!(self.way, "refused" | "two errors") {
            std::fs::remove_file(root.join("object#1"))?; // the store can neither commit nor abort
        }
        match self.way {
            "error" | "two errors" => Err("the client went away".into()),
            "cancelled" => pending().await,
            _ => Ok(()),
        }
    }

    /// Commits. If the store refuses, this aborts, and returns both errors.
    async fn commit(mut self) -> Result<(), CleanupErrors<object_store::Error>> {
        if self.way == "late" {
            sleep(2 * DEADLINE).await;
        }
        let Err(refused) = self.parts.complete().await else { return Ok(()) };
        let kept = self.parts.abort().await.err();
        CleanupErrors::from_errors([refused].into_iter().chain(kept)).map_or(Ok(()), Err)
    }
}

#[async_trait]
impl AsyncDrop for Upload {
    type Error = object_store::Error;

    async fn async_drop_impl(&mut self) -> StoreResult<()> {
        self.parts.abort().await
    }
}

/// Uploads an object. On every path the upload is committed or aborted, also if this future is dropped.
async fn upload(reaper: &Reaper, root: &Path, way: &'static str) -> Result {
    let store = LocalFileSystem::new_with_prefix(root)?;
    let upload = reaper.acquire(Upload::start(store, way)).await?;
    scope!(upload, async |mut upload| {
        try_or_drop!(upload, upload.send(root).await);
        let (proof, committed) = upload.async_drop_via(Upload::commit).await;
        (proof, committed.map_err(Into::into))
    })
    .await
}

/// Runs one upload, and prints what is in the store afterwards.
async fn show(reaper: &Reaper, root: &Path, way: &'static str) -> Result {
    let outcome = match timeout(DEADLINE, upload(reaper, root, way)).await {
        Ok(result) => result.map_or_else(|error| error.to_string(), |()| "uploaded".to_owned()),
        Err(_late) => "cancelled".to_owned(),
    };
    reaper.drain().await.into_result()?;
    let bytes = std::fs::metadata(root.join("object")).map_or(0, |object| object.len());
    let left = std::fs::read_dir(root)?.count() - usize::from(bytes > 0);
    println!("{way:<10} {bytes:>7} {left:>12}  {outcome}");
    Ok(())
}

async fn run(reaper: &Reaper, parent: &Path) -> Result {
    println!("way out      bytes half-written  outcome");
    for way in ["normal", "error", "cancelled", "late", "refused", "two errors"] {
        let root = parent.join(format!("livedrop-upload-{}", std::process::id()));
        let made = tokio::fs::create_dir(&root).await;
        made.map_err(|error| format!("cannot create {}: {error}", root.display()))?;
        let root = AsyncDropGuard::with_cleanup(root, tokio::fs::remove_dir_all);
        with_async_drop(root, async |root| show(reaper, root, way).await).await?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let result = with_async_drop(Reaper::new(), async |reaper| run(reaper, &parent).await).await;
    if let Err(error) = result {
        eprintln!("upload: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
