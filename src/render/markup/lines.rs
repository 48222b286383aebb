//! Cuts a body into lines and blocks.
//!
//! Every line is what it is by itself: greentext, an item of a list, the beginning of code or art, or text. Lines of
//! text that follow one another are read together, since emphasis and code may span them.

use super::holds::Line;
use super::scan::{Tag, TagFinder, Tagged};
use super::{Element, Op, Span, art, inline};
use crate::model::quotes;

/// Lists inside one another; deeper items stand in the deepest list.
const LIST_DEPTH_MAX: usize = 8;

/// Backticks or tildes that open code. More are a decoration.
const FENCE_BYTES_MAX: usize = 16;

/// Appends the steps for the whole of `text`, which has these lines. `run` is only for its memory.
pub(super) fn read(text: &str, lines: &[Line], run: &mut Vec<Line>, ops: &mut Vec<Op>) {
    let mut reader = Reader {
        text,
        ops,
        lines,
        number: 0,
        at: 0,
        fresh: true,
        art: art::find(text, lines).into_iter().peekable(),
        breaks: 0,
        follows: false,
        run,
        list: Vec::new(),
        tags: TagFinder::default(),
        unclosed: [usize::MAX; 2],
    };
    while reader.at < text.len() {
        reader.line();
    }
    reader.flush();
    reader.close_lists(0);
}

struct Reader<'a> {
    text: &'a str,
    ops: &'a mut Vec<Op>,
    lines: &'a [Line],
    /// The line that `at` was on when it was last looked up.
    number: usize,
    at: usize,
    /// Whether `at` is where a line begins, and not behind a closing tag.
    fresh: bool,
    art: std::iter::Peekable<std::vec::IntoIter<Span>>,
    /// Line breaks since the last thing inside a line.
    breaks: usize,
    /// Whether there is such a thing to break after: not at the beginning, nor after a block.
    follows: bool,
    /// Lines of text to be read together.
    run: &'a mut Vec<Line>,
    list: Vec<Level>,
    tags: TagFinder,
    /// Backticks and tildes of this number or more are not closed any more.
    unclosed: [usize; 2],
}

/// An open list.
struct Level {
    indent: usize,
    marker: u8,
    /// The number shown at the last item, and the first one.
    shown: u32,
    first: u32,
    /// Whether all items were typed with the first one's number.
    repeats: bool,
}

/// What begins an item of a list.
struct Bullet {
    indent: usize,
    marker: u8,
    number: Option<u32>,
    content: Line,
}

