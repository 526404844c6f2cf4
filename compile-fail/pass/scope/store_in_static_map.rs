use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Mutex;

use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard, Live};

struct Session;

#[async_trait]
impl AsyncDrop for Session {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

static SESSIONS: Mutex<Option<HashMap<u32, AsyncDropGuard<Session, Live>>>> = Mutex::new(None);

/// Logs in, and ends the session that the user had before.
async fn log_in_again(user: u32) {
    let session = AsyncDropGuard::live(Session);
    let before = SESSIONS.lock().unwrap().get_or_insert_default().insert(user, session);
    if let Some(before) = before {
        before.async_drop().await.result.unwrap();
    }
}

fn main() {
    futures::executor::block_on(log_in_again(7));
    let sessions = SESSIONS.lock().unwrap().take().unwrap();
    for session in sessions.into_values() {
        futures::executor::block_on(session.async_drop()).result.unwrap();
    }
}
