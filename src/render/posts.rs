//! The posts of a thread, drawn: each body once, for the thread's page and for the index.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::digits::{Digits, push_number};
use super::feed::{self, EntryWriter};
use super::json::{self, PostWriter};
use super::links::{self, ThreadLinks};
use super::markup::{Length, Renderer};
use super::previews::Preview;
use super::theme::{BadTheme, Theme};
use super::time::Shown;
use super::two_channel::DatWriter;
use super::views::{Backlink, PostView, SafeHtml};
use crate::model::capcode;
use crate::model::quotes::BACKLINKS_MAX;
use crate::model::summary::TAIL_POSTS;
use crate::model::{BoardSettings, BoardSlug, Format, PageKey, Post, PostNo, Site, Thread, ThreadFile, ThreadSummary};

/// A thread with its bodies rendered.
pub struct DrawnThread<'a> {
    thread: &'a Thread,
    site: &'a Site,
    board: &'a BoardSlug,
    settings: &'a BoardSettings,
    href: String,
    /// The bodies, one behind the other, and where each stands, in the order of the posts.
    bodies: String,
    places: Vec<Range<usize>>,
    /// The beginnings of long bodies that the index shows, by their places among the posts.
    beginnings: BTreeMap<usize, String>,
    /// For each post the replies that name it.
    backlinks: Vec<Backlinks>,
}

/// The replies that name a post.
#[derive(Clone, Default)]
struct Backlinks {
    /// The first of them.
    listed: Vec<PostNo>,
    /// How many others there are.
    more: usize,
    last: Option<PostNo>,
}

impl Backlinks {
    /// Adds a reply. A post is rendered whole before the next one, so a second naming by it is the last one.
    fn add(&mut self, no: PostNo) {
        if self.last.replace(no) == Some(no) {
            return;
        }
        match self.listed.len() < BACKLINKS_MAX {
            true => self.listed.push(no),
            false => self.more += 1,
        }
    }
}

/// What stands around the body of a post on one page. It is filled anew for each post, and keeps its memory.
#[derive(Default)]
struct Around<'a> {
    href: String,
    at: Shown,
    /// Whether the body is only a beginning.
    cut: bool,
    backlinks: Vec<Backlink<'a>>,
    more_backlinks: usize,
}

impl<'a> Around<'a> {
    /// Sets the post's own link: a post of `page`, which is empty for the page that is drawn.
    fn link(&mut self, page: &str, no: PostNo) {
        self.href.clear();
        self.href.push_str(page);
        self.href.push_str(Backlink::ANCHOR);
        push_number(&mut self.href, no.get());
    }

    /// Sets the replies that name the post; `page` tells where each stands.
    fn name(&mut self, replies: &Backlinks, page: impl Fn(PostNo) -> &'a str) {
        self.backlinks.clear();
        self.backlinks.extend(replies.listed.iter().map(|no| Backlink { no: no.get(), page: page(*no) }));
        self.more_backlinks = replies.more;
    }
}

/// The end of a thread, drawn.
pub struct Tail {
    /// The opening post.
    pub opening: SafeHtml,
    /// The last replies.
    pub replies: SafeHtml,
    /// How many replies that are.
    pub shown: usize,
}

/// How much of a post the index shows.
pub const LISTED: Length = Length { chars: 4_000, lines: 100 };

/// Which bodies are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The whole thread.
    All,
    /// The opening post and the last replies, as many as the index shows.
    Preview,
}

