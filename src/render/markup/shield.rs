//! Shows a line to pulldown-cmark with inert characters where the text must stay as typed.
//!
//! Each byte keeps its place, so that places in the shielded line are places in the line.

use super::Span;
use super::scan::{TagFinder, spoiler_tag};
use super::url;

/// Stands for what reads like a word, such as an address.
const WORD: u8 = b'x';

/// Stands for punctuation.
const POINT: u8 = b',';

/// Longest name of a program's making that is told from emphasis.
const NAME_BYTES_MAX: usize = 64;

/// How far back a word is looked at for being a path.
const PATH_BYTES: usize = 64;

/// Appends `line` of `text` to `out`, shielded.
pub(super) fn line(text: &str, line: Span, out: &mut String) {
    let mut shield = Shield { text, line, copied: line.from, tags: TagFinder::default(), starred: [false; 4], out };
    let bytes = text.as_bytes();
    let mut at = line.from;
    let begins = |b: u8| matches!(b, b'<' | b'!' | b']' | b'[' | b':' | b'*' | b'_' | b'`');
    while let Some(plain) = bytes[at..line.to].iter().position(|byte| begins(*byte)) {
        at += plain;
        at = match bytes[at] {
            b'<' => shield.cover(at, at + 1, POINT),
            b'!' if bytes[at + 1..line.to].starts_with(b"[") => shield.cover(at, at + 2, POINT),
            b']' => shield.closing_bracket(at),
            b'[' => shield.opening_bracket(at),
            b':' => shield.address(at),
            b'*' | b'_' => shield.emphasis(at),
            b'`' => shield.backtick(at),
            _ => at + 1,
        };
    }
    shield.copy_up_to(line.to);
}

struct Shield<'a> {
    text: &'a str,
    line: Span,
    copied: usize,
    tags: TagFinder,
    /// Whether emphasis by one, two or three stars may be open.
    starred: [bool; 4],
    out: &'a mut String,
}

