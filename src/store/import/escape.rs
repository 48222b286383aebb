//! Pieces of a comment to markup that shows just them.
//!
//! Text is escaped only where markup would take it for something else, and only with those backslashes that markup does
//! not show: before `*`, `_`, a backtick and square brackets, before `||`, and before `-`, `+` and `~` at the start of a line. All
//! other ASCII punctuation stands for itself, `<` and `&` among it. Styles are closed and opened again at each line end,
//! since that is where markup and HTML agree least.

use super::html::{Piece, Style};
use crate::model::quotes;

/// A code span that shows exactly `text`, which is one line.
pub(super) fn code_span(text: &str) -> String {
    // A single backtick beside a character that is not ASCII may be taken for the cheek of a face.
    let faces = text.starts_with(|c: char| !c.is_ascii()) || text.ends_with(|c: char| !c.is_ascii());
    let ticks = "`".repeat((longest_run(text, '`') + 1).max(1 + usize::from(faces)));
    let padded = text.starts_with('`') || text.ends_with('`') || text.starts_with(' ') && text.ends_with(' ');
    let pad = if padded { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A fence that shows exactly `text`.
pub(super) fn fence(text: &str) -> String {
    // A longer fence is none; only a line of nothing but backticks closes one, so that this is long enough for code.
    let ticks = "`".repeat((longest_run(text, '`') + 1).clamp(3, 16));
    format!("{ticks}\n{text}\n{ticks}")
}

/// Art that keeps its columns.
pub(super) fn art(text: &str) -> String {
    match text.to_ascii_lowercase().contains("[/aa]") {
        true => fence(text),
        false => format!("[aa]\n{text}\n[/aa]"),
    }
}

/// A link that shows `text`. What would end its address early is percent-encoded.
pub(super) fn link(text: &str, url: &str) -> String {
    let mut out = String::from("[");
    for c in text.chars() {
        if matches!(c, '[' | ']' | '*' | '`') || c == '|' && !out.ends_with('|') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push_str("](");
    let end = url.trim_end_matches(URL_NEVER_ENDS_IN).len();
    for (at, c) in url.char_indices() {
        let awkward = "()[]|".contains(c) || end <= at || is_wide_punctuation(c);
        match awkward {
            true => c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| out.push_str(&format!("%{b:02X}"))),
            false => out.push(c),
        }
    }
    out.push(')');
    out
}

/// What belongs to the sentence rather than to a bare URL before it.
const URL_NEVER_ENDS_IN: [char; 12] = ['?', '!', '.', ',', ':', ';', '*', '_', '~', '\'', '(', '['];

/// How much of the start of `text` a bare URL takes; brackets that it opens it also closes.
fn bare_url_bytes(text: &str) -> usize {
    let (mut round, mut square) = (0_usize, 0_usize);
    let end = text.find(|c: char| {
        let closing = match c {
            '(' | '[' => {
                *(if c == '(' { &mut round } else { &mut square }) += 1;
                return false;
            }
            ')' => &mut round,
            ']' => &mut square,
            _ => return c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '\\' | '|') || is_wide_punctuation(c),
        };
        let unopened = *closing == 0;
        *closing = closing.saturating_sub(1);
        unopened
    });
    text[..end.unwrap_or(text.len())].trim_end_matches(URL_NEVER_ENDS_IN).len()
}

/// Punctuation of Chinese and Japanese and typographic quotes, at which a bare URL ends.
fn is_wide_punctuation(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF40}'
        | '\u{FF5B}'..='\u{FF65}' | '\u{2018}'..='\u{201F}' | '\u{AB}' | '\u{BB}')
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
            let mut next = line[i + 1..].iter().find_map(first_char).unwrap_or('\n');
            let (text, style) = match piece {
                Piece::Text(text, style) | Piece::Raw(text, style) | Piece::Url(text, style) => (text, *style),
                Piece::Block(block) => {
                    self.block(block, &mut in_spoiler);
                    continue;
                }
                Piece::Break => continue,
            };
            if style.spoiler != line.get(i + 1).is_some_and(Piece::is_spoiler) {
                next = '[';
            }
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

    /// Writes what must stand at the very start of a line, outside any style: indentation and the arrow of greentext.
    fn line_start<'a>(&mut self, text: &'a str, style: Style) -> &'a str {
        let inner = text.trim_start_matches([' ', '\t']);
        let green = style != Style::default() && inner.starts_with('>') && quotes::parse(inner).is_none();
        let outside = text.len() - inner.len() + usize::from(green);
        self.out.push_str(&text[..outside]);
        &text[outside..]
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
        let in_face = marks == "*" && (before == '(' || after == ')') && !(is_word(first) && is_word(last));
        let is_face = written.chars().count() == 1 && !is_word(first);
        if before != '*' && mark_works(before, first) && mark_works(after, last) && !in_face && !is_face {
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
            _ => self.raw(text),
        }
    }

    /// Writes a URL so that it ends where it ended.
    fn url(&mut self, url: &str, next: char) {
        let before = self.out.chars().next_back().unwrap_or('\n');
        let ends = next.is_whitespace() || is_wide_punctuation(next) || ")]}\"'*,.!?;:<>".contains(next);
        match ends && !before.is_ascii_alphanumeric() && bare_url_bytes(url) == url.len() {
            true => self.out.push_str(url),
            false => self.raw(&link(url, url)),
        }
    }

    fn raw(&mut self, markup: &str) {
        if markup.starts_with('[') && self.out.ends_with(['!', '\\']) {
            // Otherwise it would be a picture, or no link.
            self.out.push(' ');
        }
        self.out.push_str(markup);
    }

    /// Writes text, escaped where it matters. `next` is the character that will follow.
    fn escaped(&mut self, text: &str, next: char, line_start: bool) {
        let mut rest = text;
        if line_start {
            rest = self.block_start(text, next);
        }
        let mut before = self.out.chars().next_back().unwrap_or('\n');
        while let Some(c) = rest.chars().next() {
            let address = c == 'h' && (rest.starts_with("http://") || rest.starts_with("https://"));
            if address && !before.is_ascii_alphanumeric() {
                // Marks right behind it look like a part of it, and have nothing to pair with.
                let after = rest[bare_url_bytes(rest)..].trim_start_matches(['*', '_']);
                let url = &rest[..rest.len() - after.len()];
                match after.is_empty() {
                    true => self.url(url, next),
                    false => self.out.push_str(url),
                }
                (rest, before) = (after, '/');
                continue;
            }
            let run = match c {
                '*' | '_' | '`' | '|' => rest.bytes().take_while(|b| char::from(*b) == c).count(),
                _ => c.len_utf8(),
            };
            let after = rest[run..].chars().next().unwrap_or(next);
            let alone = before.is_whitespace() && after.is_whitespace();
            let inside = before.is_alphanumeric() && after.is_alphanumeric();
            let inside_ascii = inside && before.is_ascii() && after.is_ascii();
            let escape = match c {
                '*' => self.risks.stars && run <= 3 && !alone && !inside_ascii,
                '_' => self.risks.underscores && run <= 3 && !alone && !inside,
                '`' => self.risks.ticks,
                '|' => run == 2 && !alone,
                '[' => opens_tag(rest),
                ']' => rest.starts_with("](http"),
                '\\' => matches!(after, '*' | '`' | '[' | ']' | '_' | '\\') || rest.starts_with("\\||"),
                _ => false,
            };
            for (i, c) in rest[..run].chars().enumerate() {
                // One backslash keeps both pipes.
                if escape && (c != '|' || i == 0) {
                    self.out.push('\\');
                }
                self.out.push(c);
            }
            before = c;
            rest = &rest[run..];
        }
    }

    /// Keeps what would begin a list or code as it is, and returns the rest of the text.
    fn block_start<'a>(&mut self, text: &'a str, next: char) -> &'a str {
        let typed = text.trim_start_matches(' ');
        let bytes = typed.as_bytes();
        let Some(first) = bytes.first() else { return text };
        let goes_on = |taken: usize| {
            let rest = &typed[taken..];
            rest.starts_with([' ', '\t']) && (!rest.trim_start().is_empty() || next != '\n')
        };
        let digits = bytes.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        let dotted = matches!(bytes.get(digits), Some(b'.' | b')'));
        if (1..10).contains(&digits) && dotted && goes_on(digits + 1) {
            // No backslash is hidden here; a no-break space looks the same and begins no list.
            self.out.push_str(&text[..text.len() - typed.len() + digits + 1]);
            self.out.push('\u{A0}');
            return &typed[digits + 2..];
        }
        let escape = match first {
            b'-' | b'*' | b'+' => goes_on(1),
            b'~' => typed.starts_with("~~~"),
            _ => typed.starts_with("```"),
        };
        if !escape {
            return text;
        }
        self.out.push_str(&text[..text.len() - typed.len()]);
        self.out.extend(['\\', char::from(*first)]);
        &typed[1..]
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// Whether a mark of emphasis between `outer` and `inner`, which it holds, is taken as one.
fn mark_works(outer: char, inner: char) -> bool {
    let inside_a_word = outer.is_ascii_alphanumeric() && inner.is_ascii_alphanumeric();
    !inside_a_word && (is_word(inner) || outer.is_whitespace() || outer.is_ascii_punctuation())
}

fn opens_tag(text: &str) -> bool {
    let tags = ["[spoiler]", "[/spoiler]", "[code]", "[/code]", "[aa]", "[/aa]"];
    tags.iter().any(|tag| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)))
}

fn first_char(piece: &Piece) -> Option<char> {
    match piece {
        Piece::Text(text, _) | Piece::Raw(text, _) | Piece::Url(text, _) => text.chars().next(),
        Piece::Break | Piece::Block(_) => Some('\n'),
    }
}
