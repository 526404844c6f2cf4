//! Compiles and runs every corrected program in `pass/`, all in one crate. `build.rs` generates the
//! list of modules.
#![allow(clippy::pedantic, dead_code, unreachable_pub, reason = "programs as users write them")]

mod spawned;

include!(concat!(env!("OUT_DIR"), "/pass.rs"));
