//! A page of the site and its path under `public/`.

use super::formats::Format;
use super::{BoardSlug, PostNo, ThreadKey};

/// Stands behind the number in the name of a thread's tail.
const TAIL: &str = "-tail";

/// What page it is. The order is the order in which pages are listed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PageKey {
    /// A file of the theme, by its whole path such as `assets/style.1f00.css`.
    Asset(String),
    /// A thread.
    Thread(BoardSlug, PostNo),
    /// The last posts of a long thread.
    Tail(BoardSlug, PostNo),
    /// A thread, for programs.
    OfThread(BoardSlug, PostNo, ThreadFile),
    /// A part of a board's archive, by the first number it can hold.
    ArchivePart(BoardSlug, u64),
    /// The newest part of a board's archive, with the list of the others.
    Archive(BoardSlug),
    /// A board's catalog.
    Catalog(BoardSlug),
    /// An index page of a board, counted from 1.
    Index(BoardSlug, u32),
    /// The same, for programs.
    IndexJson(BoardSlug, u32),
    /// A list of a board's threads, for programs.
    OfBoard(BoardSlug, BoardFile),
    /// The threads of a board for search engines, by the first number that this part can hold.
    SitemapPart(BoardSlug, u64),
    /// A page of the threads of all boards.
    Overboard(OverboardPage),
    /// What staff did.
    Log,
    /// What is shown where there is nothing.
    NotFound,
    /// What programs read of the whole site.
    OfSite(SiteFile),
    /// The front page.
    Home,
}

/// What a thread is written as beside its pages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ThreadFile {
    /// All posts, as the API of 4chan has them.
    Json,
    /// The last posts of a long thread, likewise.
    TailJson,
    /// The newest posts, as Atom.
    Feed,
    /// All posts, as 2ch has them.
    Dat,
    /// The page, where vichan has it.
    VichanPage,
    /// The posts as the API of 4chan has them, where vichan has them.
    VichanJson,
}

/// What a board is written as beside its pages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BoardFile {
    /// All threads of the index with their opening posts, as the API of 4chan has them.
    Catalog,
    /// All threads of the index with nothing but what tells whether they changed.
    Threads,
    /// The numbers of archived threads.
    Archive,
    /// The newest posts, as Atom.
    Feed,
    /// The threads, as 2ch lists them.
    Subject,
    /// The board's settings, as 2ch has them.
    Setting,
    /// The first index page for programs, where vichan has it.
    VichanIndex,
}

/// What the whole site is written as beside its pages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SiteFile {
    /// The boards, as the API of 4chan has them.
    Boards,
    /// The newest posts of all boards, as Atom.
    Feed,
    /// The boards, as 2ch lists them.
    BbsMenu,
    /// The list of the parts of the map for search engines.
    Sitemap,
    /// What search engines may do.
    Robots,
}

/// A page of the threads of all boards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OverboardPage {
    /// An index page, counted from 1.
    Index(u32),
    /// The same, for programs.
    IndexJson(u32),
    /// All threads of the index with their opening posts.
    Catalog,
    /// All threads of the index with nothing but what tells whether they changed.
    Threads,
}

impl ThreadFile {
    /// All of them.
    pub const ALL: [ThreadFile; 6] = [
        ThreadFile::Json,
        ThreadFile::TailJson,
        ThreadFile::Feed,
        ThreadFile::Dat,
        ThreadFile::VichanPage,
        ThreadFile::VichanJson,
    ];

    /// The format to which it belongs.
    pub fn format(self) -> Format {
        match self {
            ThreadFile::Json | ThreadFile::TailJson => Format::Json,
            ThreadFile::Feed => Format::Feeds,
            ThreadFile::Dat => Format::TwoChannel,
            ThreadFile::VichanPage | ThreadFile::VichanJson => Format::Vichan,
        }
    }
}

impl BoardFile {
    /// All of them.
    pub const ALL: [BoardFile; 7] = [
        BoardFile::Catalog,
        BoardFile::Threads,
        BoardFile::Archive,
        BoardFile::Feed,
        BoardFile::Subject,
        BoardFile::Setting,
        BoardFile::VichanIndex,
    ];

    /// The format to which it belongs.
    pub fn format(self) -> Format {
        match self {
            BoardFile::Catalog | BoardFile::Threads | BoardFile::Archive => Format::Json,
            BoardFile::Feed => Format::Feeds,
            BoardFile::Subject | BoardFile::Setting => Format::TwoChannel,
            BoardFile::VichanIndex => Format::Vichan,
        }
    }

    /// The name in the board's folder.
    fn name(self) -> &'static str {
        match self {
            BoardFile::Catalog => "catalog.json",
            BoardFile::Threads => "threads.json",
            BoardFile::Archive => "archive.json",
            BoardFile::Feed => "feed.xml",
            BoardFile::Subject => "subject.txt",
            BoardFile::Setting => "SETTING.TXT",
            BoardFile::VichanIndex => "0.json",
        }
    }
}

