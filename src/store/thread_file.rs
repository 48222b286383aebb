//! The thread file: `--- {header}` lines with the text of each post below.
//!
//! A post opens with a line `--- {…}`, a YAML document start and a flow mapping. The writer emits JSON, which is YAML;
//! the reader tries JSON first and YAML second. The body goes on until the next such line, or the end of the file, less
//! the line end that the writer puts after it and the empty line before the next post. A body line that looks like a
//! header, with any number of backslashes before it, carries one backslash more in the file than in the post.
//!
//! A post that cannot be read is passed over and reported; the others of the file are still there. What the file
//! holds is never rewritten by us: a reply is added at its end.

use std::borrow::Cow;
use std::path::Path;

use super::header::{self, Header, Lines, Place};
use crate::model::{Post, PostId, PostNo, Problem, Thread, ThreadFlags};

/// The largest thread file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 256 << 20;

/// What every header line begins with.
const OPENING: &str = "--- {";

/// A thread as read, and what was wrong with its file. `None` if no post could be read at all.
#[derive(Debug)]
pub struct Reading {
    /// The thread.
    pub thread: Option<Thread>,
    /// Everything that was wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Reads a thread file. `path` serves messages, and its stem must be the opening post's number.
pub fn read(path: &Path, bytes: &[u8]) -> Reading {
    let mut problems = Vec::new();
    let text = as_text(path, bytes, &mut problems);
    let lines = Lines::of(&text);
    let mut thread: Option<Thread> = None;
    for section in sections(path, &text, &mut problems) {
        let place = Place { path, lines: &lines, from: section.from };
        let Some(header) = header::read(section.header, &place, &mut problems) else { continue };
        take_post(header, section, &place, &mut thread, &mut problems);
    }
    if let Some(found) = &thread
        && path.file_stem().and_then(|stem| stem.to_str()) != Some(&found.no().to_string())
    {
        let message = format!("the file's name does not match its first post, number {}", found.no());
        problems.push(Problem::new(path, message).hint(format!("rename it to `{}.md`", found.no())));
        thread = None;
    } else if thread.is_none() && problems.is_empty() {
        problems
            .push(Problem::new(path, "no post in this file").hint("a post begins with a line `--- {\"no\": 1, …}`"));
    }
    Reading { thread, problems }
}

/// The text of the file: a byte order mark is dropped, and what is not UTF-8 is reported and replaced.
pub(super) fn as_text<'a>(path: &Path, bytes: &'a [u8], problems: &mut Vec<Problem>) -> Cow<'a, str> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
            let message = "these bytes are not UTF-8; they are shown as \u{fffd}";
            problems.push(Problem::new(path, message).at(line, 1).hint("save the file as UTF-8"));
            String::from_utf8_lossy(bytes)
        }
    }
}

/// A header line and the body below it, as they stand in the file.
pub(super) struct Section<'a> {
    /// Where the header's line begins in the text.
    pub from: usize,
    /// From the `{` on, without the line end.
    pub header: &'a str,
    /// Whether an editor has given the lines CRLF ends.
    crlf: bool,
    /// Whether something in the body looks like a header, and so may carry a backslash more than was typed.
    escaped: bool,
    raw_body: &'a str,
    last: bool,
}

impl Section<'_> {
    /// Another post follows, with this many bytes up to the end of the file.
    fn end_before(&mut self, rest_bytes: usize) {
        self.raw_body = &self.raw_body[..self.raw_body.len() - rest_bytes];
        self.last = false;
    }

    /// The body as it was typed.
    pub fn body(&self) -> String {
        let text = match self.crlf {
            // Half a line end at the end of the file is one: a post behind it would make it whole.
            true if self.last && self.raw_body.ends_with('\r') => {
                Cow::Owned(format!("{}\n", self.raw_body).replace("\r\n", "\n"))
            }
            true => Cow::Owned(self.raw_body.replace("\r\n", "\n")),
            false => Cow::Borrowed(self.raw_body),
        };
        // The writer ends each body with a line end, and puts an empty line between posts.
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = if self.last { text } else { text.strip_suffix('\n').unwrap_or(text) };
        if self.escaped { unescape(text) } else { text.to_owned() }
    }
}

/// Cuts a file into its posts. Text before the first header is reported.
pub(super) fn sections<'a>(path: &Path, text: &'a str, problems: &mut Vec<Problem>) -> Vec<Section<'a>> {
    let bytes = text.as_bytes();
    let mut sections: Vec<Section<'a>> = Vec::new();
    let mut before_first = text;
    for at in memchr::memmem::find_iter(bytes, OPENING) {
        let opens_post = at == 0 || bytes[at - 1] == b'\n';
        match sections.last_mut() {
            Some(section) if opens_post => section.end_before(text.len() - at),
            Some(section) => section.escaped = true,
            None if opens_post => before_first = &text[..at],
            None => {}
        }
        if opens_post {
            let head_end = memchr::memchr(b'\n', &bytes[at..]).map_or(text.len(), |length| at + length);
            let head = &text[at..head_end];
            let header = head[OPENING.len() - 1..].trim_end();
            let raw_body = text.get(head_end + 1..).unwrap_or_default();
            sections.push(Section {
                from: at,
                header,
                crlf: head.ends_with('\r'),
                escaped: false,
                raw_body,
                last: true,
            });
        }
    }
    if !before_first.trim().is_empty() {
        let message = "text before the first post's header";
        problems.push(Problem::new(path, message).at(1, 1).hint("a post begins with a line `--- {\"no\": 1, …}`"));
    }
    sections
}

