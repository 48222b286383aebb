//! HTML cut into text and tags, in linear time, whatever it is.
//!
//! Not a parser: comments of imageboards are short pieces that a program wrote, and what it did not write should come
//! out as text rather than be guessed at. A `<` that opens no tag is text.

use super::entities::{self, Place};

/// A piece of HTML.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token<'a> {
    /// Text between tags, character references not yet replaced.
    Text(&'a str),
    /// An opening tag: its name in lower case and what follows the name.
    Open(String, Attributes<'a>),
    /// A closing tag: its name in lower case.
    Close(String),
}

/// What follows the name in an opening tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attributes<'a>(&'a str);

/// How often a quoted attribute without an end is looked for; after that, every `>` ends a tag. Each such look can go
/// to the end of the text.
const PATIENCE: u32 = 16;

/// Longest name of an element that is looked at.
const NAME_BYTES_MAX: usize = 16;

/// Cuts HTML into tokens.
pub struct Tokens<'a> {
    html: &'a str,
    at: usize,
    patience: u32,
    no_more_tags: bool,
    no_more_comments: bool,
}

impl<'a> Tokens<'a> {
    /// The tokens of `html`.
    pub fn new(html: &'a str) -> Tokens<'a> {
        Tokens { html, at: 0, patience: PATIENCE, no_more_tags: false, no_more_comments: false }
    }

    /// Where the next token begins, unless a comment comes before it.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The tag that begins at the `<` where we are, and where it ends; `None` inside for what shows nothing.
    fn tag(&mut self) -> Option<(Option<Token<'a>>, usize)> {
        let rest = &self.html[self.at + 1..];
        if rest.starts_with("!--") {
            return self.comment_end().map(|end| (None, end));
        }
        let (closing, inner) = match rest.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, rest),
        };
        let named = inner.starts_with(|c: char| c.is_ascii_alphabetic());
        if !named && !rest.starts_with(['!', '?']) {
            return None;
        }
        let end = self.tag_end()?;
        if !named {
            return Some((None, end + 1));
        }
        let inner = &self.html[self.at + 1 + usize::from(closing)..end];
        let name_bytes = inner.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(inner.len());
        let name: String = inner[..name_bytes].chars().take(NAME_BYTES_MAX).map(|c| c.to_ascii_lowercase()).collect();
        let token = match closing {
            true => Token::Close(name),
            false => Token::Open(name, Attributes(&inner[name_bytes..])),
        };
        Some((Some(token), end + 1))
    }

    fn comment_end(&mut self) -> Option<usize> {
        if self.no_more_comments {
            return None;
        }
        let end = memchr::memmem::find(&self.html.as_bytes()[self.at..], b"-->").map(|end| self.at + end + 3);
        self.no_more_comments = end.is_none();
        end
    }

    /// Where the `>` of the tag stands that begins where we are.
    fn tag_end(&mut self) -> Option<usize> {
        if self.no_more_tags {
            return None;
        }
        let bytes = self.html.as_bytes();
        if 0 < self.patience {
            let mut at = self.at;
            while let Some(found) = memchr::memchr3(b'>', b'"', b'\'', &bytes[at..]).map(|found| at + found) {
                at = found + 1;
                if bytes[found] == b'>' {
                    return Some(found);
                }
                if bytes[found - 1] == b'=' {
                    match memchr::memchr(bytes[found], &bytes[at..]) {
                        Some(length) => at += length + 1,
                        None => break,
                    }
                }
            }
            self.patience -= 1;
        }
        let end = memchr::memchr(b'>', &bytes[self.at..]).map(|end| self.at + end);
        self.no_more_tags = end.is_none();
        end
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.html.as_bytes();
        while self.at < bytes.len() {
            let mut text_from = 0;
            if bytes[self.at] == b'<' {
                if let Some((token, end)) = self.tag() {
                    self.at = end;
                    match token {
                        Some(token) => return Some(token),
                        None => continue,
                    }
                }
                text_from = 1;
            }
            let from = self.at;
            let length = memchr::memchr(b'<', &bytes[from + text_from..]);
            self.at = length.map_or(bytes.len(), |length| from + text_from + length);
            return Some(Token::Text(&self.html[from..self.at]));
        }
        None
    }
}

impl Attributes<'_> {
    /// The value of an attribute, character references replaced; `None` if it is not there.
    pub fn get(&self, wanted: &str) -> Option<String> {
        let mut rest = self.0;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let name_bytes = rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
            let name = &rest[..name_bytes];
            rest = rest[name_bytes..].trim_ascii_start();
            let mut value = "";
            if let Some(after) = rest.strip_prefix('=') {
                (value, rest) = value_at(after.trim_ascii_start());
            }
            if name.eq_ignore_ascii_case(wanted) {
                return Some(entities::decode(value, Place::Attribute));
            }
        }
    }

    /// Whether the element is of this class.
    pub fn has_class(&self, class: &str) -> bool {
        self.get("class").is_some_and(|classes| classes.split_ascii_whitespace().any(|one| one == class))
    }
}

/// The value at the start of `text`, and what follows it.
fn value_at(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    text.split_at(text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len()))
}
