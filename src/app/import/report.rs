//! The report of an import: what came over, what did not, and all problems.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::SecondsFormat;

use super::Outcome;
use crate::app::clock;
use crate::cli::Import;
use crate::disk::{self, DiskError};
use crate::store::site_dir::SiteDir;

/// The folder of reports and of what imports remember. It is private: a report may tell of what is not to be seen.
pub(super) fn folder(dir: &SiteDir) -> PathBuf {
    dir.private().join("import")
}

/// Where the report goes if nobody says: the same command has the same place, and another one has another.
pub(super) fn path(dir: &SiteDir, options: &Import) -> PathBuf {
    let board = options.board.as_ref().map(|board| format!("-{board}")).unwrap_or_default();
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    for source in &options.sources {
        let whole = std::path::absolute(source).unwrap_or_else(|_| source.clone());
        hash.update(whole.as_os_str().as_encoded_bytes());
        hash.update(b"\0");
    }
    let sources = hash.digest() & 0xFFFF_FFFF;
    folder(dir).join(format!("{}{board}-{sources:08x}.report", options.format.name()))
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
    line(format_args!("boards made: {boards_made}"));
    line(format_args!("threads read: {}", stats.threads));
    line(format_args!("posts read: {}", stats.posts));
    line(format_args!("posts that are new: {posts_added}"));
    line(format_args!("posts left out, see the problems: {posts_left_out}"));
    line(format_args!("old addresses that lead to new ones: {redirects}"));
    if !stats.lost.is_empty() {
        line(format_args!("\nnot carried over:"));
        stats.lost.iter().for_each(|(kind, count)| line(format_args!("  {count} {kind}")));
    }
    if 0 < stats.skipped {
        line(format_args!("\nfiles that are no threads and were passed over: {}", stats.skipped));
        for (ending, count) in &stats.skipped_endings {
            let ending = if ending.is_empty() { "(others)" } else { ending };
            line(format_args!("  {count} {}", crate::model::problem::printable(ending)));
        }
    }
    line(format_args!("\nproblems: {}", problems.len()));
    problems.iter().for_each(|problem| line(format_args!("{problem}")));
    out
}
