//! The whole site in memory: every thread's summary, where each post stands, and who names whom. No posts.
//!
//! [`Site::apply`] takes what changed in thread files and tells, as a [`Delta`], what that means for lists, order and
//! quotes. A clean build is the same step from an empty site.

mod following;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use following::{Citing, Moved, recite};
pub use following::{MOVES_FOLLOWED, Standing};

use super::delta::{BoardDelta, Change, Delta};
use super::order::Order;
use super::overboard::{self, Overboard};
use super::places::{Places, Taking};
use super::public_act::LoggedAct;
use super::settings::BoardInfo;
use super::summary::CrossQuote;
use super::{BoardSettings, BoardSlug, PostNo, SiteSettings, Stamp, ThreadKey, ThreadSummary};

/// Numbers that one part of a board's archive covers. A part can hold no more threads than that, and a new thread
/// never moves another one to a different part.
pub const ARCHIVE_SPAN: u64 = 5_000;

/// More changes than this on one board are merged by sorting anew instead of one by one.
const BULK: usize = 64;

/// So many new posts are merged one by one in any case, if there is nothing but new posts.
const ADDED_SINGLY: usize = 4_096;

/// All boards and what is known of their threads.
#[derive(Clone, Debug)]
pub struct Site {
    /// The site's settings.
    pub settings: Arc<SiteSettings>,
    /// What everybody may know of what staff did, the newest first; empty if nothing.
    pub log: Arc<Vec<LoggedAct>>,
    boards: BTreeMap<BoardSlug, Board>,
    /// For each post that is named from another thread, the threads that do so. The post need not exist.
    citing: Citing,
    overboard: Overboard,
}

/// One board.
#[derive(Clone, Debug)]
pub struct Board {
    /// Its name.
    pub slug: BoardSlug,
    /// Its settings.
    pub settings: Arc<BoardSettings>,
    threads: BTreeMap<PostNo, ThreadSummary>,
    /// Visible threads that are not archived by flag.
    order: Order,
    places: Places,
    op_ids: HashMap<u64, PostNo>,
    /// For each part of the archive that holds a thread, how many.
    parts: BTreeMap<u64, usize>,
    /// For each span of so many numbers that holds a visible thread, how many.
    spans: BTreeMap<u64, usize>,
    posts_visible: usize,
    threads_visible: usize,
}

impl Site {
    /// A site with these boards and no thread.
    pub fn new(settings: Arc<SiteSettings>, boards: Vec<BoardInfo>) -> Site {
        let boards = boards.into_iter().map(|info| (info.slug.clone(), Board::new(info))).collect();
        let overboard = Overboard::default();
        Site { settings, log: Arc::default(), boards, citing: BTreeMap::new(), overboard }
    }

    /// The boards by name.
    pub fn boards(&self) -> impl Iterator<Item = &Board> {
        self.boards.values()
    }

    /// A board.
    pub fn board(&self, slug: &BoardSlug) -> Option<&Board> {
        self.boards.get(slug)
    }

    /// A thread.
    pub fn thread(&self, key: &ThreadKey) -> Option<&ThreadSummary> {
        self.boards.get(&key.board)?.threads.get(&key.no)
    }

    /// Takes over what is remembered of a board that has no threads yet: all its threads, and where its posts stand.
    /// Nothing is said of pages. Boards that the site does not have are passed over.
    pub fn restore(&mut self, slug: &BoardSlug, threads: BTreeMap<PostNo, ThreadSummary>, places: Places) {
        let Some(board) = self.boards.get_mut(slug).filter(|board| board.threads.is_empty()) else { return };
        for summary in threads.values() {
            let key = ThreadKey { board: slug.clone(), no: summary.no };
            recite(&mut self.citing, &key, &[], &summary.cross);
        }
        board.restore(threads, places);
        self.overboard.forget();
    }

    /// The threads of all boards that were bumped last, the latest first; none if there is only one board.
    pub fn overboard(&self) -> &[ThreadKey] {
        self.overboard.threads(&self.settings, &self.boards)
    }

    /// Whether there are pages of all boards.
    pub fn has_overboard(&self) -> bool {
        0 < self.settings.overboard_threads && 1 < self.boards.len()
    }

    /// How many index pages of all boards there are.
    pub fn overboard_pages(&self) -> u32 {
        match self.has_overboard() {
            true => pages_for(self.overboard().len(), self.settings.defaults.threads_per_page),
            false => 0,
        }
    }