impl SiteFile {
    /// All of them.
    pub const ALL: [SiteFile; 5] =
        [SiteFile::Boards, SiteFile::Feed, SiteFile::BbsMenu, SiteFile::Sitemap, SiteFile::Robots];

    /// The name in `public/`.
    fn name(self) -> &'static str {
        match self {
            SiteFile::Boards => "boards.json",
            SiteFile::Feed => "feed.xml",
            SiteFile::BbsMenu => "bbsmenu.html",
            SiteFile::Sitemap => "sitemap.xml",
            SiteFile::Robots => "robots.txt",
        }
    }
}

/// The name of the overboard in URLs. No board can have it.
pub const OVERBOARD: &str = "all";

impl OverboardPage {
    /// The name in the overboard's folder.
    fn name(self) -> String {
        match self {
            OverboardPage::Index(1) => "index.html".to_owned(),
            OverboardPage::Index(page) => format!("{page}.html"),
            OverboardPage::IndexJson(page) => format!("{page}.json"),
            OverboardPage::Catalog => "catalog.json".to_owned(),
            OverboardPage::Threads => "threads.json".to_owned(),
        }
    }

    /// The page that has this name. The inverse of [`OverboardPage::name`].
    fn of_name(name: &str) -> Option<OverboardPage> {
        match name {
            "index.html" => return Some(OverboardPage::Index(1)),
            "catalog.json" => return Some(OverboardPage::Catalog),
            "threads.json" => return Some(OverboardPage::Threads),
            _ => {}
        }
        match name.rsplit_once('.')? {
            (page, "html") => Some(OverboardPage::Index(page_number(page).filter(|page| 1 < *page)?)),
            (page, "json") => Some(OverboardPage::IndexJson(page_number(page)?)),
            _ => None,
        }
    }
}

/// The number of an index page.
fn page_number(text: &str) -> Option<u32> {
    u32::try_from(PostNo::parse(text)?.get()).ok()
}

impl PageKey {
    /// The thread whose posts it shows, if it is a page of one thread.
    pub fn thread(&self) -> Option<ThreadKey> {
        match self {
            PageKey::Thread(board, no) | PageKey::Tail(board, no) | PageKey::OfThread(board, no, _) => {
                Some(ThreadKey { board: board.clone(), no: *no })
            }
            _ => None,
        }
    }

    /// Whether programs read it, and not people.
    pub fn is_for_programs(&self) -> bool {
        matches!(
            self,
            PageKey::OfThread(..)
                | PageKey::IndexJson(..)
                | PageKey::OfBoard(..)
                | PageKey::SitemapPart(..)
                | PageKey::OfSite(_)
                | PageKey::Overboard(OverboardPage::IndexJson(_) | OverboardPage::Catalog | OverboardPage::Threads)
        )
    }

    /// The page of which this one is only another name.
    pub fn original(&self) -> Option<PageKey> {
        Some(match self {
            PageKey::OfThread(board, no, ThreadFile::VichanPage) => PageKey::Thread(board.clone(), *no),
            PageKey::OfThread(board, no, ThreadFile::VichanJson) => {
                PageKey::OfThread(board.clone(), *no, ThreadFile::Json)
            }
            PageKey::OfBoard(board, BoardFile::VichanIndex) => PageKey::IndexJson(board.clone(), 1),
            _ => return None,
        })
    }

    /// The board of whose threads it is a list, if it is one.
    pub fn list_of(&self) -> Option<&BoardSlug> {
        match self {
            PageKey::ArchivePart(board, _)
            | PageKey::Archive(board)
            | PageKey::Catalog(board)
            | PageKey::Index(board, _)
            | PageKey::IndexJson(board, _)
            | PageKey::OfBoard(board, _)
            | PageKey::SitemapPart(board, _) => Some(board),
            _ => None,
        }
    }

    /// Whether it is a list of threads of all boards.
    pub fn is_list_of_all(&self) -> bool {
        matches!(self, PageKey::Home | PageKey::Overboard(_) | PageKey::OfSite(_))
    }