impl<'a> DrawnThread<'a> {
    /// Renders the bodies of `thread`, which stands on `board`. Art is called `art_label` for those who do not see it.
    pub fn new(
        thread: &'a Thread,
        site: &'a Site,
        board: &'a BoardSlug,
        extent: Extent,
        art_label: &str,
    ) -> DrawnThread<'a> {
        let settings = site.board(board).map_or(&site.settings.defaults, |board| &board.settings);
        let mut drawn = DrawnThread {
            thread,
            site,
            board,
            settings,
            href: PageKey::Thread(board.clone(), thread.no()).href(site.settings.prefix()),
            bodies: String::with_capacity(match extent {
                // Markup makes a body longer, but seldom by more than this.
                Extent::All => thread.posts.iter().map(|post| post.body.len() * 5 / 4).sum(),
                Extent::Preview => 0,
            }),
            places: vec![0..0; thread.posts.len()],
            beginnings: BTreeMap::new(),
            backlinks: vec![Backlinks::default(); thread.posts.len()],
        };
        let listed = preview(thread, settings.replies_previewed);
        match extent {
            Extent::All => drawn.render(board, 0..thread.posts.len(), &listed, art_label),
            Extent::Preview => drawn.render(board, listed.iter().copied(), &listed, art_label),
        }
        drawn
    }

    /// Renders some bodies; of those that are `listed`, in rising order, the beginnings too.
    fn render(&mut self, board: &BoardSlug, which: impl IntoIterator<Item = usize>, listed: &[usize], art_label: &str) {
        let mut own: Vec<(PostNo, usize)> = self.thread.posts.iter().map(|post| post.no).zip(0..).collect();
        own.sort_unstable();
        let numbers: Vec<PostNo> = own.iter().map(|(no, _)| *no).collect();
        let links = ThreadLinks::new(self.site, board, &numbers);
        let mut renderer = Renderer::new(art_label);
        let mut cited = Vec::new();
        for index in which {
            let post = &self.thread.posts[index];
            if post.deleted {
                continue;
            }
            let from = self.bodies.len();
            if listed.binary_search(&index).is_ok() {
                let beginning = renderer.render_with_beginning(&post.body, LISTED, &links, &mut self.bodies);
                self.beginnings.extend(beginning.map(|beginning| (index, beginning)));
            } else {
                renderer.render(&post.body, &links, &mut self.bodies);
            }
            self.places[index] = from..self.bodies.len();
            links.move_cited(&mut cited);
            for cited in cited.drain(..) {
                let Ok(found) = own.binary_search_by_key(&cited, |(no, _)| *no) else { continue };
                if cited != post.no {
                    self.backlinks[own[found].1].add(post.no);
                }
            }
        }
    }

    fn body(&self, index: usize) -> &str {
        &self.bodies[self.places[index].clone()]
    }

    /// All posts, for the thread's own page.
    pub fn page(&self, theme: &Theme) -> Result<SafeHtml, BadTheme> {
        let mut out = String::with_capacity(self.bodies.len() + 512 * self.thread.posts.len());
        let mut around = Around::default();
        for (index, post) in self.thread.posts.iter().enumerate() {
            around.link("", post.no);
            around.name(&self.backlinks[index], |_| "");
            self.post(theme, index, self.body(index), &mut around, &mut out)?;
        }
        Ok(SafeHtml(out))
    }

    /// The opening post and the last replies, for the page of the thread's last posts.
    pub fn tail(&self, theme: &Theme) -> Result<Tail, BadTheme> {
        let shown = preview(self.thread, TAIL_POSTS);
        let mut there: Vec<PostNo> = shown.iter().map(|index| self.thread.posts[*index].no).collect();
        there.sort_unstable();
        let page = |no: PostNo| if there.binary_search(&no).is_ok() { "" } else { self.href.as_str() };
        let mut out = [String::new(), String::new()];
        let mut around = Around::default();
        for index in &shown {
            // The post leaves this page one day, and its own link must last.
            around.link(&self.href, self.thread.posts[*index].no);
            around.name(&self.backlinks[*index], page);
            let body = links::from_part(self.body(*index), &self.href, &there);
            self.post(theme, *index, &body, &mut around, &mut out[usize::from(0 < *index)])?;
        }
        let [opening, replies] = out.map(SafeHtml);
        Ok(Tail { opening, replies, shown: shown.len() - 1 })
    }

    /// The opening post and the last replies, for the index.
    pub fn preview(&self, theme: &Theme, title: &str, replies: usize) -> Result<Preview, BadTheme> {
        let mut out = String::new();
        let shown = preview(self.thread, replies);
        let mut around = Around::default();
        for index in &shown {
            let beginning = self.beginnings.get(index);
            let body = links::from_elsewhere(beginning.map_or_else(|| self.body(*index), String::as_str), &self.href);
            around.link(&self.href, self.thread.posts[*index].no);
            around.cut = beginning.is_some();
            self.post(theme, *index, &body, &mut around, &mut out)?;
        }
        let (op_json, replies_json) = match self.site.settings.formats.has(Format::Json) {
            true => self.json_of(&shown, theme),
            false => Default::default(),
        };
        let mut op_entry = String::new();
        if self.site.settings.written().has(Format::Feeds) && !self.thread.op().deleted {
            self.entry(&mut self.entries(), theme, title, 0, &mut op_entry);
        }
        Ok(Preview { posts: SafeHtml(out), shown: shown.len() - 1, op_json, replies_json, op_entry })
    }

    /// The newest posts as Atom, the newest first.
    pub fn feed(&self, theme: &Theme, title: &str, summary: &ThreadSummary) -> String {
        let newest = (0..self.thread.posts.len()).rev().filter(|index| !self.thread.posts[*index].deleted);
        let page = PageKey::Thread(self.board.clone(), self.thread.no());
        let own = PageKey::OfThread(self.board.clone(), self.thread.no(), ThreadFile::Feed);
        let tag = format!("{}/thread/{}", self.board, self.thread.no());
        let head = feed::Head {
            title,
            subtitle: &summary.teaser,
            tag: &tag,
            own: &own,
            page: &page,
            updated: summary.last_at,
        };
        let shown: Vec<usize> = newest.take(feed::POSTS).collect();
        let bodies: usize = shown.iter().map(|index| self.body(*index).len()).sum();
        let mut out = feed::begin(self.site, &head, bodies + 512 * shown.len());
        let mut writer = self.entries();
        for index in shown {
            self.entry(&mut writer, theme, title, index, &mut out);
        }
        feed::end(out)
    }

    fn entries(&self) -> EntryWriter<'a> {
        EntryWriter::new(self.site, self.board, &PageKey::Thread(self.board.clone(), self.thread.no()))
    }

    /// Adds a post as an entry of a feed. The opening post is called what the thread is.
    fn entry(&self, writer: &mut EntryWriter<'_>, theme: &Theme, title: &str, index: usize, out: &mut String) {
        let post = &self.thread.posts[index];
        let number;
        let title = match (index, post.subject.as_str()) {
            (0, _) => title,
            (_, "") => {
                number = theme.say("post-no", &[("no", Digits::of(post.no.get()).as_str())]);
                &number
            }
            (_, subject) => subject,
        };
        writer.push(out, post, title, self.signed(post, theme), self.body(index));
    }

    /// What a post is signed with, for programs that expect a name.
    fn signed<'b>(&'b self, post: &'b Post, theme: &'b Theme) -> &'b str {
        if post.name.is_empty() { theme.anonymous(self.settings) } else { &post.name }
    }

    /// The whole thread as the API of 4chan has it.
    pub fn json(&self, theme: &Theme, summary: &ThreadSummary) -> String {
        let living = (1..self.thread.posts.len()).filter(|index| !self.thread.posts[*index].deleted);
        let shown: Vec<usize> = std::iter::once(0).chain(living).collect();
        let mut out = self.begin_json(&shown, theme);
        self.end_op(summary, &mut out);
        if self.settings.poster_ids {
            // What the API calls so: how many posted here, as far as ids tell.
            let living = self.thread.posts.iter().filter(|post| !post.deleted && !post.poster_id.is_empty());
            let posters: BTreeSet<&str> = living.map(|post| post.poster_id.as_str()).collect();
            json::number(&mut out, "unique_ips", posters.len() as i64);
        }
        self.end_json(&shown, theme, out)
    }

    /// The opening post and the last replies, likewise. `tail_id` is the last post that is left out: who has that one has
    /// all before it.
    pub fn tail_json(&self, theme: &Theme, summary: &ThreadSummary) -> String {
        let shown = preview(self.thread, TAIL_POSTS);
        let mut out = self.begin_json(&shown, theme);
        self.end_op(summary, &mut out);
        let first = shown.get(1).copied().unwrap_or_default();
        let before = (0..first).rev().find(|index| *index == 0 || !self.thread.posts[*index].deleted);
        let before = before.map_or(self.thread.no(), |index| self.thread.posts[index].no);
        json::number(&mut out, "tail_id", before.get() as i64);
        self.end_json(&shown, theme, out)
    }

    /// A thread of these posts up to what is told of it at the first one, with room for all.
    fn begin_json(&self, shown: &[usize], theme: &Theme) -> String {
        let bodies: usize = shown.iter().map(|index| self.body(*index).len()).sum();
        let mut out = String::with_capacity(bodies + bodies / 8 + 160 * shown.len() + 512);
        out.push_str(json::THREAD_OPENS);
        if let Some(op) = shown.first() {
            self.json_writer(theme).open(&self.thread.posts[*op], self.body(*op), &mut out);
        }
        out
    }

    /// Ends it: the opening post, and all the others.
    fn end_json(&self, shown: &[usize], theme: &Theme, mut out: String) -> String {
        out.push('}');
        let mut writer = self.json_writer(theme);
        for index in shown.iter().skip(1) {
            out.push(',');
            writer.open(&self.thread.posts[*index], self.body(*index), &mut out);
            out.push('}');
        }
        out.push_str(json::THREAD_ENDS);
        out
    }

    fn json_writer<'b>(&'b self, theme: &'b Theme) -> PostWriter<'b> {
        PostWriter::new(self.thread, theme.anonymous(self.settings), self.settings.poster_ids)
    }

    /// Adds what is told of the thread at its opening post.
    fn end_op(&self, summary: &ThreadSummary, out: &mut String) {
        json::push_thread(out, summary, self.settings);
    }

    /// The first of these posts, not ended, and the others with commas between them.
    fn json_of(&self, shown: &[usize], theme: &Theme) -> (String, String) {
        let mut writer = self.json_writer(theme);
        let bodies: usize = shown.iter().map(|index| self.body(*index).len()).sum();
        let (mut op, mut replies) = (String::with_capacity(1024), String::with_capacity(bodies + 160 * shown.len()));
        for (at, index) in shown.iter().enumerate() {
            let (post, body) = (&self.thread.posts[*index], self.body(*index));
            if at == 0 {
                writer.open(post, body, &mut op);
                continue;
            }
            if 1 < at {
                replies.push(',');
            }
            writer.open(post, body, &mut replies);
            replies.push('}');
        }
        (op, replies)
    }

    /// The whole thread as 2ch has it. It stands on `board` and is called `title`.
    pub fn dat(&self, theme: &Theme, board: &BoardSlug, title: &str) -> Vec<u8> {
        let mut writer = DatWriter::new(self.thread, self.site, board, self.settings.poster_ids, self.bodies.len());
        for (index, post) in self.thread.posts.iter().enumerate() {
            writer.push(post, self.name_of(post, theme), self.body(index), title);
        }
        writer.finish()
    }

    fn post(
        &self,
        theme: &Theme,
        index: usize,
        body: &str,
        around: &mut Around<'_>,
        out: &mut String,
    ) -> Result<(), BadTheme> {
        let post = &self.thread.posts[index];
        let op = index == 0;
        around.at.set(post.at.timestamp(), self.site.settings.time_zone, theme.time());
        let view = PostView {
            no: post.no.get(),
            href: &around.href,
            op,
            deleted: post.deleted,
            name: self.name_of(post, theme),
            trip: &post.trip,
            poster_id: if self.settings.poster_ids { &post.poster_id } else { "" },
            capcode: capcode::shown(&post.capcode),
            subject: &post.subject,
            sage: post.sage,
            sticky: op && self.thread.flags.sticky,
            locked: op && self.thread.flags.locked,
            archived: op && self.thread.flags.archived,
            iso: &around.at.iso,
            time: &around.at.time,
            body,
            cut: around.cut,
            backlinks: &around.backlinks,
            more_backlinks: around.more_backlinks,
        };
        theme.draw_post(&view, out)
    }

    fn name_of<'b>(&'b self, post: &'b Post, theme: &'b Theme) -> &'b str {
        // A tripcode alone is a signature: no name is put before it.
        match (post.name.as_str(), post.trip.as_str()) {
            ("", "") => theme.anonymous(self.settings),
            (name, _) => name,
        }
    }
}

/// Which posts a page shows that has no room for all: the opening post, and the last replies that are not tombstones.
fn preview(thread: &Thread, replies: usize) -> Vec<usize> {
    let living = (1..thread.posts.len()).rev().filter(|index| !thread.posts[*index].deleted);
    let mut shown: Vec<usize> = living.take(replies).collect();
    shown.push(0);
    shown.reverse();
    shown
}
