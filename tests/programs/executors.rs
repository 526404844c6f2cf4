//! The reaper on smol. `tests/it/reaper.rs` has the executors that are cheap to build.

use std::sync::Arc;

use livedrop::{AsyncDropGuard, Reaper};

use crate::support::{Ending, Log, Resource, cancel_after};

#[test]
fn smol_executor() {
    let (log, mut reaper) = (Arc::<Log>::default(), Reaper::new());
    let handle = reaper.handle();
    let adopted = || handle.adopt(AsyncDropGuard::new(Resource::new(&log, 3, Ending::Ok)));
    smol::block_on(async {
        let running = smol::spawn(reaper.run());
        drop(adopted());
        let mut guard = adopted();
        cancel_after(1, guard.async_drop());
        drop(guard);
        assert_eq!(reaper.drain().await.cleaned, 2);
        assert_eq!(log.counts(), (2, 2, 2));
        reaper.async_drop().await.unwrap();
        running.await;
    });
}
