//! Thread pages of vichan and 4chan, for boards of which only the HTML was saved.
//!
//! Not a parser of HTML, but one of what these programs write: a post is a `div` of class `post` whose id names its
//! number, and its parts are elements of known classes. What `wget` or a browser changes when it saves a page, such as
//! links and line ends, does not matter. The comment is handed on as HTML, as the API gives it.

use std::path::Path;

use super::raw::{RawPost, RawThread};
use crate::model::Problem;
use crate::store::import::html::to_text;
use crate::store::import::loose::Loose;
use crate::store::import::tags::{Attributes, Token, Tokens};

/// A part of a post that is read as a whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Trip,
    Capcode,
    Subject,
    PosterId,
    Body,
    /// Of which nothing is read: what is there twice, for small screens.
    Nothing,
}

/// A part that has begun.
struct Open {
    part: Part,
    /// The element's name, and how many of that name are open in it.
    name: String,
    depth: usize,
    from: usize,
}

/// Reads a page; `posts` is `None` if it holds no post.
pub fn parse(path: &Path, html: &str) -> RawThread {
    let mut page = Page { html, posts: Vec::new(), thread: Loose::Absent, open: None, files_before: 0 };
    let mut tokens = Tokens::new(html);
    let mut begins = 0;
    while let Some(token) = tokens.next() {
        page.token(token, begins, tokens.at());
        begins = tokens.at();
    }
    let problem = page.open.take().filter(|open| open.part != Part::Nothing).map(|open| {
        page.close(&open, html.len());
        let no = page.posts.last().map_or(String::new(), |post| format!(" of post {}", post.no));
        let line = memchr::memchr_iter(b'\n', &html.as_bytes()[..open.from]).count() + 1;
        Problem::new(path, format!("the page ends in the middle{no}, which begins here; what is there is kept"))
            .at(line, 1)
    });
    // A page that was cut off between two posts lacks its end.
    let cut = || {
        let whole = memchr::memmem::rfind(html.as_bytes(), b"</html>").is_some() || !html.contains("<html");
        let line = memchr::memchr_iter(b'\n', html.as_bytes()).count() + 1;
        (!whole).then(|| Problem::new(path, "the page ends before its `</html>`; posts may be missing").at(line, 1))
    };
    let problem = if page.posts.is_empty() { None } else { problem.or_else(cut) };
    RawThread { posts: (!page.posts.is_empty()).then_some(page.posts), problem }
}

struct Page<'a> {
    html: &'a str,
    posts: Vec<RawPost>,
    /// The number of the opening post.
    thread: Loose,
    open: Option<Open>,
    files_before: u64,
}

