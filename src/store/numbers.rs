//! The highest number that each board has ever used, so that none returns after the newest thread was deleted.
//!
//! Content alone tells it almost always. A file a board in the private folder remembers it across the deletion of the
//! newest posts by hand. It is written in place and not synced: a crash of the process cannot hurt twenty bytes in
//! one page, and a power cut costs no more than what content still tells.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::disk::{self, DiskError};
use crate::model::{Board, BoardSlug, PostNo, Site};

/// The highest numbers, by board.
pub struct Numbers {
    folder: PathBuf,
    highest: BTreeMap<BoardSlug, Highest>,
}

/// The highest number of a board.
#[derive(Default)]
pub struct Highest {
    no: u64,
    saved: u64,
    file: Option<File>,
}

impl Numbers {
    /// Opens the folder in which the numbers are remembered, which is made if it is missing.
    pub fn open(folder: PathBuf) -> Result<Numbers, DiskError> {
        disk::create_private_dir(&folder)?;
        Ok(Numbers { folder, highest: BTreeMap::new() })
    }

    /// Takes into account what the site's content shows.
    pub fn learn(&mut self, site: &Site) {
        site.boards().for_each(|board| self.learn_board(board));
    }

    /// Takes into account what a board's content shows.
    pub fn learn_board(&mut self, board: &Board) {
        let slug = board.slug.clone();
        let highest = self.recall(&slug);
        highest.no = highest.no.max(board.last_no().map_or(0, PostNo::get));
        self.save(&slug);
    }

    /// Takes into account what is remembered of a board, be it there or not.
    pub fn recall(&mut self, board: &BoardSlug) -> &mut Highest {
        self.highest.entry(board.clone()).or_insert_with(|| Highest::remembered(&self.folder, board))
    }

    /// The next free number; `None` if the board has used all.
    pub fn next(&self, board: &BoardSlug) -> Option<PostNo> {
        PostNo::new(self.highest.get(board).map_or(0, |highest| highest.no) + 1)
    }

    /// Notes that `no` and all below it are used.
    pub fn used(&mut self, board: &BoardSlug, no: PostNo) {
        let highest = self.highest.entry(board.clone()).or_default();
        highest.no = highest.no.max(no.get());
    }

    /// Remembers a board's highest number beyond this process. Failing to is no harm while the content is there.
    pub fn save(&mut self, board: &BoardSlug) {
        let Some(highest) = self.highest.get_mut(board).filter(|highest| highest.saved < highest.no) else { return };
        disk::point("before numbers file");
        if let Err(error) = highest.save(&self.folder, board) {
            tracing::warn!(board = board.as_str(), %error, "cannot remember the highest number");
        }
        disk::point("after numbers file");
    }
}

impl Highest {
    fn remembered(folder: &Path, board: &BoardSlug) -> Highest {
        let no = std::fs::read_to_string(folder.join(board.as_str())).ok().and_then(|text| text.trim().parse().ok());
        let no = no.filter(|no| *no <= PostNo::MAX.get()).unwrap_or(0);
        Highest { no, saved: no, file: None }
    }

    fn save(&mut self, folder: &Path, board: &BoardSlug) -> std::io::Result<()> {
        let path = folder.join(board.as_str());
        if self.file.is_none() {
            self.file = Some(OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?);
        }
        let file = self.file.as_mut().expect("it was opened above");
        file.seek(SeekFrom::Start(0))?;
        file.write_all(format!("{:020}\n", self.no).as_bytes())?;
        self.saved = self.no;
        Ok(())
    }
}
