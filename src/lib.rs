//! nejiboard: an anonymous message board that is a static site.
#![warn(missing_docs)]

pub mod disk;
pub mod intake;
pub mod model;
pub mod publish;
pub mod render;
pub mod store;
