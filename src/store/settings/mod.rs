//! `site.yaml`, `board.yaml` and `theme.yaml`: text to settings, and settings to the text that explains them.
//!
//! `yaml` makes a text into a small tree that knows its places; `keys` is the one table of what can be set; `read`
//! holds the tree against the table; `words` writes samples and the reference from the same table.

mod defences;
mod filter_keys;
mod keys;
mod lists;
mod read;
mod words;
pub(super) mod yaml;

use std::path::Path;

use crate::model::{BoardSettings, Problem, SiteSettings};

pub use filter_keys::{Action, Field, FilterDraft, read_filters};
pub use words::{reference, sample_board, sample_site};

/// Bytes that a file of settings may have.
pub const SETTINGS_BYTES_MAX: usize = 64 * 1024;

/// What a theme says about itself.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ThemeInfo {
    /// Its name for people; may be empty.
    pub name: String,
    /// A sentence about it; may be empty.
    pub description: String,
}

/// Reads the text of `site.yaml`. `path` is only for messages. All problems are collected, not just the first.
pub fn read_site(path: &Path, text: &str) -> Result<SiteSettings, Vec<Problem>> {
    read::file(path, text, &keys::SITE, SiteSettings::default())
}

/// Reads the text of `board.yaml` over the site's defaults.
pub fn read_board(path: &Path, text: &str, site: &SiteSettings) -> Result<BoardSettings, Vec<Problem>> {
    read::file(path, text, &keys::BOARD, site.defaults.clone())
}

/// The name of a theme, if it is one.
pub fn theme_name(text: &str) -> Result<String, String> {
    keys::theme(text)
}

/// Reads the text of `theme.yaml`.
pub fn read_theme(path: &Path, text: &str) -> Result<ThemeInfo, Vec<Problem>> {
    read::file(path, text, &keys::THEME, ThemeInfo::default())
}
