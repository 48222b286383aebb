//! `import`: threads from elsewhere, put into `content/`.
//!
//! An import that was killed goes on when the same command is given again: what is there already is known by its
//! numbers and stays as it is. At its end stand `redirects.txt` and a report of what could not be carried over.

mod report;
mod writer;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Console;
use super::builder::{self, Builder};
use super::error::Error;
use crate::cli::{Format, Import};
use crate::disk::DiskError;
use crate::model::{BoardSlug, PostNo, Problem};
use crate::store::import::jsonl::Source;
use crate::store::import::{self, Dialect, ImportError, Imported, Redirects, Registry, Report, Stats, Take};
use crate::store::site_dir::SiteDir;

use writer::Writer;

/// Imports what the command names.
pub fn import(dir: SiteDir, options: &Import, console: &Console) -> Result<u8, Error> {
    let board = options.board.as_deref().map(BoardSlug::parse).transpose().map_err(Error::BadBoard)?;
    // The builder knows which numbers are taken, and holds the lock.
    let (mut builder, _) = Builder::open(dir.clone(), &console.progress)?;
    let redirects_file = options.redirects.clone().unwrap_or_else(|| dir.root().join("redirects.txt"));
    let report_file = options.report.clone().unwrap_or_else(|| report::path(&dir, options));
    let mut redirects = Redirects::new(&builder.prefix()).map_err(DiskError::doing("write", &redirects_file))?;
    let mut writer = Writer::new(dir);
    let (mut problems, mut conflicts) = (Vec::new(), Vec::new());
    let bytes = import::bytes_of(&options.sources).unwrap_or(0);
    let (mut bytes_read, mut threads, mut posts) = (0, 0_u64, 0_u64);
    console.progress.finish();
    console.progress.stage("importing");
    let shown = builder.shown().clone();
    let mut take = |imported: Imported| {
        match &imported {
            Imported::Read(more) => bytes_read += more,
            Imported::Moved { from, to } if writer.has(to) => redirects.add(from, to)?,
            Imported::Thread { thread, .. } => (threads, posts) = (threads + 1, posts + thread.posts.len() as u64),
            Imported::Replies { posts: more, .. } => posts += more.len() as u64,
            Imported::Moved { .. } | Imported::Board { .. } => {}
        }
        console.progress.show(bytes_read, bytes, || format!("{posts} posts in {threads} threads"));
        writer.take(imported, &builder::read(&shown).site, &mut conflicts)
    };
    let stats = read(options, board.as_ref(), &mut builder, &mut take, &mut |problem| problems.push(problem))?;
    problems.extend(conflicts);
    writer.finish()?;
    if stats.threads == 0 && stats.lost.contains_key(import::WITHOUT_BOARD) {
        console.tell_problems(&problems);
        return Err(Error::BoardNeeded);
    }
    let outcome = Outcome {
        stats,
        boards_made: writer.boards_made,
        posts_added: writer.posts_added,
        posts_left_out: writer.posts_left_out,
        redirects: redirects.len(),
        problems,
    };
    if !redirects.is_empty() {
        redirects.write(&redirects_file)?;
    }
    report::write(&report_file, &outcome, options)?;
    let code = console.tell_problems(&outcome.problems);
    conclude(&outcome, &report_file, &redirects_file, console)?;
    Ok(code)
}

fn read(
    options: &Import,
    board: Option<&BoardSlug>,
    registry: &mut dyn Registry,
    take: Take<'_>,
    report: Report<'_>,
) -> Result<Stats, Error> {
    let sources = &options.sources;
    let needed = || board.ok_or(Error::BoardNeeded);
    let read: Result<Stats, ImportError> = match options.format {
        Format::Jsonl => {
            let sources: Vec<Source> = sources.iter().map(Source::from_argument).collect();
            import::jsonl(&sources, board, take, report)
        }
        Format::Fourchan => import::fourchan(sources, board, Dialect::Fourchan, take, report),
        Format::Vichan => import::fourchan(sources, board, Dialect::Vichan, take, report),
        Format::TwoChannel => import::two_channel(sources, board, registry, take, report),
        Format::Discourse => import::discourse(sources, needed()?, registry, take, report),
        Format::Stackexchange => import::stackexchange(sources, needed()?, registry, take, report),
    };
    Ok(read?)
}

/// What an import came to.
struct Outcome {
    stats: Stats,
    boards_made: usize,
    posts_added: usize,
    posts_left_out: usize,
    redirects: usize,
    problems: Vec<Problem>,
}

impl Outcome {
    /// Whether all was there already.
    fn is_nothing_new(&self) -> bool {
        0 < self.stats.posts && self.posts_added == 0 && self.posts_left_out == 0
    }
}

fn conclude(outcome: &Outcome, report: &Path, redirects: &Path, console: &Console) -> Result<(), Error> {
    let seconds = console.progress.seconds();
    let Outcome { stats, posts_added, .. } = outcome;
    let mut lines = Vec::new();
    if 0 < stats.skipped {
        lines.push(format!("{} files are no threads and were passed over", stats.skipped));
    }
    if !stats.lost.is_empty() {
        let lost: Vec<String> = stats.lost.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        lines.push(format!("not carried over: {}", lost.join(", ")));
    }
    lines.push(format!("report: {}", report.display()));
    if 0 < outcome.redirects {
        lines.push(format!("{} old addresses: {}", outcome.redirects, redirects.display()));
    }
    lines.push(match outcome.is_nothing_new() {
        true => format!(
            "nothing to do: all {} posts in {} threads are there already, {seconds:.2} seconds",
            stats.posts, stats.threads
        ),
        false => format!(
            "{} posts in {} threads read, {posts_added} posts new, {seconds:.2} seconds\nnext: nejiboard build",
            stats.posts, stats.threads
        ),
    });
    let summary = json!({
        "command": "import",
        "boards_made": outcome.boards_made,
        "threads": stats.threads,
        "posts": stats.posts,
        "posts_new": posts_added,
        "posts_left_out": outcome.posts_left_out,
        "files_skipped": stats.skipped,
        "not_carried_over": stats.lost,
        "redirects": outcome.redirects,
        "report": report,
        "problems": outcome.problems.len(),
        "seconds": seconds,
    });
    console.conclude(&lines.join("\n"), &summary)
}

impl Registry for Builder {
    fn first_free(&mut self, board: &BoardSlug) -> Option<PostNo> {
        self.next_number(board)
    }

    fn reserve(&mut self, board: &BoardSlug, last: PostNo) {
        self.use_numbers(board, last);
    }

    fn folder(&self) -> PathBuf {
        report::folder(self.dir())
    }
}
