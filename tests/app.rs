//! `app::App`: in this process without signals, and in child processes that signals end.

#[path = "app/children.rs"]
mod children;
#[path = "app/inside.rs"]
mod inside;
#[path = "app/processes.rs"]
mod processes;
mod support;

/// Returns a random number. The standard library seeds each `RandomState` differently.
fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}
