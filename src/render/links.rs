//! Where quotes lead, asked by the markup renderer.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::Write;

use super::digits::push_number;
use super::markup::Links;
use crate::model::quotes::Quote;
use crate::model::site::Standing;
use crate::model::{BoardSlug, PageKey, PostNo, Site};

/// How the link to a post of the same thread begins. The renderer escapes `"` in text, so that this can stand nowhere
/// but in a link, and a list can make whole links of a body that was drawn for the thread's page.
const LOCAL: &str = "href=\"#p";

/// How the link to another page of the site begins. As with [`LOCAL`].
const FROM_ROOT: &str = "href=\"/";

/// The links of a post in a thread.
pub struct ThreadLinks<'a> {
    site: &'a Site,
    board: &'a BoardSlug,
    own: &'a [PostNo],
    cited: RefCell<Vec<PostNo>>,
}

impl<'a> ThreadLinks<'a> {
    /// For a thread of `board` whose posts have the numbers `own`, sorted.
    pub fn new(site: &'a Site, board: &'a BoardSlug, own: &'a [PostNo]) -> ThreadLinks<'a> {
        ThreadLinks { site, board, own, cited: RefCell::default() }
    }

    /// Moves to `cited`, which is empty, the posts of the same thread to which links were made since this was last done.
    pub fn move_cited(&self, cited: &mut Vec<PostNo>) {
        std::mem::swap(cited, &mut *self.cited.borrow_mut());
    }

    fn post(&self, board: &BoardSlug, no: PostNo, out: &mut String) -> bool {
        if self.is_own(board, no) {
            self.own_post(no, out);
            return true;
        }
        let Some(Standing { board, thread, no }) = self.site.standing(board, no) else { return false };
        match self.is_own(board, no) {
            // It was named by where it stood before the thread was moved.
            true => self.own_post(no, out),
            false => drop(write!(out, "{}{board}/thread/{thread}.html#p{no}", self.site.settings.prefix())),
        }
        true
    }

    fn is_own(&self, board: &BoardSlug, no: PostNo) -> bool {
        board == self.board && self.own.binary_search(&no).is_ok()
    }

    fn own_post(&self, no: PostNo, out: &mut String) {
        self.cited.borrow_mut().push(no);
        out.push_str("#p");
        push_number(out, no.get());
    }
}

impl Links for ThreadLinks<'_> {
    fn href(&self, quote: &Quote, out: &mut String) -> bool {
        match quote {
            Quote::Post(no) => self.post(self.board, *no, out),
            Quote::Cross(board, no) => self.post(board, *no, out),
            Quote::Board(slug) => match self.site.board(slug) {
                Some(_) => {
                    out.push_str(&PageKey::Index(slug.clone(), 1).href(self.site.settings.prefix()));
                    true
                }
                None => false,
            },
        }
    }
}

/// A body that was drawn for its thread's page, for one that holds no posts of the thread but those with the numbers
/// `there`, sorted: links to others become whole. `thread_href` is where the thread stands.
pub fn from_part<'a>(body: &'a str, thread_href: &str, there: &[PostNo]) -> Cow<'a, str> {
    if !has_local(body) {
        return body.into();
    }
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((before, link)) = rest.split_once(LOCAL) {
        let no = link.split('"').next().and_then(PostNo::parse);
        out.push_str(before);
        match no.is_some_and(|no| there.binary_search(&no).is_ok()) {
            true => out.push_str(LOCAL),
            false => drop(write!(out, "href=\"{thread_href}#p")),
        }
        rest = link;
    }
    out.push_str(rest);
    out.into()
}

/// A body that was drawn for its thread's page, for a page elsewhere: `thread_href` is where the thread stands.
pub fn from_elsewhere<'a>(body: &'a str, thread_href: &str) -> Cow<'a, str> {
    match has_local(body) {
        true => body.replace(LOCAL, &format!("href=\"{thread_href}#p")).into(),
        false => body.into(),
    }
}

/// A body that was drawn for its thread's page, for a reader of feeds: every address is whole. `thread` is that of the
/// thread's page, `origin` the scheme and host of the site.
pub fn whole<'a>(body: &'a str, thread: &str, origin: &str) -> Cow<'a, str> {
    if !has_local(body) && memchr::memmem::find(body.as_bytes(), FROM_ROOT.as_bytes()).is_none() {
        return body.into();
    }
    let from_root = body.replace(FROM_ROOT, &format!("href=\"{origin}/"));
    from_root.replace(LOCAL, &format!("href=\"{thread}#p")).into()
}

/// Drawn posts for a page on which those of other boards stand too: the same number may come twice there, so the board
/// stands before it in what the page calls a post. As with [`LOCAL`], text cannot hold this.
pub fn named_by_board(posts: &str, board: &str) -> String {
    posts.replace("id=\"p", &format!("id=\"{board}-p"))
}

fn has_local(body: &str) -> bool {
    memchr::memmem::find(body.as_bytes(), LOCAL.as_bytes()).is_some()
}
