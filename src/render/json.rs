//! The read API of 4chan: posts and lists of threads as JSON, for programs that read boards.
//!
//! Fields, their types and when they appear follow the public documentation of that API (`4chan/4chan-API`): what is
//! true is `1`, what is not is absent, pages are counted from 1, `now` is the time of the east coast of the USA, and
//! `com` is HTML of what `fourchan` leaves of our own. A board has no pictures, so what tells of them is 0 or absent.
//! Beside those fields posts on lists of all boards have `board`, as vichan has it there.

use super::bytes;
use super::digits::push_number;
use super::fourchan::{self, push_escaped};
use super::time::Eastern;
use crate::model::site::Board;
use crate::model::summary::TAIL_POSTS;
use crate::model::{BoardSettings, Overflow, Post, Site, Thread, ThreadSummary};

/// Words of the subject, or of the text, that make a thread's address readable.
const SLUG_BYTES_MAX: usize = 50;

/// How many archived threads are listed, the newest ones. The pages of the archive have all.
pub const ARCHIVED_MAX: usize = 10_000;

/// Writes posts of one thread.
pub struct PostWriter<'a> {
    thread: &'a Thread,
    anonymous: &'a str,
    has_ids: bool,
    now: Eastern,
    escaped: String,
}

impl<'a> PostWriter<'a> {
    /// For posts of `thread`; those without a name are signed `anonymous`. Posters' ids are told if the board `has_ids`.
    pub fn new(thread: &'a Thread, anonymous: &'a str, has_ids: bool) -> PostWriter<'a> {
        PostWriter { thread, anonymous, has_ids, now: Eastern::default(), escaped: String::new() }
    }

    /// Adds what every list tells of a post, without the bracket that ends it. `body` is HTML.
    pub fn open(&mut self, post: &Post, body: &str, out: &mut String) {
        let op = self.thread.no();
        let is_op = post.no == op;
        out.push_str("{\"no\":");
        push_number(out, post.no.get());
        out.push_str(",\"resto\":");
        push_number(out, if is_op { 0 } else { op.get() });
        if is_op {
            let flags = &self.thread.flags;
            flag(out, "sticky", flags.sticky);
            flag(out, "closed", flags.closed());
            flag(out, "archived", flags.archived);
            if flags.archived
                && let Some(changed) = self.thread.changed
            {
                number(out, "archived_on", changed.timestamp());
            }
        }
        out.push_str(",\"now\":\"");
        self.now.push(post.at.timestamp(), out);
        out.push('"');
        number(out, "time", post.at.timestamp());
        // A tripcode alone is a signature, but programs expect a name.
        let name = if post.name.is_empty() { self.anonymous } else { &post.name };
        self.text(out, "name", name);
        self.text(out, "trip", &post.trip);
        if self.has_ids {
            self.text(out, "id", &post.poster_id);
        }
        self.text(out, "capcode", &post.capcode);
        self.text(out, "sub", &post.subject);
        // Programs take for granted that a thread begins with something, be it a tombstone.
        if is_op || !body.is_empty() {
            open_text(out, "com");
            push_json(out, &fourchan::comment(body));
            out.push('"');
        }
    }

    /// Adds a text, escaped as HTML is and then as JSON is; nothing if there is none.
    fn text(&mut self, out: &mut String, key: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        open_text(out, key);
        self.escaped.clear();
        push_escaped(&mut self.escaped, text);
        push_json(out, &self.escaped);
        out.push('"');
    }
}

/// Adds what is told of a thread at its opening post, on whatever list.
pub fn push_thread(out: &mut String, summary: &ThreadSummary, settings: &BoardSettings) {
    let replies = u64::from(summary.posts).saturating_sub(1);
    out.push_str(",\"replies\":");
    push_number(out, replies);
    out.push_str(",\"images\":0");
    let is_full = settings.bump_limit != 0 && settings.bump_limit <= summary.replies as usize;
    flag(out, "bumplimit", summary.flags.bumplock || is_full);
    number(out, "last_modified", summary.last_at);
    // The title is the subject, or else the beginning of the text.
    let slug = slug(&summary.title);
    if !slug.is_empty() {
        open_text(out, "semantic_url");
        out.push_str(&slug);
        out.push('"');
    }
    if summary.has_tail() {
        number(out, "tail_size", TAIL_POSTS as i64);
    }
}

/// What stands before the posts of a thread.
pub const THREAD_OPENS: &str = "{\"posts\":[";

/// And behind them.
pub const THREAD_ENDS: &str = "]}";

/// Adds the board on which a thread stands, for a list of all boards.
pub fn push_board_of(out: &mut String, board: &str) {
    open_text(out, "board");
    out.push_str(board);
    out.push('"');
}

/// Adds how many replies a list leaves out.
pub fn push_omitted(out: &mut String, summary: &ThreadSummary, shown: usize) {
    let replies = (summary.posts as usize).saturating_sub(1);
    number(out, "omitted_posts", replies.saturating_sub(shown) as i64);
    out.push_str(",\"omitted_images\":0");
}

/// The boards.
pub fn boards(site: &Site) -> String {
    let mut out = String::from("{\"boards\":[");
    for (at, board) in site.boards().enumerate() {
        if 0 < at {
            out.push(',');
        }
        push_board(&mut out, site, board);
    }
    out.push_str("]}");
    out
}