    /// The path under `public/`, with `/` between its segments.
    pub fn path(&self) -> String {
        match self {
            PageKey::Asset(path) => path.clone(),
            // Most pages are threads, and this is quicker than to format.
            PageKey::Thread(board, no) => [board.as_str(), "/thread/", &no.get().to_string(), ".html"].concat(),
            PageKey::Tail(board, no) => [board.as_str(), "/thread/", &no.get().to_string(), TAIL, ".html"].concat(),
            PageKey::OfThread(board, no, file) => {
                let (folder, ending) = match file {
                    ThreadFile::Json => ("/thread/", ".json"),
                    ThreadFile::TailJson => ("/thread/", "-tail.json"),
                    ThreadFile::Feed => ("/thread/", ".xml"),
                    ThreadFile::Dat => ("/dat/", ".dat"),
                    ThreadFile::VichanPage => ("/res/", ".html"),
                    ThreadFile::VichanJson => ("/res/", ".json"),
                };
                [board.as_str(), folder, &no.get().to_string(), ending].concat()
            }
            PageKey::ArchivePart(board, from) => format!("{board}/archive-{from}.html"),
            PageKey::Archive(board) => format!("{board}/archive.html"),
            PageKey::Catalog(board) => format!("{board}/catalog.html"),
            PageKey::Index(board, 1) => format!("{board}/index.html"),
            PageKey::Index(board, page) => format!("{board}/{page}.html"),
            PageKey::IndexJson(board, page) => format!("{board}/{page}.json"),
            PageKey::OfBoard(board, file) => [board.as_str(), "/", file.name()].concat(),
            PageKey::SitemapPart(board, from) => format!("{board}/sitemap-{from}.xml"),
            PageKey::Overboard(page) => format!("{OVERBOARD}/{}", page.name()),
            PageKey::Log => "log.html".to_owned(),
            PageKey::NotFound => "404.html".to_owned(),
            PageKey::OfSite(file) => file.name().to_owned(),
            PageKey::Home => "index.html".to_owned(),
        }
    }

    /// The page that would have this path. The inverse of [`PageKey::path`].
    pub fn of_path(path: &str) -> Option<PageKey> {
        match path {
            "index.html" => return Some(PageKey::Home),
            "log.html" => return Some(PageKey::Log),
            "404.html" => return Some(PageKey::NotFound),
            _ if path.starts_with("assets/") => return Some(PageKey::Asset(path.to_owned())),
            _ => {}
        }
        let Some((board, rest)) = path.split_once('/') else {
            return SiteFile::ALL.into_iter().find(|file| file.name() == path).map(PageKey::OfSite);
        };
        if board == OVERBOARD {
            return OverboardPage::of_name(rest).map(PageKey::Overboard);
        }
        let board = BoardSlug::parse(board).ok()?;
        if let Some(file) = BoardFile::ALL.into_iter().find(|file| file.name() == rest) {
            return Some(PageKey::OfBoard(board, file));
        }
        match rest.rsplit_once('.')? {
            (stem, "html") => PageKey::of_stem(board, stem),
            (stem, ending) => PageKey::for_programs(board, stem, ending),
        }
    }

    /// The page of a board that has this name without its `.html`.
    fn of_stem(board: BoardSlug, stem: &str) -> Option<PageKey> {
        match stem {
            "index" => return Some(PageKey::Index(board, 1)),
            "catalog" => return Some(PageKey::Catalog(board)),
            "archive" => return Some(PageKey::Archive(board)),
            _ => {}
        }
        if let Some(no) = stem.strip_prefix("thread/") {
            return Some(match no.strip_suffix(TAIL) {
                Some(no) => PageKey::Tail(board, PostNo::parse(no)?),
                None => PageKey::Thread(board, PostNo::parse(no)?),
            });
        }
        if let Some(no) = stem.strip_prefix("res/") {
            return Some(PageKey::OfThread(board, PostNo::parse(no)?, ThreadFile::VichanPage));
        }
        if let Some(from) = stem.strip_prefix("archive-") {
            return Some(PageKey::ArchivePart(board, PostNo::parse(from)?.get()));
        }
        Some(PageKey::Index(board, page_number(stem).filter(|page| 1 < *page)?))
    }

    /// The file of a board that programs read, by its name without and with what stands behind the dot.
    fn for_programs(board: BoardSlug, stem: &str, ending: &str) -> Option<PageKey> {
        let of_thread = |no: &str, file| Some(PageKey::OfThread(board.clone(), PostNo::parse(no)?, file));
        match (stem.split_once('/'), ending) {
            (Some(("thread", no)), "json") => match no.strip_suffix(TAIL) {
                Some(no) => of_thread(no, ThreadFile::TailJson),
                None => of_thread(no, ThreadFile::Json),
            },
            (Some(("thread", no)), "xml") => of_thread(no, ThreadFile::Feed),
            (Some(("dat", no)), "dat") => of_thread(no, ThreadFile::Dat),
            (Some(("res", no)), "json") => of_thread(no, ThreadFile::VichanJson),
            (None, "json") => Some(PageKey::IndexJson(board, page_number(stem)?)),
            (None, "xml") => Some(PageKey::SitemapPart(board, PostNo::parse(stem.strip_prefix("sitemap-")?)?.get())),
            _ => None,
        }
    }

    /// The path as links have it. A folder's page is named in full, so that a bare bucket can serve it.
    pub fn href(&self, prefix: &str) -> String {
        [prefix, &self.path()].concat()
    }
}

/// A page, drawn, in memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Page {
    /// Which one.
    pub key: PageKey,
    /// Its bytes.
    pub bytes: Vec<u8>,
}
