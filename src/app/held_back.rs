//! What waits for new pages that could not be put in their place: pages that would link to them. They are tried again
//! together, so that no link leads nowhere.

use std::collections::BTreeSet;

use crate::model::{BoardFile, BoardSlug, PageKey, Site, ThreadFile, ThreadKey};

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
                // Every page links to the assets, to the boards and to the log.
                PageKey::Asset(_) | PageKey::Log | PageKey::Index(_, 1) => held_back.everything = true,
                // The whole thread links to its tail and to what programs read of it, and so do the lists.
                PageKey::Tail(board, no) | PageKey::OfThread(board, no, _) => {
                    held_back.pages.insert(PageKey::Thread(board.clone(), *no));
                    held_back.boards.insert(board.clone());
                }
                PageKey::Thread(board, no) => {
                    let key = ThreadKey { board: board.clone(), no: *no };
                    site.naming(&key).into_iter().for_each(|naming| held_back.add_thread(naming, site));
                    held_back.boards.insert(board.clone());
                }
                page => held_back.boards.extend(page.list_of().cloned()),
            }
        }
        held_back
    }

    /// A thread with all that it is written as, and the index page on which its posts are shown too.
    fn add_thread(&mut self, key: ThreadKey, site: &Site) {
        if let Some(page) = site.board(&key.board).and_then(|board| board.page_of(key.no)) {
            self.pages.insert(PageKey::Index(key.board.clone(), page));
            self.pages.insert(PageKey::IndexJson(key.board.clone(), page));
        }
        // They show what its posts say.
        let files = [BoardFile::Catalog, BoardFile::Feed];
        self.pages.extend(files.map(|file| PageKey::OfBoard(key.board.clone(), file)));
        self.pages.extend(ThreadFile::ALL.map(|file| PageKey::OfThread(key.board.clone(), key.no, file)));
        self.pages.insert(PageKey::Tail(key.board.clone(), key.no));
        self.pages.insert(PageKey::Thread(key.board, key.no));
    }

    /// Whether this page waits.
    pub fn has(&self, page: &PageKey) -> bool {
        self.everything
            || self.pages.contains(page)
            || page.list_of().is_some_and(|board| self.boards.contains(board))
            || page.is_list_of_all() && !(self.boards.is_empty() && self.pages.is_empty())
    }
}

/// Whether a new page lists threads of a board that was there before. It links to new threads, so it comes after these. A
/// board that is new itself has no list yet that could wait.
pub fn is_new_list(page: &PageKey, are_new: &BTreeSet<PageKey>) -> bool {
    page.list_of().is_some_and(|board| is_settled(board, are_new))
}

/// Whether the board was there before.
fn is_settled(board: &BoardSlug, are_new: &BTreeSet<PageKey>) -> bool {
    !are_new.contains(&PageKey::Index(board.clone(), 1))
}

/// Of the pages that are new, those that must go again because they link to new ones that have failed, or to others
/// that must go. New pages may link to each other in a circle, so none of them can be the first.
///
/// On a board that is new itself the lists link to all threads, whatever fails; there it is better to have the others.
/// Only the pages of one thread, which are parts of a whole, never stay without each other.
pub fn cut_off(are_new: &BTreeSet<PageKey>, failed: &BTreeSet<PageKey>, site: &Site) -> BTreeSet<PageKey> {
    let mut lost: BTreeSet<PageKey> = failed.intersection(are_new).cloned().collect();
    let mut latest = lost.clone();
    while !latest.is_empty() {
        let waiting = HeldBack { everything: false, ..HeldBack::by(&latest, site) };
        let torn: BTreeSet<ThreadKey> = latest.iter().filter_map(PageKey::thread).collect();
        let is_half = |page: &PageKey| page.thread().is_some_and(|thread| torn.contains(&thread));
        let links = |page: &PageKey| match page.thread() {
            Some(thread) => waiting.has(page) && is_settled(&thread.board, are_new),
            None => is_new_list(page, are_new) && waiting.has(page),
        };
        let goes = |page: &&PageKey| !lost.contains(page) && (is_half(page) || links(page));
        let next: BTreeSet<PageKey> = are_new.iter().filter(goes).cloned().collect();
        lost.extend(next.iter().cloned());
        latest = next;
    }
    lost.retain(|page| !failed.contains(page));
    lost
}
