use livedrop::{Reaper, ReaperHandle};

async fn send(part: &str) -> usize {
    part.len()
}

async fn say_goodbye(reaper: &ReaperHandle) -> usize {
    let text = String::from("goodbye");
    reaper.shield(async move { send(&text).await }).await
}

fn main() {
    futures::executor::block_on(async {
        let mut reaper = Reaper::new();
        assert_eq!(say_goodbye(&reaper.handle()).await, 7);
        reaper.async_drop().await.unwrap();
    });
}
