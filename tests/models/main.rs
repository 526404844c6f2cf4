//! Model tests: shuttle runs small programs of several threads in many orders.
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" CARGO_TARGET_DIR=target/shuttle \
//!   cargo test --release -p livedrop-models --test models
//! ```
#![cfg(shuttle)]

mod cache;
mod counts;
mod gone;
mod reaper;
