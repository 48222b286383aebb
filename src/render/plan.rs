//! Which pages there are, which of them a change touches, and in what portions they are drawn.
//!
//! There is one way to build: a clean build asks for all pages, an incremental one for some, and everything after
//! that is the same.

use std::collections::{BTreeMap, BTreeSet};

use super::feed;
use super::theme::Theme;
use crate::model::delta::BoardDelta;
use crate::model::overboard::OverboardDelta;
use crate::model::site::part_of;
use crate::model::{
    Board, BoardFile, BoardSlug, Delta, Format, OverboardPage, PageKey, PostNo, Site, SiteFile, ThreadFile, ThreadKey,
    ThreadSummary,
};

/// All pages that a site has.
pub fn all_pages(site: &Site, theme: &Theme) -> BTreeSet<PageKey> {
    let mut pages: Vec<PageKey> = theme.assets().map(|path| PageKey::Asset(path.to_owned())).collect();
    pages.extend([PageKey::Home, PageKey::NotFound]);
    pages.extend(SiteFile::ALL.into_iter().filter(|file| has_of_site(site, *file)).map(PageKey::OfSite));
    pages.extend(overboard_pages(site, 1..=site.overboard_pages()).map(PageKey::Overboard));
    pages.extend(site.settings.public_log.then_some(PageKey::Log));
    site.boards().for_each(|board| pages_of(site, board, &mut pages));
    // All at once: a set is made much sooner from many than by one after the other.
    pages.into_iter().collect()
}

fn pages_of(site: &Site, board: &Board, pages: &mut Vec<PageKey>) {
    let slug = &board.slug;
    let threads = board.threads().filter(|summary| site.has_page(board, summary));
    pages.extend(threads.flat_map(|summary| pages_of_thread(site, slug, summary)));
    let index = 1..=board.index_pages();
    if site.settings.formats.has(Format::Json) {
        pages.extend(index.clone().map(|page| PageKey::IndexJson(slug.clone(), page)));
    }
    pages.extend(index.map(|page| PageKey::Index(slug.clone(), page)));
    pages.extend([PageKey::Catalog(slug.clone()), PageKey::Archive(slug.clone())]);
    pages.extend(board.parts().keys().filter_map(|part| part_page(board, *part)));
    let files = BoardFile::ALL.into_iter().filter(|file| has_of_board(site, *file));
    pages.extend(files.map(|file| PageKey::OfBoard(slug.clone(), file)));
    if has_origin(site) {
        pages.extend(board.spans().keys().map(|span| PageKey::SitemapPart(slug.clone(), *span)));
    }
}

/// The pages of a thread that is visible.
fn pages_of_thread(site: &Site, board: &BoardSlug, summary: &ThreadSummary) -> impl Iterator<Item = PageKey> {
    let tail = summary.has_tail().then(|| PageKey::Tail(board.clone(), summary.no));
    let files = ThreadFile::ALL.into_iter().filter(|file| has_of_thread(site, summary, *file));
    let files = files.map(|file| PageKey::OfThread(board.clone(), summary.no, file));
    std::iter::once(PageKey::Thread(board.clone(), summary.no)).chain(tail).chain(files)
}

/// All pages that a thread can have on this site, as it is written: a site of many threads is planned as a whole, and what
/// other formats would have is not there to go.
fn conceivable_pages(site: &Site, board: &BoardSlug, no: PostNo) -> impl Iterator<Item = PageKey> {
    let files = ThreadFile::ALL.into_iter().filter(|file| has_format(site, file.format()));
    let files = files.map(move |file| PageKey::OfThread(board.clone(), no, file));
    [PageKey::Thread(board.clone(), no), PageKey::Tail(board.clone(), no)].into_iter().chain(files)
}

/// Some index pages of all boards with what else there is of them.
fn overboard_pages(site: &Site, index: impl IntoIterator<Item = u32>) -> impl Iterator<Item = OverboardPage> {
    let json = has_format(site, Format::Json);
    let page = move |page| [Some(OverboardPage::Index(page)), json.then_some(OverboardPage::IndexJson(page))];
    let lists = [OverboardPage::Catalog, OverboardPage::Threads].into_iter().filter(move |_| json);
    index.into_iter().flat_map(page).flatten().chain(lists.filter(|_| site.has_overboard()))
}

