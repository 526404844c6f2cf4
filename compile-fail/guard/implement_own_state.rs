//! Misuse: adding a state of your own to the guard (E0277)
//! Why it matters: a state that needs no cleanup would break the guarantee of all other states.
//! Fix: keep additional data beside the guard, in a type of your own.
//! Rule: The states are a closed set

use std::convert::Infallible;

use async_trait::async_trait;
use livedrop::state::State;
use livedrop::{AsyncDrop, AsyncDropGuard};

struct Connection;

#[async_trait]
impl AsyncDrop for Connection {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Idle;

impl State for Idle {
    type Slot<T> = T;
}

struct Pool {
    idle: Vec<AsyncDropGuard<Connection, Idle>>,
}

async fn close(pool: Pool) {
    println!("{} connections stay open", pool.idle.len());
}

fn main() {
    futures::executor::block_on(close(Pool { idle: Vec::new() }));
}
