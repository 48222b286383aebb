//! A thread as 2ch has it: a line for each post, of five fields.
//!
//! A reply adds a line and changes no other, since clients fetch what came since they looked last by `Range`. So a line
//! holds nothing that a later post could change: a quote of a number that was not given yet stays what it is, even if a
//! post gets that number. Who reads 2ch counts lines, and so do quotes here.

use std::collections::HashMap;

use super::body::{self, Quotes};
use super::{push_field, shift_jis};
use crate::model::lines::FAR;
use crate::model::{BoardSlug, Post, PostNo, Site, Thread, capcode};
use crate::render::digits::push_number;
use crate::render::time::Japanese;

/// What stands in the place of a post that was removed.
const GONE: &str = "あぼーん";

/// So many other threads are looked into for the lines of posts that one post quotes, since that takes the longer the
/// larger their board is. Quotes of further threads lead to these as a whole. It goes by the post, so that an edit of
/// another one changes nothing here.
const THREADS_LOOKED_INTO: usize = 4;

/// Writes the lines of one thread.
pub struct DatWriter<'a> {
    op: PostNo,
    ids: bool,
    links: Links<'a>,
    now: Japanese,
    out: String,
}

impl<'a> DatWriter<'a> {
    /// For a thread of `board`, on which posters have `ids`. `bytes` tells how long its bodies are.
    pub fn new(thread: &'a Thread, site: &'a Site, board: &'a BoardSlug, ids: bool, bytes: usize) -> DatWriter<'a> {
        let lines = thread.posts.iter().map(|post| post.no).collect();
        let links = Links { site, board, lines, of: thread.no(), others: HashMap::new(), quoted: Vec::new() };
        let out = String::with_capacity(bytes + 96 * thread.posts.len());
        DatWriter { op: thread.no(), ids, links, now: Japanese::default(), out }
    }

    /// Adds the line of a post that is called `name`. `body` is HTML; the first line has the thread's `title`.
    pub fn push(&mut self, post: &Post, name: &str, body: &str, title: &str) {
        match post.deleted {
            true => self.push_gone(),
            false => self.push_fields(post, name, body),
        }
        if post.no == self.op {
            push_field(&mut self.out, title);
        }
        self.out.push('\n');
    }

    /// The whole file.
    pub fn finish(self) -> Vec<u8> {
        shift_jis::encode(self.out)
    }

    fn push_gone(&mut self) {
        for _ in 0..4 {
            self.out.push_str(GONE);
            self.out.push_str("<>");
        }
    }

    fn push_fields(&mut self, post: &Post, name: &str, body: &str) {
        // Only the program itself writes these marks.
        match name.contains(['◆', '★']) {
            true => push_field(&mut self.out, &name.replace('◆', "◇").replace('★', "☆")),
            false => push_field(&mut self.out, name),
        }
        // Clients show a name bold, and what proves it not.
        for trip in post.trip.split(' ').filter_map(|trip| trip.strip_prefix('!')) {
            self.out.push_str(" </b>◆");
            push_field(&mut self.out, trip);
            self.out.push_str(" <b>");
        }
        if !post.capcode.is_empty() {
            self.out.push_str(" </b>★");
            push_field(&mut self.out, capcode::shown(&post.capcode));
            self.out.push_str(" <b>");
        }
        self.out.push_str("<>");
        self.out.push_str(if post.sage { "sage" } else { "" });
        self.out.push_str("<>");
        self.now.push(post.at.timestamp(), &mut self.out);
        if self.ids && !post.poster_id.is_empty() {
            self.out.push_str(" ID:");
            push_field(&mut self.out, &post.poster_id);
        }
        self.out.push_str("<> ");
        self.links.of = post.no;
        self.links.quoted.clear();
        body::push(body, &mut self.links, &mut self.out);
        self.out.push_str(" <>");
    }
}

/// Where the quotes of a thread lead.
struct Links<'a> {
    site: &'a Site,
    board: &'a BoardSlug,
    /// The numbers of all posts of the thread, rising.
    lines: Vec<PostNo>,
    /// The post whose quotes these are.
    of: PostNo,
    /// The same of threads that were looked into.
    others: HashMap<(BoardSlug, PostNo), Vec<PostNo>>,
    /// The threads elsewhere that this post quotes.
    quoted: Vec<(BoardSlug, PostNo)>,
}

impl Links<'_> {
    /// The line of a post in another thread, if it is to be looked for.
    fn line(&mut self, board: &BoardSlug, thread: PostNo, no: PostNo) -> Option<u64> {
        let key = (board.clone(), thread);
        if !self.quoted.contains(&key) {
            if self.quoted.len() == THREADS_LOOKED_INTO {
                return None;
            }
            self.quoted.push(key.clone());
        }
        let lines = || self.site.board(board).map(|board| board.lines(thread, FAR)).unwrap_or_default();
        line_of(self.others.entry(key).or_insert_with(lines), no)
    }

    /// The number that a quote of a post on the same board names.
    fn number(&self, typed: &str) -> Option<PostNo> {
        let of_board = || typed.strip_prefix("&gt;&gt;&gt;/")?.strip_prefix(self.board.as_str())?.strip_prefix('/');
        let number = typed.strip_prefix("&gt;&gt;").filter(|number| !number.starts_with('&'));
        PostNo::parse(number.or_else(of_board)?)
    }

    /// Adds a number that is none of a line, so that no client makes a link of it.
    fn push_number_alone(no: PostNo, out: &mut String) {
        out.push_str("&gt;&gt;No.");
        push_number(out, no.get());
    }
}

/// The line of a post among the posts of a thread, counted from 1.
fn line_of(lines: &[PostNo], no: PostNo) -> Option<u64> {
    lines.binary_search(&no).ok().map(|before| before as u64 + 1)
}

impl Quotes for Links<'_> {
    fn own(&mut self, no: PostNo, out: &mut String) {
        match line_of(&self.lines, no).filter(|_| no <= self.of) {
            Some(line) => {
                out.push_str("&gt;&gt;");
                push_number(out, line);
            }
            None => Links::push_number_alone(no, out),
        }
    }

    fn elsewhere(&mut self, href: &str, typed: &str, out: &mut String) {
        if let Some(no) = self.number(typed).filter(|no| self.of < *no) {
            return Links::push_number_alone(no, out);
        }
        let settings = &self.site.settings;
        let below = href.strip_prefix(settings.prefix()).unwrap_or(href);
        let place = below.split_once("/thread/").and_then(|(board, rest)| {
            let (thread, no) = rest.split_once(".html#p")?;
            Some((BoardSlug::parse(board).ok()?, PostNo::parse(thread)?, PostNo::parse(no)?))
        });
        let Some((board, thread, no)) = place else {
            // A whole board.
            out.push_str(settings.base_url.as_str());
            return out.push_str(below.strip_suffix("index.html").unwrap_or(below));
        };
        out.push_str(settings.base_url.as_str());
        out.push_str("test/read.cgi/");
        out.push_str(board.as_str());
        out.push('/');
        push_number(out, thread.get());
        out.push('/');
        if let Some(line) = self.line(&board, thread, no) {
            push_number(out, line);
        }
    }

    fn dead(&mut self, typed: &str, out: &mut String) {
        match self.number(typed) {
            // One too many to be a link may be a line all the same.
            Some(no) => self.own(no, out),
            None => out.push_str(typed),
        }
    }
}
