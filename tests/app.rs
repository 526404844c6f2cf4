//! `app::App`: in this process without signals, and in child processes that signals end.

#[path = "app/children.rs"]
mod children;
#[path = "app/inside.rs"]
mod inside;
#[path = "app/processes.rs"]
mod processes;
mod support;