fn push_board(out: &mut String, site: &Site, board: &Board) {
    let settings = &board.settings;
    out.push_str("{\"board\":\"");
    out.push_str(board.slug.as_str());
    out.push('"');
    // Of these two only the second is HTML there.
    open_text(out, "title");
    push_json(out, board.title());
    out.push('"');
    open_text(out, "meta_description");
    let mut escaped = String::new();
    push_escaped(&mut escaped, &settings.description);
    push_json(out, &escaped);
    out.push('"');
    let pages = match settings.index_pages {
        0 => board.index_pages() as usize,
        pages => pages,
    };
    // A minute in which an address may send so many posts, in seconds for each.
    let seconds = |each: usize, within: usize| if each == 0 { 0 } else { within.div_ceil(each) };
    let posts = seconds(site.settings.posts_per_minute, 60);
    for (key, value) in [
        ("ws_board", 1),
        ("per_page", settings.threads_per_page),
        ("pages", pages),
        ("max_filesize", 0),
        ("max_webm_filesize", 0),
        ("max_webm_duration", 0),
        ("max_comment_chars", settings.body_chars_max),
        ("bump_limit", settings.bump_limit),
        ("image_limit", 0),
    ] {
        number(out, key, value as i64);
    }
    out.push_str(",\"cooldowns\":{\"threads\":");
    push_number(out, seconds(site.settings.threads_per_hour, 3_600) as u64);
    number(out, "replies", posts as i64);
    number(out, "images", posts as i64);
    out.push('}');
    flag(out, "is_archived", settings.overflow != Overflow::Prune);
    flag(out, "forced_anon", settings.name_chars_max == 0);
    flag(out, "user_ids", settings.poster_ids);
    for key in ["text_only", "code_tags", "sjis_tags"] {
        flag(out, key, true);
    }
    out.push('}');
}

/// A list of threads that tells only whether they changed, in pages of so many.
pub fn threads<'a>(threads: impl Iterator<Item = (Option<&'a str>, &'a ThreadSummary)>, per_page: usize) -> String {
    paged(threads, per_page, |out, (board, summary)| {
        out.push_str("{\"no\":");
        push_number(out, summary.no.get());
        if let Some(board) = board {
            push_board_of(out, board);
        }
        number(out, "last_modified", summary.last_at);
        out.push_str(",\"replies\":");
        push_number(out, u64::from(summary.posts).saturating_sub(1));
        out.push('}');
    })
}

/// A list of threads in pages of so many, each written by `push`.
pub fn paged<T>(threads: impl Iterator<Item = T>, per_page: usize, mut push: impl FnMut(&mut String, T)) -> String {
    let mut out = String::from("[");
    let mut threads = threads.peekable();
    let mut page = 0;
    // A board without threads has a page all the same.
    while page == 0 || threads.peek().is_some() {
        out.push_str(if page == 0 { "{\"page\":" } else { ",{\"page\":" });
        page += 1;
        push_number(&mut out, page);
        out.push_str(",\"threads\":[");
        for (at, thread) in threads.by_ref().take(per_page).enumerate() {
            if 0 < at {
                out.push(',');
            }
            push(&mut out, thread);
        }
        out.push_str("]}");
    }
    out.push(']');
    out
}

/// The newest archived threads.
pub fn archive(board: &Board) -> String {
    let mut out = String::from("[");
    for (at, no) in board.archived_latest(ARCHIVED_MAX).into_iter().enumerate() {
        if 0 < at {
            out.push(',');
        }
        push_number(&mut out, no.get());
    }
    out.push(']');
    out
}

/// Words that say what a thread is about, as they can stand in an address: `we-moved`. Empty if there are none.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let dash = usize::from(!slug.is_empty());
        if SLUG_BYTES_MAX < slug.len() + dash + word.len() {
            break;
        }
        slug.push_str(if dash == 0 { "" } else { "-" });
        slug.extend(word.chars().map(|c| c.to_ascii_lowercase()));
    }
    slug
}

/// Adds a field that is there only if it is so.
fn flag(out: &mut String, key: &str, is_so: bool) {
    if is_so {
        out.push_str(",\"");
        out.push_str(key);
        out.push_str("\":1");
    }
}

/// Adds a number; times before 1970 are below 0.
pub fn number(out: &mut String, key: &str, value: i64) {
    out.push_str(",\"");
    out.push_str(key);
    out.push_str(if value < 0 { "\":-" } else { "\":" });
    push_number(out, value.unsigned_abs());
}

fn open_text(out: &mut String, key: &str) {
    out.push_str(",\"");
    out.push_str(key);
    out.push_str("\":\"");
}

/// Adds a text as it stands between the quotes of a JSON string.
pub fn push_json(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = bytes::find(rest.as_bytes(), special) {
        // All of them are ASCII, so that the text may be cut before and after them.
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            byte => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.push_str("\\u00");
                out.push(HEX[usize::from(byte >> 4)].into());
                out.push(HEX[usize::from(byte & 15)].into());
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

fn special(b: u8) -> bool {
    (b == b'"') | (b == b'\\') | (b < b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_is_written_as_json_reads_it() {
        for c in (0..=0x2FFF).filter_map(char::from_u32) {
            let long = format!("{c} stands before a text of more than 16 bytes{c}{c}");
            for text in [format!("{c}"), format!("a{c}"), format!("{c}é"), long] {
                let mut out = String::from("\"");
                push_json(&mut out, &text);
                out.push('"');
                assert_eq!(serde_json::from_str::<String>(&out).expect("it is JSON"), text, "{out}");
            }
        }
    }

    #[test]
    fn an_address_says_what_a_thread_is_about() {
        assert_eq!(slug("Welcome to /po/!"), "welcome-to-po");
        assert_eq!(slug("日本語 and more"), "and-more");
        assert_eq!(slug("日本語"), "");
        assert_eq!(slug(&"word ".repeat(40)), ["word"; 10].join("-"));
        assert_eq!(slug(&"x".repeat(100)), "");
    }
}
