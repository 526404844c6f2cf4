//! The tests of the library, one module a subject. They are one binary, since linking takes most of the
//! time of a build. A test that changes its whole process runs in its own process: `support::alone`.

#[path = "../support/mod.rs"]
mod support;
#[macro_use]
#[path = "../support/numbered.rs"]
mod numbered;

mod all;
mod arc;
mod arc_gone;
mod async_drop;
mod cache;
mod cancellation;
mod contract;
mod deferred;
mod derive;
mod facade;
mod flatten;
mod foreign_code;
mod foreign_drops;
mod foreign_wakers;
mod fs;
mod guard;
mod guide;
mod hash_map;
mod hook;
mod layout;
#[cfg(all(feature = "derive", feature = "tokio"))]
mod migration;
mod mutex;
mod not_send;
mod payloads;
mod process;
mod public_api;
mod readme;
mod reaper;
mod reaper_drivers;
mod reaper_end;
mod reaper_openings;
mod reaper_reentered;
mod result;
mod scope;
mod shared;
mod shown;
mod stack;
mod strict;
mod sync_drop;
mod task;
mod testing;
mod tracing;
mod value_drop;
mod vec;
mod with;
mod with_cancelled;
mod with_output;