impl Shield<'_> {
    fn copy_up_to(&mut self, at: usize) {
        self.out.push_str(&self.text[self.copied..at]);
        self.copied = at;
    }

    fn cover(&mut self, from: usize, to: usize, with: u8) -> usize {
        self.copy_up_to(from);
        self.out.extend(std::iter::repeat_n(char::from(with), to - from));
        self.copied = to;
        to
    }

    fn rest(&self, at: usize) -> &str {
        &self.text[at..self.line.to]
    }

    fn before(&self, at: usize) -> char {
        self.text[self.line.from..at].chars().next_back().unwrap_or(' ')
    }

    fn after(&self, at: usize) -> char {
        self.rest(at).chars().next().unwrap_or(' ')
    }

    fn address(&mut self, at: usize) -> usize {
        if !self.rest(at).starts_with("://") {
            return at + 1;
        }
        match url::around(&self.text[..self.line.to], at, self.copied) {
            Some(span) => self.cover(span.from, span.to, WORD),
            None => at + 1,
        }
    }

    /// Only `[words](https://…)` is a link: no other scheme, no relative address, no title.
    fn closing_bracket(&mut self, at: usize) -> usize {
        let rest = self.rest(at);
        if !rest.starts_with("](") || self.is_escaped(at) {
            return at + 1;
        }
        let colon = ["](http", "](https"]
            .iter()
            .map(|start| start.len())
            .find(|n| rest[1..].get(n - 1..).is_some_and(|r| r.starts_with("://")));
        let span = colon.and_then(|colon| url::around(&self.text[..self.line.to], at + colon, at + 2));
        match span {
            Some(span) if span.from == at + 2 && self.rest(span.to).starts_with(')') => at + 1,
            _ => self.cover(at, at + 1, POINT),
        }
    }

    fn opening_bracket(&mut self, at: usize) -> usize {
        if let Some((_, span)) = spoiler_tag(self.text, at, self.line.to) {
            return self.cover(span.from, span.to, POINT);
        }
        match self.tags.at(self.text, at, self.line.to) {
            Some(tagged) => self.cover(tagged.whole.from, tagged.whole.to, WORD),
            None => at + 1,
        }
    }

    fn emphasis(&mut self, at: usize) -> usize {
        if self.is_escaped(at) {
            return at + 1;
        }
        if let Some(end) = self.name_end(at) {
            return self.cover(at, end, WORD);
        }
        let mark = self.text.as_bytes()[at];
        let end = at + self.rest(at).bytes().take_while(|b| *b == mark).count();
        let (before, after) = (self.before(at), self.after(end));
        let run = end - at;
        let typed = match mark {
            b'*' => is_typed_star(run, before, after) || self.is_inside_word(run, before, after),
            _ => is_typed_underscore(run, before, after),
        };
        if typed || run > 3 || self.is_face(at, end, mark) {
            return self.cover(at, end, POINT);
        }
        end
    }

    /// Whether a backslash takes the meaning of the sign at `at`: an odd number of them stands before it, and they are
    /// not part of a path such as `C:\dir\*`.
    fn is_escaped(&self, at: usize) -> bool {
        let before = &self.text.as_bytes()[self.line.from..at];
        let slashes = before.iter().rev().take_while(|b| **b == b'\\').count();
        let before = &before[..before.len() - slashes];
        // Not all of a long line: a body of nothing but escapes must not be looked at again and again.
        let near = &before[before.len().saturating_sub(PATH_BYTES)..];
        let word = near.rsplit(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
        slashes % 2 == 1 && !word.windows(2).any(|pair| pair[0] == b'\\' && pair[1].is_ascii_alphanumeric())
    }

    /// Stars in the middle of a word, as in `f*ck` and `2*3`. They may end emphasis that began before a word: `*cat*s`.
    fn is_inside_word(&mut self, run: usize, before: char, after: char) -> bool {
        let Some(starred) = self.starred.get_mut(run) else { return false };
        let closes = *starred;
        *starred = !before.is_alphanumeric() && !after.is_whitespace();
        before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric() && !closes
    }

    /// The end of a name such as `__init__`, if it is plainly one: `__init__.py`, `__init__()`, `x.__class__`.
    fn name_end(&self, at: usize) -> Option<usize> {
        let rest = self.rest(at);
        if !rest.starts_with("__") {
            return None;
        }
        let length = rest.bytes().take(NAME_BYTES_MAX).take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let mut behind = rest[length..].chars();
        let goes_on = match behind.next() {
            Some('(') => true,
            Some('.') => behind.next().is_some_and(char::is_alphanumeric),
            _ => self.before(at) == '.',
        };
        (goes_on && length > 4 && rest[..length].ends_with("__")).then_some(at + length)
    }

    /// `*_*`, `*.*`, `_/_`: a single sign between two marks.
    fn is_face(&self, at: usize, end: usize, mark: u8) -> bool {
        let mark = char::from(mark);
        let sign = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && c != mark && c != '\\';
        let mut ahead = self.rest(end).chars();
        let mut behind = self.text[self.line.from..at].chars().rev();
        let is = |side: &mut dyn Iterator<Item = char>| {
            side.next().is_some_and(sign) && side.next() == Some(mark) && side.next() != Some(mark)
        };
        end - at == 1 && (is(&mut ahead) || is(&mut behind))
    }

    /// A backtick in a face, such as `(´・ω・｀)` typed in ASCII, opens no code.
    fn backtick(&mut self, at: usize) -> usize {
        let end = at + self.rest(at).bytes().take_while(|b| *b == b'`').count();
        let (before, after) = (self.before(at), self.after(end));
        let left_cheek = matches!(before, '(' | '（') && !after.is_ascii();
        let mut behind = self.text[self.line.from..at].chars().rev().take(3);
        let right_cheek = matches!(after, ')' | '）') && (!before.is_ascii() || behind.any(|c| c == '('));
        if end - at == 1 && (left_cheek || right_cheek) { self.cover(at, end, POINT) } else { end }
    }
}

/// A star in a face, as in `(*^_^*)`.
fn is_typed_star(run: usize, before: char, after: char) -> bool {
    let sign = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !matches!(c, '*' | '_' | '`' | '[' | '|');
    let left_cheek = matches!(before, '(' | '（') && sign(after);
    let right_cheek = matches!(after, ')' | '）') && sign(before) && !".,!?'\":;)]…".contains(before);
    run == 1 && (left_cheek || right_cheek)
}

/// An underscore in a face, such as `>_<` or `-_-`.
fn is_typed_underscore(run: usize, before: char, after: char) -> bool {
    let sign = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
    let opens = "\"'([*|".contains(before);
    let closes = ".,!?:;\"')]*|".contains(after);
    run == 1 && sign(before) && sign(after) && (before == after || !(opens || closes))
}
