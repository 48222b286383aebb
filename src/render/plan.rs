//! Which pages there are, which of them a change touches, and in what portions they are drawn.
//!
//! There is one way to build: a clean build asks for all pages, an incremental one for some, and everything after
//! that is the same.

use std::collections::{BTreeMap, BTreeSet};

use super::theme::Theme;
use crate::model::{Board, BoardSlug, Delta, PageKey, PostNo, Site, ThreadSummary};

/// All pages that a site has.
pub fn all_pages(site: &Site, theme: &Theme) -> BTreeSet<PageKey> {
    let mut pages: Vec<PageKey> = theme.assets().map(|path| PageKey::Asset(path.to_owned())).collect();
    pages.extend([PageKey::Home, PageKey::NotFound]);
    pages.extend(site.settings.public_log.then_some(PageKey::Log));
    site.boards().for_each(|board| pages_of(site, board, &mut pages));
    // All at once: a set is made much sooner from many than by one after the other.
    pages.into_iter().collect()
}

fn pages_of(site: &Site, board: &Board, pages: &mut Vec<PageKey>) {
    let slug = &board.slug;
    let threads = board.threads().filter(|summary| site.has_page(board, summary));
    pages.extend(threads.flat_map(|summary| pages_of_thread(slug, summary)));
    pages.extend((1..=board.index_pages()).map(|page| PageKey::Index(slug.clone(), page)));
    pages.extend([PageKey::Catalog(slug.clone()), PageKey::Archive(slug.clone())]);
    pages.extend(board.parts().keys().filter_map(|part| part_page(board, *part)));
}

/// The thread's page, and that of its last posts if it is long.
fn pages_of_thread(board: &BoardSlug, summary: &ThreadSummary) -> impl Iterator<Item = PageKey> {
    let tail = summary.has_tail().then(|| PageKey::Tail(board.clone(), summary.no));
    std::iter::once(PageKey::Thread(board.clone(), summary.no)).chain(tail)
}

/// Whether the site has this page: what [`all_pages`] says, for one page.
pub fn has_page(site: &Site, theme: &Theme, page: &PageKey) -> bool {
    let board = |slug: &BoardSlug| site.board(slug);
    let thread = |slug: &BoardSlug, no: PostNo| {
        let board = board(slug)?;
        board.thread(no).filter(|summary| site.has_page(board, summary))
    };
    match page {
        PageKey::Asset(path) => theme.asset(path).is_some(),
        PageKey::Home | PageKey::NotFound => true,
        PageKey::Log => site.settings.public_log,
        PageKey::Catalog(slug) | PageKey::Archive(slug) => board(slug).is_some(),
        PageKey::Thread(slug, no) => thread(slug, *no).is_some(),
        PageKey::Tail(slug, no) => thread(slug, *no).is_some_and(ThreadSummary::has_tail),
        PageKey::Index(slug, page) => board(slug).is_some_and(|board| (1..=board.index_pages()).contains(page)),
        PageKey::ArchivePart(slug, part) => {
            board(slug).is_some_and(|board| board.parts().contains_key(part) && part_page(board, *part).is_some())
        }
    }
}

/// The page of its own that a part of the archive has; the newest one is shown on the archive's page.
fn part_page(board: &Board, part: u64) -> Option<PageKey> {
    let newest = board.parts().keys().next_back() == Some(&part);
    (!newest).then(|| PageKey::ArchivePart(board.slug.clone(), part))
}

/// The pages that a change makes different, and those that it may take away.
#[derive(Clone, Default, Debug)]
pub struct Touched {
    /// To be drawn.
    pub draw: BTreeSet<PageKey>,
    /// To be removed, if they are there.
    pub gone: BTreeSet<PageKey>,
    /// Files in the output that no build of ours is known to have written, by path. A page may have one of these
    /// paths.
    pub strangers: BTreeSet<String>,
    /// Files in the output that are no page, by path.
    pub stale: BTreeSet<String>,
}

impl Touched {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.draw.is_empty() && self.gone.is_empty() && self.strangers.is_empty() && self.stale.is_empty()
    }

    /// Adds what another change touches.
    pub fn add(&mut self, other: Touched) {
        // What is to be drawn is drawn only if it still exists then, and removed only if not: the order is no matter.
        self.draw.extend(other.draw);
        self.gone.extend(other.gone);
        self.strangers.extend(other.strangers);
        self.stale.extend(other.stale);
    }
}

