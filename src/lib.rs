//! nejiboard: an anonymous message board that is a static site.
//!
//! Boards and threads are plain files; `build` renders them to static pages; a small door takes posts into an inbox,
//! and each triggers a rebuild of just the pages it touches. Values flow one way:
//!
//! ```text
//! request -> Submission -> inbox file -> thread file -> Job -> Page -> file
//! ```
//!
//! The rooms, in reading order: [`model`] holds the values that all others speak about. [`intake`] turns requests into
//! submissions, [`store`] turns files into values and back, [`render`] turns values into pages, [`publish`] puts pages
//! where readers fetch them, [`watch`] tells of files that change, [`cli`] reads the command line. None of these knows
//! another; [`app`] is the corridor that joins them. [`disk`] and [`metrics`] are what several of them need: file helpers
//! and figures. `docs/architecture.md` draws the house.

pub mod app;
pub mod cli;
pub mod disk;
pub mod intake;
pub mod metrics;
pub mod model;
pub mod publish;
pub mod render;
pub mod store;
pub mod watch;
