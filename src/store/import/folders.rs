//! Which board a file belongs to, by the folders in which it stands.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::html::to_text;
use super::tags::{Token, Tokens};
use crate::model::{BoardSlug, board::BadSlug};

/// The folder of a board in a saved tree, such as `po` of `archive/po/res/12.html`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct BoardFolder {
    /// Its path.
    pub path: PathBuf,
    /// Its name, which was the board's.
    pub name: String,
}

impl BoardFolder {
    /// The folder above the last of the folders `markers` in which threads stand; `None` if there is none.
    pub fn of(path: &Path, markers: &[&str]) -> Option<BoardFolder> {
        let whole = std::path::absolute(path).ok()?;
        let is_marker = |folder: &&Path| {
            let name = folder.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| markers.contains(&name))
        };
        let mut folders = whole.ancestors().skip(1);
        folders.find(is_marker)?;
        // Old threads of 2ch stand in folders of folders.
        let board = folders.find(|folder| !is_marker(folder))?;
        let name = board.file_name()?.to_str()?.to_owned();
        Some(BoardFolder { path: board.to_owned(), name })
    }

    /// The board here that has this name.
    pub fn slug(&self) -> Result<BoardSlug, BadSlug> {
        BoardSlug::parse(&self.name)
    }
}

/// Pages are looked at for the name of their board up to here.
const HEAD_BYTES_MAX: u64 = 64 << 10;

/// The name for people of a board whose index page was saved, such as `Papercraft & Origami` of `/po/ - Papercraft &
/// Origami`.
pub(super) fn title_of(folder: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let index = File::open(folder.join("index.html")).ok()?;
    index.take(HEAD_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    title_in(&String::from_utf8_lossy(&bytes))
}

/// The name of its board for people that a page of vichan or 4chan tells.
pub(super) fn title_in(page: &str) -> Option<String> {
    let mut tokens = Tokens::new(page);
    while let Some(token) = tokens.next() {
        let Token::Open(name, attributes) = token else { continue };
        if name != "h1" && !attributes.has_class("boardTitle") {
            continue;
        }
        let from = tokens.at();
        let end = memchr::memmem::find(&page.as_bytes()[from..], format!("</{name}").as_bytes())?;
        let heading = to_text(&page[from..from + end]);
        let (_, title) = heading.trim().strip_prefix('/')?.split_once("/ - ")?;
        let title = title.trim();
        return (!title.is_empty()).then(|| title.to_owned());
    }
    None
}
