//! The door: what comes in over HTTP, and what is answered.

mod bad_input;
mod connections;
mod files;
mod hostile;
mod posting;
mod properties;
pub mod setup;