    /// The numbers of a thread's posts.
    fn numbers(&self, key: &ThreadKey) -> Vec<PostNo> {
        let board = self.boards.get(&key.board);
        let found = board.and_then(|board| Some(board.places.of(board.threads.get(&key.no)?)));
        found.unwrap_or_default()
    }

    /// Notes that a thread's file was written anew with the same bytes.
    pub fn restamp(&mut self, key: &ThreadKey, stamp: Stamp) {
        let board = self.boards.get_mut(&key.board);
        if let Some(summary) = board.and_then(|board| board.threads.get_mut(&key.no)) {
            summary.stamp = stamp;
        }
    }

    /// Takes over what changed, and tells what that means.
    ///
    /// Changes of boards that the site does not have are passed over.
    pub fn apply(&mut self, changes: Vec<Change>) -> Delta {
        let mut by_board: BTreeMap<BoardSlug, Vec<Change>> = BTreeMap::new();
        for change in changes {
            by_board.entry(change.key.board.clone()).or_default().push(change);
        }
        let mut delta = Delta::default();
        let mut moved = Moved::default();
        let overboard_before = self.overboard().to_vec();
        for (slug, changes) in by_board {
            let Some(board) = self.boards.get_mut(&slug) else { continue };
            let citing = &mut self.citing;
            let lists = board.apply(changes, &mut delta, &mut moved, |key, before, after| {
                recite(citing, key, before, after);
            });
            delta.boards.insert(slug, lists);
        }
        self.redraw_citing(&moved, &mut delta);
        self.overboard.forget();
        if self.has_overboard() {
            let per_page = self.settings.defaults.threads_per_page;
            delta.overboard = overboard::delta(&overboard_before, self.overboard(), &delta.drawn, per_page);
        }
        delta
    }
}

impl Board {
    fn new(info: BoardInfo) -> Board {
        Board {
            slug: info.slug,
            settings: info.settings,
            threads: BTreeMap::new(),
            order: Order::default(),
            places: Places::default(),
            op_ids: HashMap::new(),
            parts: BTreeMap::new(),
            spans: BTreeMap::new(),
            posts_visible: 0,
            threads_visible: 0,
        }
    }

    fn restore(&mut self, threads: BTreeMap<PostNo, ThreadSummary>, places: Places) {
        self.places = places;
        for summary in threads.values() {
            self.count(summary);
            if summary.visible() && !summary.flags.archived {
                self.order.push(summary);
            }
        }
        self.threads = threads;
        self.order.sort();
        let mut parts = BTreeMap::new();
        for summary in self.threads.values().filter(|summary| self.archived(summary)) {
            *parts.entry(part_of(summary.no)).or_default() += 1;
        }
        self.parts = parts;
    }

    /// The board's name for people.
    pub fn title(&self) -> &str {
        match self.settings.title.as_str() {
            "" => self.slug.as_str(),
            title => title,
        }
    }

    /// What [`Site::restore`] needs to know of the board later on.
    pub fn remembered(&self) -> (&BTreeMap<PostNo, ThreadSummary>, &Places) {
        (&self.threads, &self.places)
    }

    /// All threads by number, those of tombstones alone included.
    pub fn threads(&self) -> impl DoubleEndedIterator<Item = &ThreadSummary> {
        self.threads.values()
    }

    /// The visible threads, the newest first.
    pub fn newest(&self) -> impl Iterator<Item = &ThreadSummary> {
        self.threads.values().rev().filter(|summary| summary.visible())
    }

    /// The visible thread of this number.
    pub fn visible(&self, no: PostNo) -> Option<&ThreadSummary> {
        self.threads.get(&no).filter(|summary| summary.visible())
    }

    /// A thread of this number, visible or not.
    pub fn thread(&self, no: PostNo) -> Option<&ThreadSummary> {
        self.threads.get(&no)
    }

    /// The thread in whose file the post stands, visible or not.
    pub fn thread_of(&self, no: PostNo) -> Option<PostNo> {
        self.places.thread_of(no)
    }

    /// The thread whose opening post has an id with this hash.
    pub fn thread_by_op_id(&self, hash: u64) -> Option<PostNo> {
        self.op_ids.get(&hash).copied()
    }

    /// Numbers that two threads claim: the number, the thread that has it, and the other one.
    pub fn collisions(&self) -> impl Iterator<Item = (PostNo, PostNo, PostNo)> {
        let pairs = self.places.0.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        pairs.map(|pair| (pair[0].0, pair[0].1, pair[1].1))
    }

