//! Held posts, as the board would show them.

use serde::Serialize;

use super::{Pages, as_markup};
use crate::model::{Arrival, BoardSlug, PageKey};
use crate::render::links::ThreadLinks;
use crate::render::markup::Renderer;
use crate::render::posts::LISTED;
use crate::render::theme::BadTheme;
use crate::render::views::SafeHtml;

/// A held post to be shown.
pub struct HeldToShow {
    /// The post.
    pub arrival: Arrival,
    /// Why it is held.
    pub why: String,
    /// Stands for whoever sent it; empty if nobody knows, or whoever looks may not.
    pub sender: String,
}

/// Held posts on a page, the oldest first.
#[derive(Default)]
pub struct HeldPage {
    /// Those of this page.
    pub posts: Vec<HeldToShow>,
    /// How many wait.
    pub total: usize,
    /// How many of them stand before this page.
    pub before: usize,
    /// The place of the last that waits; empty if none does.
    pub until: String,
    /// The sender whose posts these are; empty for everybody's.
    pub sender: String,
    /// The path of the next page; empty if there is none.
    pub next: String,
    /// The path of this page.
    pub back: String,
    /// Whether it shows one post, whole.
    pub is_one: bool,
}

#[derive(Serialize)]
struct View<'a> {
    rows: Vec<Row<'a>>,
    total: usize,
    many: bool,
    first: usize,
    last: usize,
    until: &'a str,
    sender: &'a str,
    next: &'a str,
    back: &'a str,
    is_one: bool,
    is_later: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    /// What it is called on this page: its place among those that wait.
    nth: usize,
    id: &'a str,
    own: String,
    board: String,
    board_href: String,
    /// The thread that it answers; 0 for a new thread.
    thread: u64,
    /// Where that stands; empty if it is not there any more.
    thread_href: String,
    sage: bool,
    name: String,
    trip: &'a str,
    subject: &'a str,
    iso: String,
    time: String,
    why: &'a str,
    sender: &'a str,
    #[serde(serialize_with = "as_markup")]
    body: SafeHtml,
    cut: bool,
}

impl Pages<'_> {
    /// Posts that wait for somebody to look at them.
    pub fn held(&self, page: &HeldPage) -> Result<String, BadTheme> {
        let row = |(at, post)| self.held_row(page.before + at + 1, post, page.is_one);
        let rows: Vec<Row<'_>> = page.posts.iter().enumerate().map(row).collect();
        let view = View {
            first: page.before + 1,
            last: page.before + rows.len(),
            many: 1 < page.total,
            total: page.total,
            until: &page.until,
            sender: &page.sender,
            next: &page.next,
            back: &page.back,
            is_one: page.is_one,
            is_later: 0 < page.before,
            rows,
        };
        self.draw("held", if page.is_one { "Held post" } else { "Held posts" }, "held", view)
    }

    fn held_row<'b>(&self, nth: usize, post: &'b HeldToShow, is_one: bool) -> Row<'b> {
        let HeldToShow { arrival, why, sender } = post;
        let (board, prefix) = (&arrival.board, self.site.settings.prefix());
        let there = self.site.board(board);
        let thread = arrival.thread.filter(|no| there.is_some_and(|board| board.visible(*no).is_some()));
        let (iso, time) = arrival.at.map_or_else(Default::default, |at| self.time(at.timestamp()));
        let (body, cut) = self.held_body(&arrival.body, board, is_one);
        Row {
            nth,
            id: arrival.id.as_str(),
            own: format!("{}held/post/{}", Pages::base(self.site), arrival.id.as_str()),
            board: board.to_string(),
            board_href: there.map_or(String::new(), |_| PageKey::Index(board.clone(), 1).href(prefix)),
            thread: arrival.thread.map_or(0, |no| no.get()),
            thread_href: thread.map_or(String::new(), |no| PageKey::Thread(board.clone(), no).href(prefix)),
            sage: arrival.sage,
            name: self.name_or_anonymous(&arrival.name, &arrival.trip, board),
            trip: &arrival.trip,
            subject: &arrival.subject,
            iso,
            time,
            why,
            sender,
            body,
            cut,
        }
    }

    /// The text as the board would show it. It stands in no thread yet, so all its links are whole.
    fn held_body(&self, text: &str, board: &BoardSlug, is_one: bool) -> (SafeHtml, bool) {
        let links = ThreadLinks::new(self.site, board, &[]);
        let (mut renderer, mut whole) = (Renderer::default(), String::new());
        if is_one {
            renderer.render(text, &links, &mut whole);
            return (SafeHtml(whole), false);
        }
        let beginning = renderer.render_with_beginning(text, LISTED, &links, &mut whole);
        let cut = beginning.is_some();
        (SafeHtml(beginning.unwrap_or(whole)), cut)
    }
}
