//! What waits for new pages that could not be put in their place: pages that would link to them. They are tried again
//! together, so that no link leads nowhere.

use std::collections::BTreeSet;

use crate::model::{BoardSlug, PageKey, Site, ThreadKey};

/// The pages that would link to what failed.
#[derive(Default)]
pub struct HeldBack {
    boards: BTreeSet<BoardSlug>,
    pages: BTreeSet<PageKey>,
    everything: bool,
}

impl HeldBack {
    /// What waits for the pages that failed.
    pub fn by(failed: &BTreeSet<PageKey>, site: &Site) -> HeldBack {
        let mut held_back = HeldBack::default();
        for page in failed {
            match page {
                // Every page links to the assets and to the boards.
                PageKey::Asset(_) | PageKey::Index(_, 1) => held_back.everything = true,
                // The whole thread links to its tail, and so do the lists.
                PageKey::Tail(board, no) => {
                    held_back.pages.insert(PageKey::Thread(board.clone(), *no));
                    held_back.boards.insert(board.clone());
                }
                PageKey::Thread(board, no) => {
                    let key = ThreadKey { board: board.clone(), no: *no };
                    site.naming(&key).into_iter().for_each(|naming| held_back.add_thread(naming, site));
                    held_back.boards.insert(board.clone());
                }
                PageKey::ArchivePart(board, _)
                | PageKey::Archive(board)
                | PageKey::Catalog(board)
                | PageKey::Index(board, _) => drop(held_back.boards.insert(board.clone())),
                PageKey::NotFound | PageKey::Home => {}
            }
        }
        held_back
    }

    /// A thread with its tail, and the index page on which its posts are shown too.
    fn add_thread(&mut self, key: ThreadKey, site: &Site) {
        if let Some(page) = site.board(&key.board).and_then(|board| board.page_of(key.no)) {
            self.pages.insert(PageKey::Index(key.board.clone(), page));
        }
        self.pages.insert(PageKey::Tail(key.board.clone(), key.no));
        self.pages.insert(PageKey::Thread(key.board, key.no));
    }

    /// Whether this page waits.
    pub fn has(&self, page: &PageKey) -> bool {
        self.everything
            || self.pages.contains(page)
            || match page {
                PageKey::ArchivePart(board, _)
                | PageKey::Archive(board)
                | PageKey::Catalog(board)
                | PageKey::Index(board, _) => self.boards.contains(board),
                PageKey::Home => !self.boards.is_empty(),
                PageKey::Asset(_) | PageKey::Thread(..) | PageKey::Tail(..) | PageKey::NotFound => false,
            }
    }
}

/// A new thread and its tail link to each other, so neither stays without the other: of the pages that are new, those
/// whose other half has failed. Nothing else links to them yet.
pub fn widowed(are_new: &BTreeSet<PageKey>, failed: &BTreeSet<PageKey>) -> Vec<PageKey> {
    let halves = failed.iter().filter(|page| are_new.contains(page)).filter_map(|page| match page {
        PageKey::Thread(board, no) => Some(PageKey::Tail(board.clone(), *no)),
        PageKey::Tail(board, no) => Some(PageKey::Thread(board.clone(), *no)),
        _ => None,
    });
    halves.filter(|half| are_new.contains(half) && !failed.contains(half)).collect()
}
