//! The one test program, a module a feature.
mod door;
mod import;
mod markup;
mod settings;
mod theme;
mod tidy;
mod tripcode;
