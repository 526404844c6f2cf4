//! Misuse: guarding a value that has no async cleanup (E0277)
//! Why it matters: the guard would have nothing to call, and the pool would stay open.
//! Fix: implement `AsyncDrop` for the type; for a type of another crate, use a cleanup closure.
//! Rule: Every guarded value has a cleanup

use livedrop::AsyncDropGuard;

struct Pool {
    size: usize,
}

impl Pool {
    fn open(size: usize) -> AsyncDropGuard<Pool> {
        AsyncDropGuard::new(Pool { size })
    }
}

fn main() {
    let pool = Pool::open(4);
    println!("{} connections", pool.size);
}
