use std::sync::Arc;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Reaper};

struct Session {
    name: String,
}

#[async_trait]
impl AsyncDrop for Session {
    type Error = Arc<str>;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        Err(Arc::from(self.name.as_str()))
    }
}

async fn serve() -> Result<(), livedrop::reaper::Report> {
    let mut reaper = Reaper::new();
    let session = AsyncDropGuard::new(Session { name: "guest".to_owned() });
    drop(reaper.adopt(session));
    reaper.async_drop().await
}

fn main() {
    assert!(futures::executor::block_on(serve()).is_err());
}