fn has_format(site: &Site, format: Format) -> bool {
    site.settings.written().has(format)
}

/// Whether it is known where the site stands, and not only below which path.
fn has_origin(site: &Site) -> bool {
    site.settings.base_url.origin().is_some()
}

fn has_of_thread(site: &Site, summary: &ThreadSummary, file: ThreadFile) -> bool {
    let written = has_format(site, file.format());
    match file {
        ThreadFile::VichanPage => written,
        // A thread that was moved only leads on.
        _ if !summary.visible() => false,
        ThreadFile::TailJson => written && summary.has_tail(),
        ThreadFile::VichanJson => written && has_format(site, Format::Json),
        _ => written,
    }
}

fn has_of_board(site: &Site, file: BoardFile) -> bool {
    has_format(site, file.format()) && (file != BoardFile::VichanIndex || has_format(site, Format::Json))
}

fn has_of_site(site: &Site, file: SiteFile) -> bool {
    match file {
        SiteFile::Boards => has_format(site, Format::Json),
        SiteFile::Feed => has_format(site, Format::Feeds),
        SiteFile::BbsMenu => has_format(site, Format::TwoChannel),
        SiteFile::Sitemap => has_origin(site),
        SiteFile::Robots => true,
    }
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
        PageKey::OfSite(file) => has_of_site(site, *file),
        PageKey::Catalog(slug) | PageKey::Archive(slug) => board(slug).is_some(),
        PageKey::OfBoard(slug, file) => board(slug).is_some() && has_of_board(site, *file),
        PageKey::Thread(slug, no) => thread(slug, *no).is_some(),
        PageKey::Tail(slug, no) => thread(slug, *no).is_some_and(ThreadSummary::has_tail),
        PageKey::OfThread(slug, no, file) => {
            thread(slug, *no).is_some_and(|summary| has_of_thread(site, summary, *file))
        }
        PageKey::Index(slug, page) => board(slug).is_some_and(|board| (1..=board.index_pages()).contains(page)),
        PageKey::IndexJson(slug, page) => {
            let there = board(slug).is_some_and(|board| (1..=board.index_pages()).contains(page));
            there && has_format(site, Format::Json)
        }
        PageKey::SitemapPart(slug, span) => {
            has_origin(site) && board(slug).is_some_and(|board| board.spans().contains_key(span))
        }
        PageKey::Overboard(page) => {
            let json = has_format(site, Format::Json);
            match page {
                OverboardPage::Index(page) => (1..=site.overboard_pages()).contains(page),
                OverboardPage::IndexJson(page) => json && (1..=site.overboard_pages()).contains(page),
                OverboardPage::Catalog | OverboardPage::Threads => json && site.has_overboard(),
            }
        }
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
        match site.thread(key) {
            Some(summary) => touched.draw.extend(pages_of_thread(site, &key.board, summary)),
            None => continue,
        }
        // It may have been longer before.
        let gone = conceivable_pages(site, &key.board, key.no).filter(|page| !touched.draw.contains(page));
        touched.gone.extend(gone);
    }
    for key in &delta.gone {
        touched.gone.extend(conceivable_pages(site, &key.board, key.no));
    }
    for (slug, lists) in &delta.boards {
        let Some(board) = site.board(slug) else { continue };
        touched.lists(board, lists);
    }
    let threads = delta.drawn.iter().chain(&delta.gone);
    for (slug, span) in threads.clone().map(|key| (&key.board, part_of(key.no))).collect::<BTreeSet<_>>() {
        touched.draw.insert(PageKey::SitemapPart(slug.clone(), span));
    }
    // A feed shows opening posts of new threads: a reply to an old one changes nothing there.
    let in_feed = |key: &ThreadKey| {
        let board = site.board(&key.board)?;
        let oldest = board.newest().nth(feed::THREADS - 1).map_or(PostNo::MIN, |summary| summary.no);
        (oldest <= key.no).then(|| key.board.clone())
    };
    for slug in threads.filter_map(in_feed).collect::<BTreeSet<_>>() {
        touched.draw.insert(PageKey::OfBoard(slug, BoardFile::Feed));
        touched.draw.insert(PageKey::OfSite(SiteFile::Feed));
    }
    touched.overboard(site, delta);
    touched
}

