//! What stands in text without Markdown: quotes, bare addresses, spoiler marks, and code and art in tags.

use super::{Element, Mark, Op, Span, url};
use crate::model::quotes;
use crate::render::bytes;

/// Where text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Anywhere.
    Open,
    /// Inside a link, which can hold no other one.
    InLink,
}

/// A pair of tags whose content is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tag {
    /// `[code]…[/code]`
    Code,
    /// `[aa]…[/aa]`
    Art,
}

/// Text in tags: all of it, and what stands between them.
#[derive(Clone, Copy)]
pub(super) struct Tagged {
    pub(super) tag: Tag,
    pub(super) whole: Span,
    pub(super) content: Span,
}

/// Appends the steps for `span`, which holds no line break.
pub(super) fn scan(text: &str, span: Span, place: Place, ops: &mut Vec<Op>) {
    let mut scanner = Scanner { text, end: span.to, copied: span.from, tags: TagFinder::default(), place, ops };
    let mut at = span.from;
    // What something may begin with; of an address it is the middle.
    let begins = |b: u8| (b == b'>') | (b == b'|') | (b == b'[') | (b == b':');
    while let Some(plain) = bytes::find(&text.as_bytes()[at..span.to], begins) {
        at += plain;
        at = match text.as_bytes()[at] {
            b'>' => scanner.quote(at),
            b'|' => scanner.pipes(at),
            b'[' => scanner.bracket(at),
            _ => scanner.address(at),
        };
    }
    scanner.text_up_to(span.to);
}

struct Scanner<'a> {
    text: &'a str,
    end: usize,
    copied: usize,
    tags: TagFinder,
    place: Place,
    ops: &'a mut Vec<Op>,
}

impl Scanner<'_> {
    fn text_up_to(&mut self, at: usize) {
        if self.copied < at {
            self.ops.push(Op::Text(Span::new(self.copied, at)));
        }
        self.copied = at;
    }

    fn found(&mut self, op: Op, span: Span) -> usize {
        self.text_up_to(span.from);
        self.ops.push(op);
        self.copied = span.to;
        span.to
    }

    fn quote(&mut self, at: usize) -> usize {
        match quotes::parse(&self.text[at..self.end]) {
            Some((_, taken)) if self.place == Place::Open => {
                let span = Span::new(at, at + taken);
                self.found(Op::Quote(span), span)
            }
            _ => at + 1,
        }
    }

    fn address(&mut self, at: usize) -> usize {
        if self.place == Place::InLink || !self.text[at..self.end].starts_with("://") {
            return at + 1;
        }
        match url::around(&self.text[..self.end], at, self.copied) {
            Some(span) => self.found(Op::Url(span), span),
            None => at + 1,
        }
    }

    /// `||` before a word opens a spoiler and behind one closes it, but none opens inside a word: so `a || b` and
    /// `a||b` stay as typed. Three or more pipes are no mark.
    fn pipes(&mut self, at: usize) -> usize {
        let run = self.text[at..].bytes().take_while(|b| *b == b'|').count();
        let end = at + run;
        if run != 2 || self.text[..at].ends_with('|') || end > self.end {
            return end.min(self.end);
        }
        let before = self.text[..at].chars().next_back().unwrap_or('\n');
        let after = self.text[end..].chars().next().unwrap_or('\n');
        let alone = before == '\n' && after == '\n';
        let opens = alone || !after.is_whitespace() && !before.is_ascii_alphanumeric();
        let mark = Mark::Pipes { opens, closes: alone || !before.is_whitespace() };
        let span = Span::new(at, end);
        self.found(Op::Mark(mark, span), span)
    }

    fn bracket(&mut self, at: usize) -> usize {
        if let Some((mark, span)) = spoiler_tag(self.text, at, self.end) {
            return self.found(Op::Mark(mark, span), span);
        }
        let Some(tagged) = self.tags.at(self.text, at, self.end) else { return at + 1 };
        self.text_up_to(at);
        match tagged.tag {
            Tag::Art => self.ops.push(Op::Art(tagged.content)),
            Tag::Code => {
                let ends = [Op::Open(Element::Code), Op::Text(tagged.content), Op::Close(Element::Code)];
                self.ops.extend_from_slice(&ends);
            }
        }
        self.copied = tagged.whole.to;
        self.copied
    }
}

/// The spoiler tag at `at`.
pub(super) fn spoiler_tag(text: &str, at: usize, end: usize) -> Option<(Mark, Span)> {
    if is_kept_as_typed(text, at) {
        return None;
    }
    let (mark, tag) = match text.as_bytes().get(at + 1)? {
        b'/' => (Mark::TagClose, "[/spoiler]"),
        _ => (Mark::TagOpen, "[spoiler]"),
    };
    has_tag(&text[..end], at, tag).then(|| (mark, Span::new(at, at + tag.len())))
}

/// A backslash or a backtick before a tag shows it as typed.
fn is_kept_as_typed(text: &str, at: usize) -> bool {
    text[..at].ends_with(['\\', '`'])
}

fn has_tag(text: &str, at: usize, tag: &str) -> bool {
    text.as_bytes().get(at..at + tag.len()).is_some_and(|typed| typed.eq_ignore_ascii_case(tag.as_bytes()))
}

/// Finds text in tags; remembers after which place no closing tag comes, so that openers without one cost nothing.
#[derive(Default)]
pub(super) struct TagFinder {
    no_code: bool,
    no_art: bool,
}

impl TagFinder {
    /// The tagged text that opens at `at` and closes before `end`, with something between.
    pub(super) fn at(&mut self, text: &str, at: usize, end: usize) -> Option<Tagged> {
        let (tag, open, close, none) = match text.as_bytes().get(at + 1)? {
            b'c' | b'C' => (Tag::Code, "[code]", "[/code]", &mut self.no_code),
            b'a' | b'A' => (Tag::Art, "[aa]", "[/aa]", &mut self.no_art),
            _ => return None,
        };
        if *none || !has_tag(&text[..end], at, open) || is_kept_as_typed(text, at) {
            return None;
        }
        let content = at + open.len();
        match find_tag(&text[..end], content, close) {
            Some(found) if found > content => {
                let whole = Span::new(at, found + close.len());
                Some(Tagged { tag, whole, content: Span::new(content, found) })
            }
            Some(_) => None,
            None => {
                *none = true;
                None
            }
        }
    }
}

fn find_tag(text: &str, from: usize, tag: &str) -> Option<usize> {
    memchr::memmem::find_iter(&text.as_bytes()[from..], b"[/").map(|at| from + at).find(|at| has_tag(text, *at, tag))
}
