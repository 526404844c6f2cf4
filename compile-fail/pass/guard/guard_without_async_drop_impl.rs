use async_trait::async_trait;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Pool {
    size: usize,
}

impl Pool {
    fn open(size: usize) -> AsyncDropGuard<Pool> {
        AsyncDropGuard::new(Pool { size })
    }
}

#[async_trait]
impl AsyncDrop for Pool {
    type Error = std::io::Error;

    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
        self.size = 0;
        Ok(())
    }
}

fn main() {
    let mut pool = Pool::open(4);
    println!("{} connections", pool.size);
    futures::executor::block_on(pool.async_drop()).unwrap();
}