    /// The highest number that stands in any thread file of the board.
    pub fn last_no(&self) -> Option<PostNo> {
        self.places.0.last().map(|place| place.0)
    }

    /// Threads that can be read.
    pub fn threads_visible(&self) -> usize {
        self.threads_visible
    }

    /// Posts that can be read.
    pub fn posts_visible(&self) -> usize {
        self.posts_visible
    }

    /// How many threads stand on the index.
    fn window(&self) -> usize {
        self.order.len().min(self.settings.window())
    }

    /// How many index pages there are; an empty board has one.
    pub fn index_pages(&self) -> u32 {
        pages_for(self.window(), self.settings.threads_per_page)
    }

    /// The threads of an index page, counted from 1, in order.
    pub fn index_page(&self, page: u32) -> Vec<&ThreadSummary> {
        let from = (page as usize - 1) * self.settings.threads_per_page;
        self.listed().skip(from).take(self.settings.threads_per_page).collect()
    }

    fn listed_numbers(&self) -> impl Iterator<Item = PostNo> {
        self.order.top_down().take(self.window())
    }

    /// All threads of the index, in order.
    pub fn listed(&self) -> impl Iterator<Item = &ThreadSummary> {
        self.listed_numbers().map(|no| &self.threads[&no])
    }

    /// At most so many of the threads for which the index has no room, the one that was bumped longest ago first.
    pub fn overflowing(&self, most: usize) -> impl Iterator<Item = &ThreadSummary> {
        let over = self.order.len().saturating_sub(self.settings.window());
        self.order.bottom_up().take(over.min(most)).map(|no| &self.threads[&no])
    }

    /// Threads by their last bump, whether sticky or not; archived ones do not count.
    pub fn latest(&self, most: usize) -> Vec<&ThreadSummary> {
        self.order.latest(most).into_iter().map(|no| &self.threads[&no]).collect()
    }

    /// The thread's place on the index, counted from 0; `None` if it is archived.
    fn position(&self, summary: &ThreadSummary) -> Option<usize> {
        if summary.flags.archived || !summary.visible() {
            return None;
        }
        self.order.position(summary).filter(|position| *position < self.window())
    }

    /// The index page on which the thread stands; `None` if it is archived.
    pub fn page_of(&self, no: PostNo) -> Option<u32> {
        let position = self.position(self.threads.get(&no)?)?;
        Some((position / self.settings.threads_per_page) as u32 + 1)
    }

    /// The parts of the archive that hold a thread, by first number, and how many they hold.
    pub fn parts(&self) -> &BTreeMap<u64, usize> {
        &self.parts
    }

    /// The spans of [`ARCHIVE_SPAN`] numbers that hold a visible thread, by their first number, and how many they hold.
    pub fn spans(&self) -> &BTreeMap<u64, usize> {
        &self.spans
    }

    /// The visible threads of a span, by number.
    pub fn span(&self, from: u64) -> impl Iterator<Item = &ThreadSummary> {
        let range = PostNo::new(from).map(|low| low..=PostNo::new(from + ARCHIVE_SPAN - 1).unwrap_or(PostNo::MAX));
        let threads = range.into_iter().flat_map(|range| self.threads.range(range));
        threads.map(|(_, summary)| summary).filter(|summary| summary.visible())
    }

    /// The numbers of the newest archived threads, at most so many, rising.
    pub fn archived_latest(&self, most: usize) -> Vec<PostNo> {
        let threads = self.threads.values().rev().filter(|summary| self.archived(summary));
        let mut numbers: Vec<PostNo> = threads.take(most).map(|summary| summary.no).collect();
        numbers.reverse();
        numbers
    }

    /// The archived threads of a part, newest first.
    pub fn part(&self, from: u64) -> Vec<&ThreadSummary> {
        let Some(low) = PostNo::new(from) else { return Vec::new() };
        let high = PostNo::new(from + ARCHIVE_SPAN - 1).unwrap_or(PostNo::MAX);
        let range = self.threads.range(low..=high).rev().map(|(_, summary)| summary);
        range.filter(|summary| summary.visible() && self.position(summary).is_none()).collect()
    }

