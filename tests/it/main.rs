//! The one test program, a module a feature.
mod crash;
mod door;
mod import;
mod import_fourchan;
mod import_html;
mod inbox;
mod incremental;
mod markup;
mod readme;
mod sandbox;
mod serve;
mod settings;
mod theme;
mod threadfile;
mod tidy;
mod tripcode;
mod watched;
