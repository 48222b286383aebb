//! A page of the site and its path under `public/`.

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
    /// A part of a board's archive, by the first number it can hold.
    ArchivePart(BoardSlug, u64),
    /// The newest part of a board's archive, with the list of the others.
    Archive(BoardSlug),
    /// A board's catalog.
    Catalog(BoardSlug),
    /// An index page of a board, counted from 1.
    Index(BoardSlug, u32),
    /// What staff did.
    Log,
    /// What is shown where there is nothing.
    NotFound,
    /// The front page.
    Home,
}

impl PageKey {
    /// The thread whose posts it shows, if it is a page of one thread.
    pub fn thread(&self) -> Option<ThreadKey> {
        match self {
            PageKey::Thread(board, no) | PageKey::Tail(board, no) => Some(ThreadKey { board: board.clone(), no: *no }),
            _ => None,
        }
    }

    /// The path under `public/`, with `/` between its segments.
    pub fn path(&self) -> String {
        match self {
            PageKey::Asset(path) => path.clone(),
            // Most pages are threads, and this is quicker than to format.
            PageKey::Thread(board, no) => [board.as_str(), "/thread/", &no.get().to_string(), ".html"].concat(),
            PageKey::Tail(board, no) => [board.as_str(), "/thread/", &no.get().to_string(), TAIL, ".html"].concat(),
            PageKey::ArchivePart(board, from) => format!("{board}/archive-{from}.html"),
            PageKey::Archive(board) => format!("{board}/archive.html"),
            PageKey::Catalog(board) => format!("{board}/catalog.html"),
            PageKey::Index(board, 1) => format!("{board}/index.html"),
            PageKey::Index(board, page) => format!("{board}/{page}.html"),
            PageKey::Log => "log.html".to_owned(),
            PageKey::NotFound => "404.html".to_owned(),
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
        let (board, rest) = path.split_once('/')?;
        let board = BoardSlug::parse(board).ok()?;
        let stem = rest.strip_suffix(".html")?;
        match stem {
            "index" => Some(PageKey::Index(board, 1)),
            "catalog" => Some(PageKey::Catalog(board)),
            "archive" => Some(PageKey::Archive(board)),
            _ => {
                if let Some(no) = stem.strip_prefix("thread/") {
                    return Some(match no.strip_suffix(TAIL) {
                        Some(no) => PageKey::Tail(board, PostNo::parse(no)?),
                        None => PageKey::Thread(board, PostNo::parse(no)?),
                    });
                }
                if let Some(from) = stem.strip_prefix("archive-") {
                    return Some(PageKey::ArchivePart(board, PostNo::parse(from)?.get()));
                }
                let page = u32::try_from(PostNo::parse(stem)?.get()).ok().filter(|page| 1 < *page)?;
                Some(PageKey::Index(board, page))
            }
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