    fn apply(
        &mut self,
        changes: Vec<Change>,
        delta: &mut Delta,
        moved: &mut Moved,
        mut recite: impl FnMut(&ThreadKey, &[CrossQuote], &[CrossQuote]),
    ) -> BoardDelta {
        let listed_before: Vec<PostNo> = self.listed_numbers().collect();
        let spans_before: BTreeSet<u64> = self.spans.keys().copied().collect();
        let newest_part_before = self.parts.keys().next_back().copied();
        let mut archived_before = BTreeMap::new();
        for change in &changes {
            let before = self.threads.get(&change.key.no);
            archived_before.insert(change.key.no, before.is_some_and(|summary| self.archived(summary)));
        }
        let touched: BTreeSet<PostNo> = changes.iter().map(|change| change.key.no).collect();
        let mut taking = self.places.begin();
        let bulk = self.is_bulk(&changes, &taking);
        if bulk {
            moved.boards.push(self.slug.clone());
            self.places.0.retain(|place| !touched.contains(&place.1));
            self.order.remove_all(&touched);
        }
        for change in changes {
            let taking = (!bulk).then_some(&mut taking);
            self.take(change, taking, delta, moved, &mut recite);
        }
        match bulk {
            true => {
                self.places.0.sort();
                self.order.sort();
            }
            false => self.places.end(&taking),
        }
        let listed_after: Vec<PostNo> = self.listed_numbers().collect();
        self.note_left_and_entered(&listed_before, &listed_after, &mut archived_before);
        let mut lists = self.index_delta(&listed_before, &listed_after, &touched);
        self.archive_delta(&archived_before, newest_part_before, &mut lists);
        lists.spans = !self.spans.keys().eq(&spans_before);
        lists.spans_gone = spans_before.into_iter().filter(|span| !self.spans.contains_key(span)).collect();
        lists
    }

    /// Whether so much is different that it is better sorted anew. Replies are not, however many: they only add numbers
    /// at the end.
    fn is_bulk(&self, changes: &[Change], taking: &Taking) -> bool {
        if changes.len() <= BULK {
            return false;
        }
        let posts: usize = changes.iter().filter_map(|change| Some(change.now.as_ref()?.numbers.len())).sum();
        let held = |no| self.threads.get(no).map_or(0, |before| before.replies as usize + 1);
        let held: usize = changes.iter().map(|change| held(&change.key.no)).sum();
        let only_added = |change: &Change| {
            let numbers = change.now.as_ref().map_or(&[][..], |now| &now.numbers);
            self.places.only_added(change.key.no, self.threads.get(&change.key.no), numbers, taking)
        };
        ADDED_SINGLY < posts.saturating_sub(held) || !changes.iter().all(only_added)
    }

    /// Takes over one change: the summary, the totals, the order and the places.
    fn take(
        &mut self,
        change: Change,
        taking: Option<&mut Taking>,
        delta: &mut Delta,
        moved: &mut Moved,
        recite: &mut impl FnMut(&ThreadKey, &[CrossQuote], &[CrossQuote]),
    ) {
        let Change { key, now } = change;
        let bulk = taking.is_none();
        let before = self.threads.remove(&key.no);
        if let Some(before) = &before {
            self.forget(before, bulk);
        }
        let visible_before = before.as_ref().is_some_and(ThreadSummary::visible);
        let visible_now = now.as_ref().is_some_and(|now| now.summary.visible());
        match (visible_before, visible_now) {
            (_, true) => drop(delta.drawn.insert(key.clone())),
            (true, false) => drop(delta.gone.insert(key.clone())),
            (false, false) => {}
        }
        let moved_before = before.as_ref().map_or(&[][..], |before| &before.moved);
        let moved_now = now.as_ref().map_or(&[][..], |now| &now.summary.moved);
        let is_moved_anew = moved_before != moved_now;
        if !moved_before.is_empty() || !moved_now.is_empty() {
            moved.threads.push(key.clone());
        }
        let numbers = now.as_ref().map_or(&[][..], |now| &now.numbers);
        match taking {
            None => self.places.0.extend(numbers.iter().map(|no| (*no, key.no))),
            Some(taking) => {
                let differing = self.places.set(key.no, before.as_ref(), numbers, taking);
                let all = if visible_before == visible_now && !is_moved_anew { &[][..] } else { numbers };
                moved.posts.extend(differing.iter().chain(all).map(|no| (self.slug.clone(), *no)));
            }
        }
        let cross_before = before.as_ref().map_or(&[][..], |before| &before.cross);
        let cross_now = now.as_ref().map_or(&[][..], |now| &now.summary.cross);
        recite(&key, cross_before, cross_now);
        if let Some(now) = now {
            self.learn(now.summary, bulk);
        }
    }

