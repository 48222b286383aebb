//! The one test program, a module a feature.
mod door;
mod import;
mod import_fourchan;
mod import_html;
mod markup;
mod readme;
mod settings;
mod theme;
mod tidy;
mod tripcode;
mod watched;
