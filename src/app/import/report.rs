//! The report of an import: what came over, what did not, and all problems.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::SecondsFormat;

use super::Outcome;
use crate::app::clock;
use crate::cli::{Format, Import};
use crate::disk::{self, DiskError};
use crate::model::BoardSlug;
use crate::store::site_dir::SiteDir;

/// The folder of reports and of what imports remember. It is private: a report may tell of what is not to be seen.
pub(super) fn folder(dir: &SiteDir) -> PathBuf {
    dir.private().join("import")
}

/// Where the report goes if nobody says.
pub(super) fn path(dir: &SiteDir, format: Format, board: Option<&BoardSlug>) -> PathBuf {
    let board = board.map(|board| format!("-{board}")).unwrap_or_default();
    folder(dir).join(format!("{}{board}.report", format.name()))
}

/// Writes the report.
pub(super) fn write(path: &Path, outcome: &Outcome, options: &Import) -> Result<(), DiskError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        disk::create_private_dir(folder)?;
    }
    disk::replace_soon(path, text(outcome, options).as_bytes())
}

fn text(outcome: &Outcome, options: &Import) -> String {
    let Outcome { stats, boards_made, posts_added, posts_left_out, redirects, problems } = outcome;
    let sources: Vec<String> = options.sources.iter().map(|source| source.display().to_string()).collect();
    let mut out = format!("import {} {}\n", options.format.name(), sources.join(" "));
    let mut line = |text: std::fmt::Arguments<'_>| {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "{text}");
    };
    line(format_args!("{}\n", clock::now().to_rfc3339_opts(SecondsFormat::Secs, true)));
    line(format_args!("{boards_made} boards made"));
    line(format_args!("{} posts in {} threads read", stats.posts, stats.threads));
    line(format_args!("{posts_added} of these posts are new"));
    line(format_args!("{posts_left_out} of these posts were left out, see the problems below"));
    line(format_args!("{redirects} old addresses lead to new ones"));
    if !stats.lost.is_empty() {
        line(format_args!("\nnot carried over:"));
        stats.lost.iter().for_each(|(kind, count)| line(format_args!("  {count} {kind}")));
    }
    if 0 < stats.skipped {
        line(format_args!("\n{} files are no threads and were passed over:", stats.skipped));
        for (ending, count) in &stats.skipped_endings {
            let ending = if ending.is_empty() { "(others)" } else { ending };
            line(format_args!("  {count} {}", crate::model::problem::printable(ending)));
        }
    }
    line(format_args!("\n{} problems", problems.len()));
    problems.iter().for_each(|problem| line(format_args!("{problem}")));
    out
}