    fn forget(&mut self, before: &ThreadSummary, bulk: bool) {
        // A thread that was moved to another number has taken the id along.
        if self.op_ids.get(&before.op_id_hash) == Some(&before.no) {
            self.op_ids.remove(&before.op_id_hash);
        }
        if !before.visible() {
            return;
        }
        let span = part_of(before.no);
        match self.spans.get_mut(&span) {
            Some(held) if 1 < *held => *held -= 1,
            _ => drop(self.spans.remove(&span)),
        }
        self.threads_visible -= 1;
        self.posts_visible -= before.posts as usize;
        if !before.flags.archived && !bulk {
            self.order.remove(before);
        }
    }

    fn learn(&mut self, now: ThreadSummary, bulk: bool) {
        self.count(&now);
        if now.visible() && !now.flags.archived {
            match bulk {
                true => self.order.push(&now),
                false => self.order.insert(&now),
            }
        }
        self.threads.insert(now.no, now);
    }

    fn count(&mut self, summary: &ThreadSummary) {
        if summary.op_id_hash != 0 {
            self.op_ids.insert(summary.op_id_hash, summary.no);
        }
        if summary.visible() {
            *self.spans.entry(part_of(summary.no)).or_default() += 1;
            self.threads_visible += 1;
            self.posts_visible += summary.posts as usize;
        }
    }

    fn archived(&self, summary: &ThreadSummary) -> bool {
        summary.visible() && self.position(summary).is_none()
    }

    /// Adds the threads that the window lost or gained although their files are the same.
    fn note_left_and_entered(&self, before: &[PostNo], after: &[PostNo], archived_before: &mut BTreeMap<PostNo, bool>) {
        if before == after {
            return;
        }
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
        for no in before.difference(&after) {
            archived_before.entry(**no).or_insert(false);
        }
        for no in after.difference(&before) {
            archived_before.entry(**no).or_insert(true);
        }
    }

    fn index_delta(&self, before: &[PostNo], after: &[PostNo], touched: &BTreeSet<PostNo>) -> BoardDelta {
        let per_page = self.settings.threads_per_page;
        let (pages_before, pages_after) = (pages_for(before.len(), per_page), pages_for(after.len(), per_page));
        let mut lists = BoardDelta::default();
        let mut old = before.chunks(per_page);
        for (page, new) in (1..).zip(after.chunks(per_page)) {
            let same = old.next() == Some(new) && !new.iter().any(|no| touched.contains(no));
            // Each page names all others, so a page more or less is seen on every one.
            if !same || pages_before != pages_after {
                lists.index.insert(page);
            }
        }
        if after.is_empty() && !before.is_empty() {
            lists.index.insert(1);
        }
        if pages_after < pages_before {
            lists.index_gone = Some(pages_after + 1..=pages_before);
        }
        lists.catalog = before != after || after.iter().any(|no| touched.contains(no));
        lists
    }

    /// Which parts of the archive hold other threads, or a thread that changed, and how many they hold now.
    fn archive_delta(&mut self, before: &BTreeMap<PostNo, bool>, newest_before: Option<u64>, lists: &mut BoardDelta) {
        for (no, was) in before {
            let is = self.threads.get(no).is_some_and(|summary| self.archived(summary));
            if !was && !is {
                continue;
            }
            let part = part_of(*no);
            let held = self.parts.get(&part).copied().unwrap_or(0) + usize::from(is) - usize::from(*was);
            match held {
                0 => drop(self.parts.remove(&part)),
                _ => drop(self.parts.insert(part, held)),
            }
            match held {
                0 => drop(lists.parts_gone.insert(part)),
                _ => drop(lists.parts.insert(part)),
            }
        }
        let newest = self.parts.keys().next_back().copied();
        if newest != newest_before {
            // The newest part is shown on the archive's own page; the one before it gets a page, or loses it.
            lists.parts.extend(newest_before.filter(|part| self.parts.contains_key(part)));
            lists.parts.extend(newest);
        }
        lists.parts_gone.retain(|part| !self.parts.contains_key(part));
        lists.parts.retain(|part| self.parts.contains_key(part));
    }
}

/// The part of the archive, by its first number, that a thread of this number can be in.
pub fn part_of(no: PostNo) -> u64 {
    (no.get() - 1) / ARCHIVE_SPAN * ARCHIVE_SPAN + 1
}

pub(super) fn pages_for(threads: usize, per_page: usize) -> u32 {
    threads.div_ceil(per_page).max(1) as u32
}
