//! The text of lines that belong together, read as Markdown where it can be Markdown.

use super::holds::Line;
use super::scan::{self, Place};
use super::{Element, Op, Span, shield};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Stands before each line that is shown to pulldown-cmark, so that no line begins a block. The space lets a mark
/// behind it open.
const PREFIX: &str = ", ";

/// Appends the steps for `lines`, with line breaks between them.
pub(super) fn read(text: &str, lines: &[Line], ops: &mut Vec<Op>) {
    let (from, to) = match may_be_markdown(text, lines) {
        true => marked(text, lines),
        false => (lines.len(), lines.len()),
    };
    plain(text, &lines[..from], ops);
    if from < to {
        break_after(from, ops);
        markdown(text, &lines[from..to], ops);
    }
    if to < lines.len() {
        break_after(to, ops);
        plain(text, &lines[to..], ops);
    }
}

/// Appends the steps for lines without Markdown.
fn plain(text: &str, lines: &[Line], ops: &mut Vec<Op>) {
    for (number, line) in lines.iter().enumerate() {
        break_after(number, ops);
        match line.holds.scanned() {
            true => scan::scan(text, line.span, Place::Open, ops),
            false if line.holds.special() => ops.push(Op::Text(line.span)),
            false => ops.push(Op::Plain(line.span)),
        }
    }
}

/// A line break, if lines stand before it.
fn break_after(lines: usize, ops: &mut Vec<Op>) {
    if lines > 0 {
        ops.push(Op::Break);
    }
}

/// From the first to the last line that holds a mark: the others need not be shown to pulldown-cmark.
fn marked(text: &str, lines: &[Line]) -> (usize, usize) {
    // The bracket of a link may stand lines before what shows that it is one.
    let holds_mark = |line: &Line| {
        line.holds.inline() || line.holds.scanned() && memchr::memchr(b'[', line.span.of(text).as_bytes()).is_some()
    };
    let from = lines.iter().position(holds_mark).unwrap_or(0);
    let to = lines.iter().rposition(holds_mark).map_or(lines.len(), |last| last + 1);
    // Spaces and backslashes before a line break are part of it, and those at the end of all are dropped.
    let ends_plainly = |line: &Line| !line.span.of(text).ends_with(|c: char| c == '\\' || c.is_whitespace());
    let apart = lines[..from].iter().chain(&lines[to - 1..]).all(ends_plainly);
    if apart { (from, to) } else { (0, lines.len()) }
}

/// Emphasis and code need a mark to open and one to close; links and escapes show by themselves.
fn may_be_markdown(text: &str, lines: &[Line]) -> bool {
    let mut marks = [0; 3];
    for line in lines.iter().filter(|line| line.holds.inline()) {
        let bytes = line.span.of(text).as_bytes();
        for at in memchr::memchr3_iter(b'*', b'_', b'`', bytes) {
            let mark = match bytes[at] {
                b'*' => 0,
                b'_' => 1,
                _ => 2,
            };
            marks[mark] += 1;
            if marks[mark] == 2 {
                return true;
            }
        }
        let link = |at: usize| bytes.get(at + 1) == Some(&b'(');
        if memchr::memchr(b'\\', bytes).is_some() || memchr::memchr_iter(b']', bytes).any(link) {
            return true;
        }
    }
    false
}

fn markdown(text: &str, lines: &[Line], ops: &mut Vec<Op>) {
    let length: usize = lines.iter().map(|line| line.span.to - line.span.from + PREFIX.len() + 1).sum();
    let mut source = String::with_capacity(length);
    let mut starts = Vec::with_capacity(lines.len());
    for line in lines {
        starts.push(source.len());
        source.push_str(PREFIX);
        shield::line(text, line.span, &mut source);
        source.push('\n');
    }
    let mut reader = Reader { text, source: &source, lines, starts, line: 0, at: 0, links: Vec::new(), ops };
    for (event, range) in Parser::new_ext(&source, Options::empty()).into_offset_iter() {
        reader.event(&event, Span::new(range.start, range.end));
    }
}

/// Follows the events. Only their kinds and places count.
struct Reader<'a> {
    text: &'a str,
    source: &'a str,
    lines: &'a [Line],
    /// Where each line's prefix stands in the source.
    starts: Vec<usize>,
    /// The line that the last place was on.
    line: usize,
    /// Up to where the source is dealt with.
    at: usize,
    /// The open link: the index of its step, and its bracket.
    links: Vec<(usize, Span)>,
    ops: &'a mut Vec<Op>,
}

