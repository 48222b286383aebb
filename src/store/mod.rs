//! Files to model and back.
pub mod import;
pub mod settings;