impl Touched {
    /// Notes the lists of a board that are different.
    fn lists(&mut self, board: &Board, lists: &BoardDelta) {
        let slug = &board.slug;
        let of_board = |file| PageKey::OfBoard(slug.clone(), file);
        let index_pages = |page: u32| [PageKey::Index(slug.clone(), page), PageKey::IndexJson(slug.clone(), page)];
        self.draw.extend(lists.index.iter().flat_map(|page| index_pages(*page)));
        if lists.index.contains(&1) {
            self.draw.insert(of_board(BoardFile::VichanIndex));
        }
        self.gone.extend(lists.index_gone.clone().into_iter().flatten().flat_map(index_pages));
        if lists.catalog {
            self.draw.insert(PageKey::Catalog(slug.clone()));
            self.draw.extend([BoardFile::Catalog, BoardFile::Threads, BoardFile::Subject].map(of_board));
        }
        if !lists.parts.is_empty() || !lists.parts_gone.is_empty() {
            self.draw.insert(PageKey::Archive(slug.clone()));
            self.draw.insert(of_board(BoardFile::Archive));
        }
        for part in &lists.parts {
            match part_page(board, *part) {
                Some(page) => self.draw.insert(page),
                None => self.gone.insert(PageKey::ArchivePart(slug.clone(), *part)),
            };
        }
        self.gone.extend(lists.parts_gone.iter().map(|part| PageKey::ArchivePart(slug.clone(), *part)));
        self.gone.extend(lists.spans_gone.iter().map(|span| PageKey::SitemapPart(slug.clone(), *span)));
        if lists.spans {
            self.draw.insert(PageKey::OfSite(SiteFile::Sitemap));
            // The first part tells of the board itself; the one behind it may have been the first.
            let first = board.spans().keys().take(2);
            self.draw.extend(first.map(|span| PageKey::SitemapPart(slug.clone(), *span)));
        }
        if board.settings.index_pages == 0 {
            // How many pages such a board has stands there.
            self.draw.insert(PageKey::OfSite(SiteFile::Boards));
        }
    }

    /// Notes the lists of all boards that are different.
    fn overboard(&mut self, site: &Site, delta: &Delta) {
        if delta.boards.is_empty() && delta.drawn.is_empty() {
            return;
        }
        self.draw.insert(PageKey::Home);
        let OverboardDelta { index, index_gone } = &delta.overboard;
        if !index.is_empty() || index_gone.is_some() {
            self.draw.extend(overboard_pages(site, index.iter().copied()).map(PageKey::Overboard));
        }
        let gone = index_gone.clone().into_iter().flatten();
        let gone = gone.flat_map(|page| [OverboardPage::Index(page), OverboardPage::IndexJson(page)]);
        self.gone.extend(gone.map(PageKey::Overboard));
    }
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
        index: Option<IndexPages>,
    },
    /// A page that is drawn from summaries, or from a few threads.
    Page(PageKey),
}

/// Which pages of a thread are to be drawn.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ThreadPages {
    /// That of the whole thread.
    pub whole: bool,
    /// That of its last posts.
    pub tail: bool,
    /// What programs read of it, in the order of [`ThreadFile::ALL`].
    pub files: [bool; ThreadFile::ALL.len()],
}

