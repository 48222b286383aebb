//! Pieces of a comment to markup that shows just them.
//!
//! Text is escaped with backslashes only where markup would take it for something else. Styles are closed and opened
//! again at each line end, since that is where markup and HTML agree least.

use super::html::{Piece, Style};

/// A code span that shows exactly `text`, which is one line.
pub(super) fn code_span(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text, '`') + 1);
    let padded = text.starts_with('`') || text.ends_with('`') || text.starts_with(' ') && text.ends_with(' ');
    let pad = if padded { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A fence that shows exactly `text`.
pub(super) fn fence(text: &str) -> String {
    let ticks = "`".repeat((longest_run(text, '`') + 1).max(3));
    format!("{ticks}\n{text}\n{ticks}")
}

/// Art that keeps its columns.
pub(super) fn art(text: &str) -> String {
    match text.to_ascii_lowercase().contains("[/aa]") {
        true => fence(text),
        false => format!("[aa]\n{text}\n[/aa]"),
    }
}

/// A link that shows `text`.
pub(super) fn link(text: &str, url: &str) -> String {
    let url = url.replace('(', "%28").replace(')', "%29");
    let mut out = String::from("[");
    for c in text.chars() {
        if "\\[]*_`<&|~!".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out + "](" + &url + ")"
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

/// The markup of a comment, and how many styles it could not express.
pub(super) fn markup(pieces: &[Piece]) -> (String, u64) {
    let mut writer = Writer { out: String::new(), risks: Risks::of(pieces), flattened: 0 };
    for line in pieces.split_inclusive(|piece| *piece == Piece::Break) {
        let (line, ended) = match line.split_last() {
            Some((Piece::Break, line)) => (line, true),
            _ => (line, false),
        };
        writer.line(line);
        if ended {
            writer.end_line();
        }
    }
    let body = writer.out.trim_end_matches([' ', '\n']).trim_start_matches('\n').to_owned();
    (body, writer.flattened)
}

/// Which characters could find a partner in this comment.
struct Risks {
    stars: bool,
    underscores: bool,
    ticks: bool,
}

impl Risks {
    fn of(pieces: &[Piece]) -> Risks {
        let (mut stars, mut underscores, mut ticks, mut marked) = (0, 0, 0, false);
        for piece in pieces {
            match piece {
                Piece::Text(text, style) => {
                    marked |= style.bold || style.italic;
                    stars += memchr::memchr_iter(b'*', text.as_bytes()).count();
                    underscores += memchr::memchr_iter(b'_', text.as_bytes()).count();
                    ticks += memchr::memchr_iter(b'`', text.as_bytes()).count();
                }
                Piece::Raw(..) | Piece::Block(_) => ticks += 2,
                Piece::Url(..) | Piece::Break => {}
            }
        }
        Risks { stars: marked || 1 < stars, underscores: 1 < underscores, ticks: 1 < ticks }
    }
}

struct Writer {
    out: String,
    risks: Risks,
    flattened: u64,
}

impl Writer {
    fn end_line(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }

    /// Writes the pieces of a line.
    fn line(&mut self, line: &[Piece]) {
        let mut in_spoiler = false;
        for (i, piece) in line.iter().enumerate() {
            let next = line[i + 1..].iter().find_map(first_char).unwrap_or('\n');
            let (text, style) = match piece {
                Piece::Text(text, style) | Piece::Raw(text, style) | Piece::Url(text, style) => (text, *style),
                Piece::Block(block) => {
                    self.block(block, &mut in_spoiler);
                    continue;
                }
                Piece::Break => continue,
            };
            let mut text = text.as_str();
            let starts = self.out.is_empty() || self.out.ends_with('\n');
            if starts && matches!(piece, Piece::Text(..)) {
                text = self.line_start(text, style);
            }
            if style.spoiler != in_spoiler && !text.is_empty() {
                self.out.push_str(if style.spoiler { "[spoiler]" } else { "[/spoiler]" });
                in_spoiler = style.spoiler;
            }
            self.styled(piece, text, style, next, starts);
        }
        if in_spoiler {
            self.out.push_str("[/spoiler]");
        }
    }

    /// Writes what must stand at the very start of a line, outside any style: indentation and the arrows of greentext.
    fn line_start<'a>(&mut self, text: &'a str, style: Style) -> &'a str {
        let inner = text.trim_start_matches([' ', '\t']);
        let indent = text[..text.len() - inner.len()].chars().map(|c| if c == '\t' { 4 } else { 1 }).sum::<usize>();
        // Four spaces would be code; no-break spaces look the same and are not.
        self.out.push_str(&if indent < 4 { " ".repeat(indent) } else { "\u{A0}".repeat(indent) });
        let quoted = style != Style::default() && inner.starts_with('>') && !inner.starts_with(">>");
        match quoted {
            true => {
                self.out.push('>');
                &inner[1..]
            }
            false => inner,
        }
    }

    fn block(&mut self, block: &str, in_spoiler: &mut bool) {
        if *in_spoiler {
            self.out.push_str("[/spoiler]");
            *in_spoiler = false;
        }
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.end_line();
        }
        self.out.push_str(block);
        self.out.push('\n');
    }

    /// Writes one text in its style, or plain where the style's marks would not be taken as such.
    fn styled(&mut self, piece: &Piece, text: &str, style: Style, next: char, line_start: bool) {
        let marks = match (style.bold, style.italic) {
            (true, true) => "***",
            (true, false) => "**",
            (false, true) => "*",
            (false, false) => return self.plain(piece, text, next, line_start),
        };
        let inner = text.trim();
        if inner.is_empty() {
            return self.out.push_str(text);
        }
        let lead = &text[..text.len() - text.trim_start().len()];
        let trail = &text[text.trim_end().len()..];
        self.out.push_str(lead);
        let before = self.out.chars().next_back().unwrap_or('\n');
        let after = trail.chars().next().unwrap_or(next);
        let from = self.out.len();
        self.out.push_str(marks);
        self.plain(piece, inner, '*', false);
        let written = &self.out[from + marks.len()..];
        let first = written.chars().next().unwrap_or(' ');
        let last = written.chars().next_back().unwrap_or(' ');
        let opens =
            before != '*' && (first.is_alphanumeric() || before.is_whitespace() || before.is_ascii_punctuation());
        let closes = last.is_alphanumeric() || after.is_whitespace() || after.is_ascii_punctuation();
        if opens && closes {
            self.out.push_str(marks);
        } else {
            self.out.truncate(from);
            self.flattened += 1;
            self.plain(piece, inner, after, line_start && lead.is_empty());
        }
        self.out.push_str(trail);
    }

    fn plain(&mut self, piece: &Piece, text: &str, next: char, line_start: bool) {
        match piece {
            Piece::Text(..) => self.escaped(text, next, line_start),
            Piece::Url(..) => self.url(text, next),
            _ => self.out.push_str(text),
        }
    }

    /// Writes a URL so that it ends where it ended.
    fn url(&mut self, url: &str, next: char) {
        let before = self.out.chars().next_back().unwrap_or('\n');
        let loose = !before.is_alphanumeric() && (next.is_whitespace() || ")]}\"'*,".contains(next));
        match loose && !url.ends_with(|c: char| c.is_ascii_punctuation() && c != '/') {
            true => self.out.push_str(url),
            false => self.out.extend(["<", url, ">"]),
        }
    }

    /// Writes text, escaped where it matters. `next` is the character that will follow.
    fn escaped(&mut self, text: &str, next: char, line_start: bool) {
        let mut rest = text;
        if line_start {
            rest = self.block_start(text, next);
        }
        let mut before = self.out.chars().next_back().unwrap_or('\n');
        while let Some(c) = rest.chars().next() {
            if c == 'h' && !before.is_alphanumeric() && (rest.starts_with("http://") || rest.starts_with("https://")) {
                let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(rest.len());
                self.out.push_str(&rest[..end]);
                before = '/';
                rest = &rest[end..];
                continue;
            }
            let run = match c {
                '*' | '_' | '`' | '|' => rest.bytes().take_while(|b| char::from(*b) == c).count(),
                _ => c.len_utf8(),
            };
            let after = rest[run..].chars().next().unwrap_or(next);
            let escape = match c {
                '*' => self.risks.stars && !(before.is_whitespace() && after.is_whitespace()),
                '_' => self.risks.underscores && can_pair(before, after),
                '`' => self.risks.ticks,
                '|' => 1 < run || after == '|',
                '[' => opens_tag(rest),
                ']' => after == '(',
                '<' => after.is_ascii_alphanumeric(),
                '&' => opens_reference(rest),
                '\\' => after.is_ascii_punctuation() || after == '\n' || rest.len() == 1,
                _ => false,
            };
            for c in rest[..run].chars() {
                if escape {
                    self.out.push('\\');
                }
                self.out.push(c);
            }
            before = c;
            rest = &rest[run..];
        }
    }

    /// Escapes what would begin a list, a rule, a heading's underline or a fence, and returns the rest of the text.
    fn block_start<'a>(&mut self, text: &'a str, next: char) -> &'a str {
        let bytes = text.as_bytes();
        let space_at = |at: usize| match bytes.get(at) {
            Some(b) => b.is_ascii_whitespace(),
            None => next == '\n',
        };
        let Some(first) = bytes.first() else { return text };
        let digits = bytes.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        if (1..10).contains(&digits) && matches!(bytes.get(digits), Some(b'.' | b')')) && space_at(digits + 1) {
            self.out.extend([&text[..digits], "\\", &text[digits..=digits]]);
            return &text[digits + 1..];
        }
        let ruled = next == '\n' && bytes.iter().all(|b| b == first || *b == b' ');
        let escape = match first {
            b'-' | b'*' | b'+' => space_at(1) || ruled,
            b'_' => ruled,
            b'=' => ruled,
            b'~' => text.starts_with("~~~"),
            b'`' => text.starts_with("```"),
            _ => false,
        };
        if !escape {
            return text;
        }
        self.out.push('\\');
        self.out.push(char::from(*first));
        &text[1..]
    }
}

/// Whether underscores between these two could open or close emphasis.
fn can_pair(before: char, after: char) -> bool {
    let inside_a_word = before.is_alphanumeric() && after.is_alphanumeric();
    let alone = before.is_whitespace() && after.is_whitespace();
    !inside_a_word && !alone
}

fn opens_tag(text: &str) -> bool {
    let tags = ["[spoiler]", "[/spoiler]", "[code]", "[/code]", "[aa]", "[/aa]"];
    tags.iter().any(|tag| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)))
}

/// Whether `text` begins with a character reference, which markup knows too.
fn opens_reference(text: &str) -> bool {
    let name = text[1..].bytes().take(40).take_while(|b| b.is_ascii_alphanumeric() || *b == b'#').count();
    0 < name && text.as_bytes().get(1 + name) == Some(&b';')
}

fn first_char(piece: &Piece) -> Option<char> {
    match piece {
        Piece::Text(text, _) | Piece::Raw(text, _) | Piece::Url(text, _) => text.chars().next(),
        Piece::Break | Piece::Block(_) => Some('\n'),
    }
}
