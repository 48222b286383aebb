//! The files of a theme, as bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A theme, unread.
#[derive(Clone, PartialEq, Debug)]
pub struct ThemeFiles {
    /// Its name.
    pub name: String,
    /// By path below the theme's folder, such as `assets/style.css`.
    pub files: BTreeMap<String, ThemeFile>,
}

/// One file of a theme.
#[derive(Clone, PartialEq, Debug)]
pub struct ThemeFile {
    /// Where it came from, for messages.
    pub origin: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
}
