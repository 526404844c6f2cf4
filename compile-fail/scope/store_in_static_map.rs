//! Misuse: storing a scoped guard in a static map (E0521)
//! Why it matters: the map lives as long as the program, and no scope waits for it.
//! Fix: store a guard that belongs to no scope, and clean it up when it is taken out.
//! Rule: A scoped guard ends in its scope

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Mutex;

use async_trait::async_trait;
use livedrop::scope::ScopedGuard;
use livedrop::{AsyncDrop, AsyncDropGuard, scope};

struct Session;

#[async_trait]
impl AsyncDrop for Session {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

static SESSIONS: Mutex<Option<HashMap<u32, ScopedGuard<'static, Session>>>> = Mutex::new(None);

/// Logs in, and ends the session that the user had before.
async fn log_in_again(user: u32) {
    let session = AsyncDropGuard::live(Session);
    scope!(session, async |session| {
        let before = SESSIONS.lock().unwrap().get_or_insert_default().insert(user, session);
        (before.expect("a session").async_drop().await.proof, ())
    })
    .await;
}

fn main() {
    futures::executor::block_on(log_in_again(7));
}