impl Reader<'_> {
    fn line(&mut self) {
        let line = self.rest_of_line();
        if self.fresh && (self.art(line.span) || self.fence(line.span)) {
            return;
        }
        if let Some(tagged) = self.tags_from(line) {
            return self.tagged(line, tagged);
        }
        self.text_line(line);
        self.line_ends(line.span.to);
    }

    /// The line from `at` on.
    fn rest_of_line(&mut self) -> Line {
        while self.lines[self.number].span.to < self.at {
            self.number += 1;
        }
        let line = self.lines[self.number];
        line.part(self.at, line.span.to)
    }

    /// Goes on behind the line break at `at`, if there is one.
    fn line_ends(&mut self, at: usize) {
        self.fresh = at < self.text.len();
        self.breaks += usize::from(self.fresh);
        self.at = at + usize::from(self.fresh);
    }

    fn text_line(&mut self, line: Line) {
        let typed = line.span.of(self.text);
        if is_blank(typed) {
            if self.fresh {
                self.flush();
            } else if !line.span.is_empty() {
                self.ops.push(Op::Text(line.span));
            }
            return;
        }
        if !self.fresh {
            return self.add(line);
        }
        if typed.starts_with('>') && quotes::parse(typed).is_none() {
            return self.green(line);
        }
        let indent = indent_of(typed);
        if let Some(bullet) = bullet(self.text, line).filter(|bullet| self.takes(bullet)) {
            return self.item(bullet);
        }
        if indent < 2 && !self.list.is_empty() {
            self.flush();
            self.close_lists(0);
        }
        self.add(line);
    }

    fn add(&mut self, line: Line) {
        if self.run.is_empty() {
            self.begin();
        }
        self.breaks = 0;
        self.run.push(line);
    }

    /// Breaks the line as often as was typed, if something is there to break after.
    fn begin(&mut self) {
        if self.follows {
            self.ops.extend(std::iter::repeat_n(Op::Break, self.breaks));
        }
        self.breaks = 0;
        self.follows = true;
    }

    fn flush(&mut self) {
        if !self.run.is_empty() {
            inline::read(self.text, self.run, self.ops);
            self.run.clear();
        }
    }

    /// Adds a step of a block, beside which no line breaks are needed.
    fn block(&mut self, op: Op) {
        self.ops.push(op);
        self.breaks = 0;
        self.follows = false;
    }

    fn green(&mut self, line: Line) {
        self.flush();
        self.close_lists(0);
        self.begin();
        self.ops.push(Op::Open(Element::Green));
        let Span { from, to } = line.span;
        self.ops.push(Op::Text(Span::new(from, from + 1)));
        if from + 1 < to {
            inline::read(self.text, &[line.part(from + 1, to)], self.ops);
        }
        self.ops.push(Op::Close(Element::Green));
    }

    fn art(&mut self, line: Span) -> bool {
        while self.art.next_if(|piece| piece.from < line.from).is_some() {}
        let Some(piece) = self.art.next_if(|piece| piece.from == line.from) else { return false };
        self.flush();
        self.close_lists(0);
        self.begin();
        self.ops.push(Op::Art(piece));
        self.line_ends(piece.to);
        true
    }

    fn fence(&mut self, line: Span) -> bool {
        let typed = line.of(self.text);
        let indent = indent_of(typed);
        if !matches!(typed.as_bytes().get(indent), Some(b'`' | b'~')) {
            return false;
        }
        let nested = !self.list.is_empty() && indent >= 2;
        let Some(fence) = Fence::parse(typed) else { return false };
        if indent > 3 && !nested {
            return false;
        }
        let Some((content, end)) = self.fenced(line, &fence) else { return false };
        self.flush();
        if !nested {
            self.close_lists(0);
        }
        self.block(Op::Pre(content, indent));
        self.line_ends(end);
        self.breaks = 0;
        true
    }

    /// The content of the code that `line` opens, and where the line that closes it ends.
    fn fenced(&mut self, line: Span, fence: &Fence) -> Option<(Span, usize)> {
        let below = (line.to + 1).min(self.text.len());
        let from = if fence.holds_code { line.from + fence.bytes } else { below };
        let unclosed = &mut self.unclosed[usize::from(fence.mark == b'~')];
        let mut at = if fence.length < *unclosed { below } else { self.text.len() };
        while at < self.text.len() {
            let end = memchr::memchr(b'\n', &self.text.as_bytes()[at..]).map_or(self.text.len(), |n| at + n);
            if let Some(code) = fence.closes(&self.text[at..end]) {
                let to = if code == 0 { at - 1 } else { at + code };
                return Some((Span::new(from, to.max(from)), end));
            }
            at = end + 1;
        }
        *unclosed = fence.length.min(*unclosed);
        // As in Markdown. A line of tildes is rather a decoration, and one with code behind it rather text.
        let goes_on = fence.mark == b'`' && !fence.holds_code;
        goes_on.then(|| (Span::new(from, self.text.len()), self.text.len()))
    }

    /// The first code or art in tags that opens on `line` and is a block: it closes on a later line, or it is code that
    /// has the line for itself.
    fn tags_from(&mut self, line: Line) -> Option<Tagged> {
        if !line.holds.scanned() {
            return None;
        }
        let line = line.span;
        let bytes = self.text.as_bytes();
        let mut at = line.from;
        while let Some(offset) = memchr::memchr(b'[', &bytes[at..line.to]) {
            at += offset;
            let Some(tagged) = self.tags.at(self.text, at, self.text.len()) else {
                at += 1;
                continue;
            };
            let alone = self.fresh
                && Span::new(line.from, at).of(self.text).trim().is_empty()
                && tagged.whole.to <= line.to
                && self.text[tagged.whole.to..line.to].trim().is_empty();
            if tagged.whole.to > line.to || alone && tagged.tag == Tag::Code {
                return Some(tagged);
            }
            at = tagged.whole.to;
        }
        None
    }

    fn tagged(&mut self, line: Line, tagged: Tagged) {
        let before = line.part(line.span.from, tagged.whole.from);
        let inside_item = !self.list.is_empty() && indent_of(line.span.of(self.text)) >= 2;
        let begins_content = |bullet: &Bullet| bullet.content.span.from == before.span.to;
        let of_item = bullet(self.text, line).filter(|bullet| self.fresh && begins_content(bullet));
        if let Some(bullet) = of_item.filter(|bullet| self.takes(bullet)) {
            self.item(Bullet { content: line.part(before.span.to, before.span.to), ..bullet });
        } else if !before.span.of(self.text).trim().is_empty() {
            self.text_line(before);
        } else if self.fresh && !inside_item {
            self.flush();
            self.close_lists(0);
        }
        self.flush();
        let content = without_outer_breaks(self.text, tagged.content);
        match tagged.tag {
            Tag::Code => self.block(Op::Pre(content, 0)),
            Tag::Art => {
                self.begin();
                self.ops.push(Op::Art(content));
            }
        }
        self.at = tagged.whole.to;
        self.fresh = false;
        if self.text[self.at..].starts_with('\n') {
            self.line_ends(self.at);
        }
    }

    /// Whether the bullet can stand where it stands: a number other than one does not interrupt text, since a
    /// sentence may go on with one; an indented one needs a list around it.
    fn takes(&self, bullet: &Bullet) -> bool {
        if !self.list.is_empty() {
            return true;
        }
        bullet.indent <= 3 && (self.run.is_empty() || bullet.number.is_none_or(|number| number <= 1))
    }

    fn item(&mut self, bullet: Bullet) {
        self.flush();
        let deeper = self.list.iter().take_while(|level| level.indent <= bullet.indent).count();
        self.close_lists(deeper.max(1));
        let deepest = self.list.len() == LIST_DEPTH_MAX;
        match self.list.last() {
            Some(level) if deepest || bullet.indent < level.indent + 2 => self.next_item(&bullet),
            _ => self.open_list(&bullet),
        }
        self.block(Op::Item);
        if !bullet.content.span.is_empty() {
            self.add(bullet.content);
        }
    }

    fn next_item(&mut self, bullet: &Bullet) {
        let continues = self.list.last_mut().is_some_and(|level| level.continues(bullet));
        if continues {
            self.block(Op::ItemEnd);
        } else {
            self.close_lists(self.list.len() - 1);
            self.open_list(bullet);
        }
    }

    fn open_list(&mut self, bullet: &Bullet) {
        let first = bullet.number.unwrap_or(0);
        self.block(Op::List(bullet.number));
        self.list.push(Level { indent: bullet.indent, marker: bullet.marker, shown: first, first, repeats: true });
    }

    fn close_lists(&mut self, depth: usize) {
        while self.list.len() > depth {
            self.block(Op::ItemEnd);
            let ordered = self.list.pop().is_some_and(|level| matches!(level.marker, b'.' | b')'));
            self.block(Op::ListEnd { ordered });
        }
    }
}

