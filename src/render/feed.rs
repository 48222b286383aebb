//! Atom (RFC 4287): the newest threads of a board or of all, and the newest posts of a thread.
//!
//! All addresses are whole, also those in the posts. An entry's id is a `tag:` URI (RFC 4151) of the site's host, the
//! board and the number, so it stays the same when the site moves to HTTPS or below another path, and a reader shows no
//! post twice. What a post says stands in a CDATA section: its HTML has no bare `>` but at the end of tags, so nothing
//! in it can end the section.

use std::borrow::Cow;
use std::fmt::Write;

use super::digits::push_number;
use super::escape::push_escaped;
use super::time::push_iso;
use super::{GENERATOR, bytes, links};
use crate::model::{BoardSlug, PageKey, Post, Site, capcode};

/// Threads in a feed of a board, or of all.
pub const THREADS: usize = 25;

/// Posts in the feed of a thread.
pub const POSTS: usize = 50;

/// The year that stands in ids. It says when the host was that of the site, and is never changed.
const TAG_YEAR: &str = "2026";

/// What stands at the head of a feed.
pub struct Head<'a> {
    /// What it is a feed of.
    pub title: &'a str,
    /// A sentence; may be empty.
    pub subtitle: &'a str,
    /// What its id says behind the host, such as `tech`.
    pub tag: &'a str,
    /// The feed itself.
    pub own: &'a PageKey,
    /// The page that shows the same.
    pub page: &'a PageKey,
    /// Seconds since the Unix epoch at which something in it was new.
    pub updated: i64,
}

/// A feed of entries that are written already.
pub fn feed<'a>(site: &Site, head: &Head<'_>, entries: impl Iterator<Item = &'a str>) -> String {
    let mut out = begin(site, head, 0);
    for entry in entries {
        out.push_str(entry);
    }
    end(out)
}

/// Everything before the entries, with room for so many bytes of these.
pub fn begin(site: &Site, head: &Head<'_>, bytes: usize) -> String {
    let mut out = String::with_capacity(2_048 + bytes);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"");
    push_text(&mut out, &site.settings.locale);
    out.push_str("\">\n<id>");
    push_tag(&mut out, site, head.tag);
    out.push_str("</id>\n<title>");
    push_text(&mut out, head.title);
    out.push_str("</title>\n");
    if !head.subtitle.is_empty() {
        out.push_str("<subtitle>");
        push_text(&mut out, head.subtitle);
        out.push_str("</subtitle>\n");
    }
    out.push_str("<updated>");
    push_iso(&mut out, head.updated);
    out.push_str("</updated>\n<link rel=\"self\" type=\"application/atom+xml\" href=\"");
    push_text(&mut out, &address(site, head.own));
    out.push_str("\"/>\n<link rel=\"alternate\" type=\"text/html\" href=\"");
    push_text(&mut out, &address(site, head.page));
    out.push_str("\"/>\n<generator>");
    out.push_str(GENERATOR);
    out.push_str("</generator>\n");
    out
}

/// Ends what [`begin`] began.
pub fn end(mut out: String) -> String {
    out.push_str("</feed>\n");
    out
}

/// Writes posts of one thread as entries.
pub struct EntryWriter<'a> {
    origin: &'a str,
    /// What stands before the number in ids.
    tag: String,
    /// The whole address of the thread's page, as it is and as it stands in an attribute.
    thread: String,
    thread_escaped: String,
    time: String,
}

impl<'a> EntryWriter<'a> {
    /// For a thread of `board` whose page is `thread`.
    pub fn new(site: &'a Site, board: &BoardSlug, thread: &PageKey) -> EntryWriter<'a> {
        let (mut tag, mut thread_escaped) = (String::new(), String::new());
        push_tag(&mut tag, site, board.as_str());
        tag.push('/');
        let thread = address(site, thread);
        push_text(&mut thread_escaped, &thread);
        let origin = site.settings.base_url.origin().unwrap_or_default();
        EntryWriter { origin, tag, thread, thread_escaped, time: String::new() }
    }

    /// Adds a post. `body` is its HTML as it stands on its thread's page, `name` what it is signed with.
    pub fn push(&mut self, out: &mut String, post: &Post, title: &str, name: &str, body: &str) {
        out.push_str("<entry>\n<id>");
        out.push_str(&self.tag);
        push_number(out, post.no.get());
        out.push_str("</id>\n<title>");
        push_text(out, title);
        out.push_str("</title>\n<published>");
        self.time.clear();
        push_iso(&mut self.time, post.at.timestamp());
        out.push_str(&self.time);
        out.push_str("</published>\n<updated>");
        out.push_str(&self.time);
        out.push_str("</updated>\n<author><name>");
        push_text(out, name);
        if !post.trip.is_empty() {
            out.push(' ');
            push_text(out, &post.trip);
        }
        if !post.capcode.is_empty() {
            out.push_str(" ## ");
            push_text(out, capcode::shown(&post.capcode));
        }
        out.push_str("</name></author>\n<link rel=\"alternate\" type=\"text/html\" href=\"");
        out.push_str(&self.thread_escaped);
        out.push_str("#p");
        push_number(out, post.no.get());
        out.push_str("\"/>\n<content type=\"html\"><![CDATA[");
        out.push_str(&sayable(&links::whole(body, &self.thread, self.origin)));
        out.push_str("]]></content>\n</entry>\n");
    }
}

/// The whole address of a page.
pub fn address(site: &Site, key: &PageKey) -> String {
    [site.settings.base_url.as_str(), &key.path()].concat()
}

fn push_tag(out: &mut String, site: &Site, tag: &str) {
    let origin = site.settings.base_url.origin().unwrap_or_default();
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    // A port is no part of a name.
    let host = host.rsplit_once(':').map_or(host, |(name, port)| if port.contains(']') { host } else { name });
    let _ = write!(out, "tag:{host},{TAG_YEAR}:{tag}");
}

fn push_text(out: &mut String, text: &str) {
    push_escaped(out, &sayable(text));
}

/// A text without what XML cannot say, not even by reference: most control characters, U+FFFE and U+FFFF.
fn sayable(text: &str) -> Cow<'_, str> {
    let unsayable = |c: char| matches!(c, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}');
    let control = |b: u8| (b < b' ') & (b != b'\t') & (b != b'\n') & (b != b'\r');
    // Both of the other two begin so, and little else does.
    let rare = || memchr::memmem::find(text.as_bytes(), b"\xEF\xBF").is_some();
    if (bytes::hold(text.as_bytes(), control) || rare()) && text.contains(unsayable) {
        return text.replace(unsayable, "").into();
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_say_is_left_out() {
        assert_eq!(sayable("a\0b\x1Fc\u{FFFE}d\u{FFFF}e\x0B"), "abcde");
        for text in ["tab\tand\r\nline", "日本語ｱｲｳ￾".trim_end_matches('\u{FFFE}'), "�", "🦀"] {
            assert_eq!(sayable(text), text);
        }
    }
}
