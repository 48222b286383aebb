//! Who names a post, and where it stands if it was moved.

use std::collections::{BTreeMap, BTreeSet};

use super::{Board, Delta, Site};
use crate::model::summary::CrossQuote;
use crate::model::{BoardSlug, PostKey, PostNo, ThreadKey, ThreadSummary};

/// So often a post is followed to another board. Moves in a circle, which only a hand can write, lead nowhere.
pub const MOVES_FOLLOWED: usize = 16;

/// Mostly one thread, or a few: sorted lists take a tenth of the memory that sets would.
pub(super) type Citing = BTreeMap<CrossQuote, Vec<ThreadKey>>;

/// Where a post can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing<'a> {
    /// The board.
    pub board: &'a BoardSlug,
    /// The visible thread.
    pub thread: PostNo,
    /// Its number there.
    pub no: PostNo,
}

/// What may stand elsewhere than before.
#[derive(Default)]
pub(super) struct Moved {
    pub posts: Vec<CrossQuote>,
    /// Boards of which so much changed that all their posts may have moved.
    pub boards: Vec<BoardSlug>,
    /// Threads that lead, or led, to another board.
    pub threads: Vec<ThreadKey>,
}

/// Takes over whom a thread names.
pub(super) fn recite(citing: &mut Citing, key: &ThreadKey, before: &[CrossQuote], after: &[CrossQuote]) {
    for quote in before.iter().filter(|quote| after.binary_search(quote).is_err()) {
        if let Some(threads) = citing.get_mut(quote) {
            threads.retain(|thread| thread != key);
            if threads.is_empty() {
                citing.remove(quote);
            }
        }
    }
    for quote in after.iter().filter(|quote| before.binary_search(quote).is_err()) {
        let threads = citing.entry(quote.clone()).or_insert_with(|| Vec::with_capacity(1));
        if let Err(at) = threads.binary_search(key) {
            threads.insert(at, key.clone());
        }
    }
}

impl Site {
    /// Where the post of this number can be read, on this board or on the one to which it was moved.
    pub fn standing<'a>(&'a self, board: &BoardSlug, no: PostNo) -> Option<Standing<'a>> {
        let (mut board, mut no) = (self.board(board)?, no);
        for _ in 0..=MOVES_FOLLOWED {
            let summary = board.thread(board.thread_of(no)?)?;
            if summary.visible() {
                return Some(Standing { board: &board.slug, thread: summary.no, no });
            }
            let PostKey { board: next, no: there } = summary.moved_to(no)?;
            (board, no) = (self.board(next)?, *there);
        }
        None
    }

    /// Where a thread stands that was moved; `None` if it was not, or cannot be read there.
    pub fn forward<'a>(&'a self, board: &'a Board, no: PostNo) -> Option<Standing<'a>> {
        let summary = board.thread(no).filter(|summary| !summary.moved.is_empty())?;
        self.standing(&board.slug, summary.no)
    }

    /// Whether a thread has a page: it can be read, or was moved to where it can.
    pub fn has_page(&self, board: &Board, summary: &ThreadSummary) -> bool {
        summary.visible() || self.forward(board, summary.no).is_some()
    }

    /// The threads elsewhere whose pages lead to a post of this one.
    pub fn naming(&self, key: &ThreadKey) -> BTreeSet<ThreadKey> {
        let quotes = self.numbers(key).into_iter().map(|no| (key.board.clone(), no));
        self.with_followers(quotes.filter_map(|quote| self.citing.get(&quote)).flatten().cloned().collect())
    }

    /// Those threads, and whoever follows a post through one of them that was moved.
    fn with_followers(&self, mut threads: BTreeSet<ThreadKey>) -> BTreeSet<ThreadKey> {
        let mut to_do: Vec<ThreadKey> = threads.iter().cloned().collect();
        while let Some(key) = to_do.pop() {
            let Some(summary) = self.thread(&key) else { continue };
            let quotes = summary.moved.iter().map(|(no, _)| (key.board.clone(), *no));
            for thread in quotes.filter_map(|quote| self.citing.get(&quote)).flatten() {
                if threads.insert(thread.clone()) {
                    to_do.push(thread.clone());
                }
            }
        }
        threads
    }

    /// Threads elsewhere that name a post which appeared, moved or went are drawn again, and the lists that show them.
    pub(super) fn redraw_citing(&self, moved: &Moved, delta: &mut Delta) {
        let mut citing: BTreeSet<ThreadKey> =
            moved.posts.iter().filter_map(|quote| self.citing.get(quote)).flatten().cloned().collect();
        for board in &moved.boards {
            let all = (board.clone(), PostNo::MIN)..=(board.clone(), PostNo::MAX);
            citing.extend(self.citing.range(all).flat_map(|(_, threads)| threads).cloned());
        }
        for key in moved.threads.iter().filter(|key| self.thread(key).is_none_or(|now| !now.visible())) {
            self.lead_on(key, delta);
        }
        for key in self.with_followers(citing) {
            let Some(board) = self.board(&key.board) else { continue };
            let Some(summary) = board.thread(key.no) else { continue };
            if !summary.visible() {
                self.lead_on(&key, delta);
                continue;
            }
            if !delta.drawn.insert(key.clone()) {
                continue;
            }
            if let Some(position) = board.position(summary) {
                let page = (position / board.settings.threads_per_page) as u32 + 1;
                let lists = delta.boards.entry(key.board.clone()).or_default();
                lists.index.insert(page);
                // As programs read it, the catalog shows what the post says too.
                lists.catalog = true;
            }
        }
    }

    /// A thread that cannot be read here has a page only as long as that leads on.
    fn lead_on(&self, key: &ThreadKey, delta: &mut Delta) {
        let leads = self.board(&key.board).is_some_and(|board| self.forward(board, key.no).is_some());
        let (to, from) = if leads { (&mut delta.drawn, &mut delta.gone) } else { (&mut delta.gone, &mut delta.drawn) };
        from.remove(key);
        to.insert(key.clone());
    }
}