impl Page<'_> {
    /// Takes a token that stands from `begins` to `ends`.
    fn token(&mut self, token: Token<'_>, begins: usize, ends: usize) {
        if let Token::Open(name, attributes) = &token
            && opens_post(name, *attributes)
            && let Some(open) = self.open.take()
        {
            // Whatever lacked its end, it is over here.
            self.close(&open, begins);
        }
        match (&mut self.open, token) {
            (Some(open), Token::Open(name, _)) if name == open.name => open.depth += 1,
            (Some(open), Token::Close(name)) if name == open.name => {
                open.depth -= 1;
                if open.depth == 0
                    && let Some(open) = self.open.take()
                {
                    self.close(&open, begins);
                }
            }
            (Some(_), _) | (None, Token::Text(_) | Token::Close(_)) => {}
            (None, Token::Open(name, attributes)) => self.begin(name, attributes, ends),
        }
    }

    fn begin(&mut self, name: String, attributes: Attributes<'_>, ends: usize) {
        if opens_post(&name, attributes) {
            return self.post(attributes);
        }
        let Some(post) = self.posts.last_mut() else {
            // vichan puts the files of an opening post before it.
            self.files_before += u64::from(name == "div" && attributes.has_class("file"));
            return;
        };
        match (name.as_str(), attributes) {
            ("time", at) if post.time == Loose::Absent => {
                post.time = at.get("datetime").and_then(|text| seconds(&text)).unwrap_or_default();
            }
            ("a", link) if link.has_class("email") || link.has_class("useremail") => {
                let address = link.get("href").unwrap_or_default();
                post.email = Loose::Text(address.trim_start_matches("mailto:").to_owned());
            }
            ("img" | "i", icon) => flag(post, icon),
            ("span", at) if at.has_class("dateTime") && post.time == Loose::Absent => {
                post.time = at.get("data-utc").map_or(Loose::Absent, Loose::Text);
            }
            ("div", file) if file.has_class("file") => {
                post.extra_files = Loose::List(post.extra_files.items() + 1);
            }
            _ => {}
        }
        if let Some(part) = part(&name, attributes) {
            self.open = Some(Open { part, name, depth: 1, from: ends });
        }
    }

    fn post(&mut self, attributes: Attributes<'_>) {
        let id = attributes.get("id").unwrap_or_default();
        let digits = id.trim_start_matches(|c: char| !c.is_ascii_digit());
        let no = Loose::Text(digits.to_owned());
        let opens = attributes.has_class("op") || self.posts.is_empty();
        let resto = if opens { Loose::Whole(0) } else { self.thread.clone() };
        let mut post = RawPost { no: no.clone(), resto, ..RawPost::default() };
        if self.posts.is_empty() {
            self.thread = no;
            post.extra_files = Loose::List(self.files_before);
        }
        self.posts.push(post);
    }

    fn close(&mut self, open: &Open, ends: usize) {
        let Some(post) = self.posts.last_mut() else { return };
        let html = Loose::Text(self.html[open.from..ends.max(open.from)].to_owned());
        let field = match open.part {
            Part::Name => &mut post.name,
            Part::Trip => &mut post.trip,
            Part::Subject => &mut post.sub,
            Part::PosterId => &mut post.id,
            Part::Body => &mut post.com,
            Part::Capcode => {
                // `## Mod`, as both show it.
                let role = to_text(html.text());
                post.capcode = Loose::Text(role.trim().trim_start_matches('#').trim().to_owned());
                return;
            }
            Part::Nothing => return,
        };
        if *field == Loose::Absent {
            *field = html;
        }
    }
}

fn opens_post(name: &str, attributes: Attributes<'_>) -> bool {
    name == "div" && attributes.has_class("post")
}

/// What is read as a whole.
fn part(name: &str, attributes: Attributes<'_>) -> Option<Part> {
    let class = |class: &str| attributes.has_class(class);
    let part = match name {
        "div" | "span" if class("mobile") => Part::Nothing,
        "div" if class("body") => Part::Body,
        "blockquote" if class("postMessage") => Part::Body,
        "span" if class("name") => Part::Name,
        "span" if class("trip") || class("postertrip") => Part::Trip,
        "span" | "a" | "strong" if class("capcode") => Part::Capcode,
        "span" if class("subject") => Part::Subject,
        "span" if class("poster_id") || class("posteruid") => Part::PosterId,
        // Inside, a name of a file could look like anything.
        "p" | "div" if class("fileinfo") || class("fileText") => Part::Nothing,
        "script" | "style" => Part::Nothing,
        _ => return None,
    };
    Some(part)
}

/// Takes note of an icon behind a post's number.
fn flag(post: &mut RawPost, icon: Attributes<'_>) {
    let title = icon.get("title").unwrap_or_default().to_ascii_lowercase();
    let is = |word: &str, classes: [&str; 2]| title == word || classes.iter().any(|class| icon.has_class(class));
    let on = || Loose::Bool(true);
    if icon.has_class("flag") || icon.has_class("countryFlag") {
        post.country = Loose::Text("flag".to_owned());
    } else if is("sticky", ["fa-thumb-tack", "stickyIcon"]) {
        post.sticky = on();
    } else if is("locked", ["fa-lock", "closedIcon"]) || title == "closed" {
        post.closed = on();
    } else if is("archived", ["fa-archive", "archivedIcon"]) {
        post.archived = on();
    } else if is("cyclical", ["fa-refresh", "cyclicalIcon"]) || title == "cycled" {
        post.cyclical = on();
    } else if is("bumplocked", ["fa-anchor", "bumplockIcon"]) {
        post.bumplock = on();
    }
}

/// The time of a `datetime`, in seconds.
fn seconds(text: &str) -> Option<Loose> {
    let text = text.trim();
    let at = chrono::DateTime::parse_from_rfc3339(text)
        .or_else(|_| chrono::DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z"));
    match at {
        Ok(at) => Some(Loose::Whole(at.timestamp())),
        // What cannot be read is told with the post.
        Err(_) => (!text.is_empty()).then(|| Loose::Text(text.to_owned())),
    }
}