/// What `delta`, which has just been applied to `site`, means for its pages.
pub fn touched(site: &Site, delta: &Delta) -> Touched {
    let mut touched = Touched::default();
    for key in &delta.drawn {
        let tail = PageKey::Tail(key.board.clone(), key.no);
        touched.draw.insert(PageKey::Thread(key.board.clone(), key.no));
        match site.thread(key).is_some_and(ThreadSummary::has_tail) {
            true => touched.draw.insert(tail),
            // It may have been longer before.
            false => touched.gone.insert(tail),
        };
    }
    for key in &delta.gone {
        let pages = [PageKey::Thread(key.board.clone(), key.no), PageKey::Tail(key.board.clone(), key.no)];
        touched.gone.extend(pages);
    }
    for (slug, lists) in &delta.boards {
        let Some(board) = site.board(slug) else { continue };
        touched.draw.extend(lists.index.iter().map(|page| PageKey::Index(slug.clone(), *page)));
        let gone = lists.index_gone.clone().into_iter().flatten();
        touched.gone.extend(gone.map(|page| PageKey::Index(slug.clone(), page)));
        if lists.catalog {
            touched.draw.insert(PageKey::Catalog(slug.clone()));
        }
        if !lists.parts.is_empty() || !lists.parts_gone.is_empty() {
            touched.draw.insert(PageKey::Archive(slug.clone()));
        }
        for part in &lists.parts {
            match part_page(board, *part) {
                Some(page) => touched.draw.insert(page),
                None => touched.gone.insert(PageKey::ArchivePart(slug.clone(), *part)),
            };
        }
        touched.gone.extend(lists.parts_gone.iter().map(|part| PageKey::ArchivePart(slug.clone(), *part)));
    }
    if !delta.boards.is_empty() || !delta.drawn.is_empty() {
        touched.draw.insert(PageKey::Home);
    }
    touched
}

/// A portion of work: pages that share what is read for them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Job {
    /// Threads that stand together on the index, and perhaps that page of the index.
    Threads {
        /// The board.
        board: BoardSlug,
        /// The threads of which pages are to be drawn, and which pages.
        threads: BTreeMap<PostNo, ThreadPages>,
        /// The index page to be drawn.
        index: Option<u32>,
    },
    /// A page that is drawn from summaries alone.
    Page(PageKey),
}

/// Which pages of a thread are to be drawn.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ThreadPages {
    /// That of the whole thread.
    pub whole: bool,
    /// That of its last posts.
    pub tail: bool,
}

impl ThreadPages {
    /// The pages of the thread `no`.
    pub fn keys(self, board: &BoardSlug, no: PostNo) -> Vec<PageKey> {
        let whole = self.whole.then(|| PageKey::Thread(board.clone(), no));
        whole.into_iter().chain(self.tail.then(|| PageKey::Tail(board.clone(), no))).collect()
    }
}

impl Job {
    /// The pages of the job, each as a job of its own.
    pub fn singly(&self) -> Vec<(PageKey, Job)> {
        match self {
            Job::Page(key) => vec![(key.clone(), self.clone())],
            Job::Threads { board, threads, index } => {
                let alone = |threads, index| Job::Threads { board: board.clone(), threads, index };
                let page = |no: PostNo, key: PageKey| {
                    let tail = matches!(key, PageKey::Tail(..));
                    (key, alone(BTreeMap::from([(no, ThreadPages { whole: !tail, tail })]), None))
                };
                let pages = threads
                    .iter()
                    .flat_map(|(no, pages)| pages.keys(board, *no).into_iter().map(move |key| page(*no, key)));
                let index = index.map(|page| (PageKey::Index(board.clone(), page), alone(BTreeMap::new(), Some(page))));
                pages.chain(index).collect()
            }
        }
    }
}

/// Puts pages into portions. The order of the portions is that of their pages: threads before what lists them.
pub fn jobs(site: &Site, pages: impl IntoIterator<Item = PageKey>) -> Vec<Job> {
    type Together = (BTreeMap<PostNo, ThreadPages>, Option<u32>);
    let mut together: BTreeMap<(BoardSlug, Portion), Together> = BTreeMap::new();
    let mut single = Vec::new();
    for page in pages {
        match page {
            PageKey::Thread(board, no) => {
                let portion = portion(site, &board, no);
                together.entry((board, portion)).or_default().0.entry(no).or_default().whole = true;
            }
            PageKey::Tail(board, no) => {
                let portion = portion(site, &board, no);
                together.entry((board, portion)).or_default().0.entry(no).or_default().tail = true;
            }
            PageKey::Index(board, page) => {
                together.entry((board, Portion::Index(page))).or_default().1 = Some(page);
            }
            other => single.push(Job::Page(other)),
        }
    }
    let threads = together.into_iter().map(|((board, _), (threads, index))| Job::Threads { board, threads, index });
    threads.chain(single).collect()
}

/// Which threads are drawn together.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Portion {
    /// Those of an index page.
    Index(u32),
    /// Archived ones, by some nearness in number; a portion is then small enough to be shared among threads of work.
    Archived(u64),
}

/// Numbers that a portion of archived threads covers.
const ARCHIVED_TOGETHER: u64 = 256;

fn portion(site: &Site, board: &BoardSlug, no: PostNo) -> Portion {
    match site.board(board).and_then(|board| board.page_of(no)) {
        Some(page) => Portion::Index(page),
        None => Portion::Archived(no.get() / ARCHIVED_TOGETHER),
    }
}