impl Reader<'_> {
    fn event(&mut self, event: &Event<'_>, range: Span) {
        match event {
            Event::Start(Tag::Emphasis) => self.opens(Element::Em, range.from + 1),
            Event::Start(Tag::Strong) => self.opens(Element::Strong, range.from + 2),
            Event::Start(Tag::Link { .. }) => {
                let bracket = self.typed(Span::new(range.from, range.from + 1));
                self.links.push((self.ops.len(), bracket));
                self.opens(Element::Link(Span::new(0, 0)), range.from + 1);
            }
            Event::End(TagEnd::Emphasis) => self.closes(Element::Em, range.to),
            Event::End(TagEnd::Strong) => self.closes(Element::Strong, range.to),
            Event::End(TagEnd::Link) => self.link_ends(range.to),
            Event::Code(_) => self.code(range),
            Event::SoftBreak => self.line_break(range),
            Event::HardBreak => self.line_break(range),
            Event::Start(_) | Event::End(_) => {}
            _ => self.plain(range),
        }
    }

    fn opens(&mut self, element: Element, at: usize) {
        self.ops.push(Op::Open(element));
        self.at = at;
    }

    fn closes(&mut self, element: Element, at: usize) {
        self.ops.push(Op::Close(element));
        self.at = at;
    }

    /// Now it is known where the address stands: `](address)` is what is left.
    fn link_ends(&mut self, to: usize) {
        let Some((start, bracket)) = self.links.pop() else { return };
        let address = self.typed(Span::new(self.at + 2, to - 1));
        let shows = |op: &Op| match op {
            Op::Text(span) | Op::Plain(span) => {
                span.of(self.text).chars().any(|c| !c.is_whitespace() && !c.is_control())
            }
            Op::Art(_) => true,
            _ => false,
        };
        if self.ops[start..].iter().any(shows) {
            self.ops[start] = Op::Open(Element::Link(address));
            return self.closes(Element::Link(address), to);
        }
        // Nobody could see or press it.
        self.ops[start] = Op::Text(bracket);
        let rest = Span::new(address.from - 2, address.to + 1);
        scan::scan(self.text, rest, Place::Open, self.ops);
        self.at = to;
    }

    fn code(&mut self, range: Span) {
        let ticks = self.source[range.from..].bytes().take_while(|b| *b == b'`').count();
        let inner = Span::new(range.from + ticks, range.to - ticks);
        self.opens(Element::Code, inner.from);
        let typed = inner.of(self.source);
        let padded = typed.len() > 1 && typed.starts_with(' ') && typed.ends_with(' ') && typed.trim() != "";
        let inner = if padded { Span::new(inner.from + 1, inner.to - 1) } else { inner };
        let mut from = inner.from;
        for (number, line) in inner.of(self.source).split('\n').enumerate() {
            if number > 0 {
                self.ops.push(Op::Break);
            }
            let span = self.typed(Span::new(from, from + line.len()));
            if !span.is_empty() {
                self.ops.push(Op::Text(span));
            }
            from += line.len() + 1;
        }
        self.closes(Element::Code, range.to);
    }

    fn line_break(&mut self, range: Span) {
        if range.of(self.source).starts_with('\\') {
            let typed = self.typed(Span::new(range.from, range.from + 1));
            self.ops.push(Op::Text(typed));
        }
        self.ops.push(Op::Break);
        self.at = range.to;
    }

    fn plain(&mut self, range: Span) {
        let mut typed = self.typed(range);
        let escaped = self.at + 1 == range.from && self.source.as_bytes()[self.at] == b'\\';
        if escaped && typed.from > 0 {
            // Not read again, so that an escaped `>` or `[` begins nothing.
            let first = if self.hides_backslash(typed.from) { typed.from } else { typed.from - 1 };
            let behind = typed.from + self.text[typed.from..].chars().next().map_or(0, char::len_utf8);
            self.ops.push(Op::Text(Span::new(first, behind)));
            typed.from = behind;
        }
        let place = if self.links.is_empty() { Place::Open } else { Place::InLink };
        if !typed.is_empty() {
            scan::scan(self.text, typed, place, self.ops);
        }
        self.at = range.to;
    }

    /// Whether the backslash before `at` does something, and so is not shown. Others are what was meant: `C:\dir`,
    /// `\\server`, `¯\_(ツ)_/¯`.
    fn hides_backslash(&self, at: usize) -> bool {
        let (before, after) = (&self.text[..at - 1], &self.text[at + 1..]);
        let at_line_start = before.is_empty() || before.ends_with('\n');
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let mark = |c: &char| matches!(c, '\\' | '_');
        let shielded = self.source.as_bytes()[self.at + 1] != self.text.as_bytes()[at];
        match self.text.as_bytes()[at] {
            _ if shielded => false,
            b'*' | b'`' | b'[' | b']' => true,
            b'_' => {
                word(after.chars().take(8).find(|c| !mark(c))) || word(before.chars().rev().take(8).find(|c| !mark(c)))
            }
            b'|' => after.starts_with('|'),
            b'>' => at_line_start || after.starts_with('>'),
            b'-' | b'+' | b'~' => at_line_start,
            _ => false,
        }
    }

    /// The place in the text of a place in the source. Both lie on one line.
    fn typed(&mut self, range: Span) -> Span {
        while self.starts.get(self.line + 1).is_some_and(|start| *start <= range.from) {
            self.line += 1;
        }
        while self.line > 0 && range.from < self.starts[self.line] {
            self.line -= 1;
        }
        let line = self.lines[self.line].span;
        let place = |at: usize| (line.from + at.saturating_sub(self.starts[self.line] + PREFIX.len())).min(line.to);
        Span::new(place(range.from), place(range.to))
    }
}
