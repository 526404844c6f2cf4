//! Compiles and runs every corrected program of `pass/`, all in one crate. `build.rs` writes the
//! list of modules.
#![allow(clippy::pedantic, dead_code, unreachable_pub, reason = "programs as users write them")]

mod spawned;

include!(concat!(env!("OUT_DIR"), "/pass.rs"));