impl Level {
    /// Whether the bullet is the list's next one. If it is, it counts.
    fn continues(&mut self, bullet: &Bullet) -> bool {
        if self.marker != bullet.marker {
            return false;
        }
        let Some(number) = bullet.number else { return true };
        let repeats = self.repeats && number == self.first;
        if !repeats && number != self.shown + 1 {
            return false;
        }
        self.repeats = repeats;
        self.shown += 1;
        true
    }
}

/// What begins an item on `line`: spaces, a bullet or a number, a space and something more.
fn bullet(text: &str, line: Line) -> Option<Bullet> {
    let typed = line.span.of(text);
    let indent = indent_of(typed);
    let rest = &typed[indent..];
    let (marker, number, taken) = match *rest.as_bytes().first()? {
        mark @ (b'-' | b'*' | b'+') => (mark, None, 1),
        b'0'..=b'9' => {
            let digits = rest.bytes().take(10).take_while(u8::is_ascii_digit).count();
            let zeros = digits > 1 && rest.starts_with('0');
            let number = rest[..digits].parse().ok().filter(|_| digits < 10 && !zeros)?;
            let marker = *rest.as_bytes().get(digits).filter(|b| matches!(b, b'.' | b')'))?;
            (marker, Some(number), digits + 1)
        }
        _ => return None,
    };
    let content = rest[taken..].trim_start();
    // Not `* * *`, which is a decoration.
    let spaced = rest[taken..].starts_with([' ', '\t']) && content.contains(|c| !" \t*-+_".contains(c));
    let content = line.part(line.span.to - content.len(), line.span.to);
    spaced.then_some(Bullet { indent, marker, number, content })
}

fn is_blank(line: &str) -> bool {
    // Nearly every line is told by its first byte.
    !line.as_bytes().first().is_some_and(u8::is_ascii_graphic) && line.trim().is_empty()
}

fn indent_of(line: &str) -> usize {
    line.bytes().take_while(|b| *b == b' ').count()
}

/// A line that opens code.
pub(super) struct Fence {
    mark: u8,
    length: usize,
    /// Indent and marks.
    bytes: usize,
    /// Whether behind the marks stands not the name of a language but the first line of the code.
    holds_code: bool,
}

impl Fence {
    pub(super) fn parse(line: &str) -> Option<Fence> {
        let typed = &line[indent_of(line)..];
        let mark = *typed.as_bytes().first().filter(|b| matches!(b, b'`' | b'~'))?;
        let length = typed.bytes().take_while(|b| *b == mark).count();
        let name = typed[length..].trim();
        let names = |b: u8| b.is_ascii_alphanumeric() || b"+#-._".contains(&b);
        let holds_code = name.len() > 32 || !name.bytes().all(names);
        let inline = holds_code && (mark == b'~' || name.contains('`'));
        let bytes = line.len() - typed.len() + length;
        ((3..=FENCE_BYTES_MAX).contains(&length) && !inline).then_some(Fence { mark, length, bytes, holds_code })
    }

    /// How much code stands on the line that closes this fence: none in Markdown, but many close behind the last word.
    fn closes(&self, line: &str) -> Option<usize> {
        let typed = line.trim_end();
        let code = typed.trim_end_matches(char::from(self.mark));
        let enough = typed.len() - code.len() >= self.length;
        match code.trim_start() {
            "" => enough.then_some(0),
            _ => (enough && self.mark == b'`' && !code.contains("```")).then_some(code.len()),
        }
    }
}

fn without_outer_breaks(text: &str, span: Span) -> Span {
    let typed = span.of(text);
    let from = span.from + usize::from(typed.starts_with('\n'));
    let to = span.to - usize::from(typed.ends_with('\n'));
    Span::new(from, to.max(from))
}