fn take_post(
    header: Header,
    section: Section<'_>,
    place: &Place<'_>,
    thread: &mut Option<Thread>,
    problems: &mut Vec<Problem>,
) {
    let Some(no) = header.no else {
        let hint = "give the post a number that is higher than all others of its board";
        problems.push(place.problem("this post has no `no`").hint(hint));
        return;
    };
    let before = thread.as_ref().map(|thread| thread.posts.as_slice()).unwrap_or_default();
    if let Some(problem) = misplaced(no, before, place) {
        let skip = no <= before[0].no || before.iter().any(|post| post.no == no);
        problems.push(problem);
        if skip {
            return;
        }
    }
    let mut post = Post::new(no);
    post.at = header.at.or_else(|| before.last().map(|post| post.at)).unwrap_or_default();
    // What stands elsewhere does not stand here.
    post.deleted = header.deleted || header.moved.is_some();
    post.moved = header.moved;
    post.sage = header.sage;
    post.id = header.id;
    if !post.deleted {
        post.name = header.name;
        post.trip = header.trip;
        post.poster_id = header.poster_id;
        post.capcode = header.capcode;
        post.subject = header.subject;
        post.body = section.body();
    }
    match thread {
        Some(thread) => thread.posts.push(post),
        None => *thread = Some(Thread { flags: header.flags, changed: header.changed, posts: vec![post] }),
    }
}

/// What is wrong with a number that does not rise.
fn misplaced(no: PostNo, before: &[Post], place: &Place<'_>) -> Option<Problem> {
    let last = before.last()?;
    if last.no < no {
        return None;
    }
    if before.iter().any(|post| post.no == no) {
        let message = format!("post number {no} stands twice in this file; the second one is passed over");
        return Some(place.problem(message).hint("give the second one a number that is free on its board"));
    }
    let message = format!("post number {no} comes after {}, but numbers rise", last.no);
    Some(place.problem(message).hint("put the posts in the order of their numbers"))
}

/// The bytes of a whole thread.
pub fn write(thread: &Thread) -> Vec<u8> {
    let mut out = Vec::new();
    for (place, post) in thread.posts.iter().enumerate() {
        let of_op = (place == 0).then_some((thread.flags, thread.changed));
        write_post(&mut out, post, of_op);
    }
    out
}

/// What a file with the bytes `old` becomes when `posts` are added to it.
pub fn append(old: &[u8], posts: &[Post]) -> Vec<u8> {
    let mut out = Vec::with_capacity(old.len() + 512 * posts.len());
    out.extend_from_slice(old);
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    for post in posts {
        write_post(&mut out, post, None);
    }
    out
}

/// Whether the header of a post, be it that of an opening post with everything in it, can be read again.
pub fn has_room_for(post: &Post) -> bool {
    let texts = [&post.name, &post.trip, &post.capcode, &post.subject].map(String::len).iter().sum::<usize>();
    // Nothing takes more than six bytes for one, and all other entries together take far less than the rest.
    if texts < header::HEADER_BYTES_MAX / 8 {
        return true;
    }
    let flags = ThreadFlags { sticky: true, locked: true, archived: true, bumplock: true, cyclic: true };
    let mut out = Vec::new();
    write_post(&mut out, &Post { body: String::new(), ..post.clone() }, Some((flags, Some(post.at))));
    out.len() <= header::HEADER_BYTES_MAX
}

fn write_post(out: &mut Vec<u8>, post: &Post, of_op: Option<(ThreadFlags, Option<chrono::DateTime<chrono::Utc>>)>) {
    if !out.is_empty() {
        out.push(b'\n');
    }
    let mut line = header::Writer::new();
    line.number("no", post.no.get());
    line.time("at", post.at);
    write_fields(&mut line, post);
    if let Some((flags, changed)) = of_op {
        flags.named().into_iter().for_each(|(name, on)| line.flag(name, on));
        if let Some(changed) = changed {
            line.time("changed", changed);
        }
    }
    line.text("moved", &post.moved.as_ref().map(ToString::to_string).unwrap_or_default());
    line.flag("deleted", post.deleted);
    line.text("id", post.id.as_ref().map_or("", PostId::as_str));
    out.extend_from_slice(line.finish().as_bytes());
    write_body(out, if post.deleted { "" } else { &post.body });
}

/// The fields that a poster fills in, as they stand in thread files and in the inbox.
pub(super) fn write_fields(line: &mut header::Writer, post: &Post) {
    if !post.deleted {
        line.text("name", &post.name);
        line.text("trip", &post.trip);
        line.text("poster_id", &post.poster_id);
        line.text("capcode", &post.capcode);
        line.text("subject", &post.subject);
    }
    line.flag("sage", post.sage);
}

/// Writes a body with its line end.
pub(super) fn write_body(out: &mut Vec<u8>, body: &str) {
    for line in body.split('\n') {
        if looks_like_header(line) {
            out.push(b'\\');
        }
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
}

/// Whether a line of a body is a header after any number of backslashes.
fn looks_like_header(line: &str) -> bool {
    line.trim_start_matches('\\').starts_with(OPENING)
}

fn unescape(text: &str) -> String {
    let plain = |line| if looks_like_header(line) { line.strip_prefix('\\').unwrap_or(line) } else { line };
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}