impl ThreadPages {
    /// The pages of the thread `no`. What programs read comes first, since the page links to it, and other names last.
    pub fn keys(self, board: &BoardSlug, no: PostNo) -> Vec<PageKey> {
        let whole = self.whole.then(|| PageKey::Thread(board.clone(), no));
        let tail = self.tail.then(|| PageKey::Tail(board.clone(), no));
        let files = ThreadFile::ALL.into_iter().filter(|file| self.files[*file as usize]);
        let files = files.map(|file| PageKey::OfThread(board.clone(), no, file));
        let (aliases, files): (Vec<PageKey>, Vec<PageKey>) = files.partition(|file| file.original().is_some());
        files.into_iter().chain(whole).chain(tail).chain(aliases).collect()
    }

    /// Adds a page of a thread.
    fn add(&mut self, page: &PageKey) {
        match page {
            PageKey::Tail(..) => self.tail = true,
            PageKey::OfThread(_, _, file) => self.files[*file as usize] = true,
            _ => self.whole = true,
        }
    }
}

/// Which forms of an index page are to be drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexPages {
    /// Its number, counted from 1.
    pub number: u32,
    /// For readers.
    pub page: bool,
    /// For programs.
    pub json: bool,
    /// For programs, where vichan has the first one.
    pub vichan: bool,
}

impl IndexPages {
    /// The pages of a board, each before what links to it or is another name of it.
    pub fn keys(self, board: &BoardSlug) -> impl Iterator<Item = PageKey> {
        let json = self.json.then(|| PageKey::IndexJson(board.clone(), self.number));
        let vichan = self.vichan.then(|| PageKey::OfBoard(board.clone(), BoardFile::VichanIndex));
        let page = self.page.then(|| PageKey::Index(board.clone(), self.number));
        json.into_iter().chain(vichan).chain(page)
    }

    fn none(number: u32) -> IndexPages {
        IndexPages { number, page: false, json: false, vichan: false }
    }

    /// With nothing but this page; `None` if it is no index page.
    fn one(page: &PageKey) -> Option<IndexPages> {
        Some(match page {
            PageKey::Index(_, number) => IndexPages { page: true, ..IndexPages::none(*number) },
            PageKey::IndexJson(_, number) => IndexPages { json: true, ..IndexPages::none(*number) },
            PageKey::OfBoard(_, BoardFile::VichanIndex) => IndexPages { vichan: true, ..IndexPages::none(1) },
            _ => return None,
        })
    }

    /// What one or the other holds.
    fn or(self, other: IndexPages) -> IndexPages {
        let IndexPages { page, json, vichan, .. } = other;
        IndexPages { page: self.page | page, json: self.json | json, vichan: self.vichan | vichan, ..self }
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
                    let mut pages = ThreadPages::default();
                    pages.add(&key);
                    (key, alone(BTreeMap::from([(no, pages)]), None))
                };
                let pages = threads
                    .iter()
                    .flat_map(|(no, pages)| pages.keys(board, *no).into_iter().map(move |key| page(*no, key)));
                let index = index.iter().flat_map(|index| index.keys(board));
                let index = index.map(|key| (key.clone(), alone(BTreeMap::new(), IndexPages::one(&key))));
                pages.chain(index).collect()
            }
        }
    }
}

/// Puts pages into portions. The order of the portions is that of their pages: threads before what lists them.
pub fn jobs(site: &Site, pages: impl IntoIterator<Item = PageKey>) -> Vec<Job> {
    type Together = (BTreeMap<PostNo, ThreadPages>, Option<IndexPages>);
    let mut together: BTreeMap<(BoardSlug, Portion), Together> = BTreeMap::new();
    let mut single = Vec::new();
    for page in pages {
        match &page {
            PageKey::Thread(board, no) | PageKey::Tail(board, no) | PageKey::OfThread(board, no, _) => {
                let portion = portion(site, board, *no);
                together.entry((board.clone(), portion)).or_default().0.entry(*no).or_default().add(&page);
            }
            _ => match (page.list_of(), IndexPages::one(&page)) {
                (Some(board), Some(pages)) => {
                    let portion = Portion::Index(pages.number);
                    let index = &mut together.entry((board.clone(), portion)).or_default().1;
                    *index = Some(index.map_or(pages, |others| others.or(pages)));
                }
                _ => single.push(Job::Page(page)),
            },
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
