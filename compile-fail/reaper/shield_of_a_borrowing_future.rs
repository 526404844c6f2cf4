//! Misuse: shielding a future that borrows (E0597)
//! Why it matters: if the caller is cancelled, the reaper polls the future after the buffer is gone.
//! Fix: move the data into the future: `shield(async move { … })`.
//! Rule: Adopted values own their data

use livedrop::{Reaper, ReaperHandle};

async fn send(part: &str) -> usize {
    part.len()
}

async fn say_goodbye(reaper: &ReaperHandle) -> usize {
    let text = String::from("goodbye");
    reaper.shield(send(&text)).await
}

fn main() {
    futures::executor::block_on(async {
        let mut reaper = Reaper::new();
        assert_eq!(say_goodbye(&reaper.handle()).await, 7);
        reaper.async_drop().await.unwrap();
    });
}
