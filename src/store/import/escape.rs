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
    // A single backtick between a bracket and a character that is not ASCII may be taken for the cheek of a face.
    let cheek = |c: char| !c.is_ascii() || matches!(c, '(' | ')');
    let faces = text.starts_with(cheek) || text.ends_with(cheek);
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
    let (mut before, mut word_after) = (' ', false);
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let after = rest.chars().next().unwrap_or(' ');
        if c == '_' && !out.ends_with('_') {
            // Looked up once for a run of them, which may be long.
            word_after = rest.trim_start_matches('_').starts_with(is_word);
        }
        let escape = match c {
            '[' | '*' | '`' => true,
            // Markup itself sees that `](` is not followed by an address.
            ']' => after != '(' || opens_address(rest),
            '_' => is_word(before) != word_after,
            '|' => before != '|' && after == '|',
            _ => false,
        };
        if escape {
            out.push('\\');
        }
        out.push(c);
        if c != '_' {
            before = c;
        }
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
    let mut ends = |(at, c): (usize, char)| {
        let unopened = |open: &mut usize| {
            let none = *open == 0;
            *open = open.saturating_sub(1);
            none
        };
        match c {
            '(' => round += 1,
            '[' => square += 1,
            ')' => return unopened(&mut round),
            ']' => return unopened(&mut square),
            '|' => return text[at..].starts_with("||"),
            _ => return c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '\\') || is_wide_punctuation(c),
        }
        false
    };
    let end = text.char_indices().find(|at| ends(*at)).map_or(text.len(), |(at, _)| at);
    text[..end].trim_end_matches(URL_NEVER_ENDS_IN).len()
}

/// Punctuation of Chinese and Japanese and typographic quotes, at which a bare URL ends.
fn is_wide_punctuation(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF40}'
        | '\u{FF5B}'..='\u{FF65}' | '\u{2018}'..='\u{201F}' | '\u{AB}' | '\u{BB}')
}

/// Whether a bare URL, its brackets balanced, ends before `c`.
fn is_url_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, ')' | ']' | '"' | '<' | '>') || is_wide_punctuation(c)
}

/// Whether a bare URL ends before these pieces.
fn ends_a_url(line: &[Piece]) -> bool {
    match line {
        [Piece::Text(text, _), rest @ ..] => match text.trim_start_matches(URL_NEVER_ENDS_IN).chars().next() {
            Some(c) => is_url_end(c),
            None => rest.is_empty(),
        },
        [] | [Piece::Break | Piece::Block(_), ..] => true,
        _ => false,
    }
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

/// The markup of a comment, and how many styles it could not express. With `arrows_are_text`, those quote nothing.
pub(super) fn markup(pieces: &[Piece], arrows_are_text: bool) -> (String, u64) {
    let risks = Risks::of(pieces);
    let mut writer = Writer { out: String::new(), risks, arrows_are_text, url_end: usize::MAX, flattened: 0 };
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
                Piece::Url(..) | Piece::Mark(_) | Piece::Break => {}
            }
        }
        Risks { stars: marked || 1 < stars, underscores: 1 < underscores, ticks: 1 < ticks }
    }
}

struct Writer {
    out: String,
    risks: Risks,
    arrows_are_text: bool,
    /// Where the last bare URL ended.
    url_end: usize,
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
                Piece::Mark(mark) => {
                    self.out.push_str(mark);
                    continue;
                }
                Piece::Break => continue,
            };
            if matches!(piece, Piece::Url(..)) && ends_a_url(&line[i + 1..]) {
                next = ' ';
            }
            if style.spoiler != line.get(i + 1).is_some_and(Piece::is_spoiler) {
                next = '[';
            }
            let mut text = text.as_str();
            let indented = matches!(line[..i].last(), Some(Piece::Mark(mark)) if mark.trim().is_empty());
            let starts = indented || self.out.is_empty() || self.out.ends_with('\n');
            if starts && matches!(piece, Piece::Text(..)) {
                text = self.line_start(text, style);
            }
            if style.spoiler != in_spoiler && !text.is_empty() {
                self.spoiler_tag(if style.spoiler { "[spoiler]" } else { "[/spoiler]" });
                in_spoiler = style.spoiler;
            }
            self.styled(piece, text, style, next, starts && !in_spoiler);
        }
        if in_spoiler {
            self.spoiler_tag("[/spoiler]");
        }
    }

    /// Writes what must stand at the very start of a line, outside any style: indentation and the arrow of greentext.
    fn line_start<'a>(&mut self, text: &'a str, style: Style) -> &'a str {
        let inner = text.trim_start_matches([' ', '\t']);
        let green = !self.arrows_are_text
            && style != Style::default()
            && inner.starts_with('>')
            && quotes::parse(inner).is_none();
        let outside = text.len() - inner.len() + usize::from(green);
        self.out.push_str(&text[..outside]);
        &text[outside..]
    }

    fn block(&mut self, block: &str, in_spoiler: &mut bool) {
        if *in_spoiler {
            self.spoiler_tag("[/spoiler]");
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
        // A bare URL is a word, whatever its last character.
        let before = if self.url_end == self.out.len() { 'é' } else { self.out.chars().next_back().unwrap_or('\n') };
        let after = trail.chars().next().unwrap_or(next);
        let from = self.out.len();
        self.out.push_str(marks);
        // A URL at the end goes on through the marks, unless it ends behind them.
        self.plain(piece, inner, if is_url_end(after) { '*' } else { after }, false);
        let written = &self.out[from + marks.len()..];
        let first = written.chars().next().unwrap_or(' ');
        let last = written.chars().next_back().unwrap_or(' ');
        let face =
            marks == "*" && !(is_word(first) && is_word(last)) && looks_like_a_face(&self.out[..from], written, after);
        let run_on = written.starts_with('*') || inner.ends_with("****");
        if before != '*' && mark_works(before, first) && mark_works(after, last) && !face && !run_on {
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
        match (is_url_end(next) || next == '*') && !before.is_ascii_alphanumeric() && bare_url_bytes(url) == url.len() {
            true => self.out.push_str(url),
            false => return self.raw(&link(url, url)),
        }
        self.url_end = self.out.len();
    }

    fn spoiler_tag(&mut self, tag: &str) {
        if self.out.ends_with(['`', '\\', '!']) {
            // Right behind these a tag would be text.
            self.out.push(' ');
        }
        self.out.push_str(tag);
    }

    fn raw(&mut self, markup: &str) {
        // Otherwise it would be a picture, or no link, or two code spans would be one.
        let joins = match markup.starts_with('[') {
            true => self.out.ends_with(['!', '\\']),
            false => self.out.ends_with('`'),
        };
        if joins {
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
            if address && !before.is_ascii_alphabetic() {
                // Underscores right behind it look like a part of it, and have nothing to pair with.
                let after = rest[bare_url_bytes(rest)..].trim_start_matches('_');
                let url = &rest[..rest.len() - after.len()];
                self.out.push_str(url);
                self.url_end = self.out.len();
                if after.trim_start_matches(URL_NEVER_ENDS_IN).is_empty() && !is_url_end(next) && next != '*' {
                    self.out.push(' ');
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
                // Where no word is near, it is a face, and a backslash would be seen.
                '_' => self.risks.underscores && run <= 3 && !inside && (is_word(before) || is_word(after)),
                '`' => self.risks.ticks,
                '|' => run == 2 && !alone,
                '[' => opens_tag(rest),
                '>' => self.arrows_are_text && before != '>' && quotes::parse(rest).is_some(),
                ']' => opens_address(&rest[1..]),
                // Markup cannot hide a backslash behind another one; two are better than none.
                '\\' => matches!(after, '*' | '`' | '[' | ']' | '_') || rest.starts_with("\\||"),
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
        let bytes = text.as_bytes();
        let Some(first) = bytes.first() else { return text };
        let goes_on = |taken: usize| match &text[taken..] {
            "" => matches!(next, ' ' | '\t'),
            rest => rest.starts_with([' ', '\t']) && (!rest.trim_start().is_empty() || next != '\n'),
        };
        let digits = bytes.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        let dotted = matches!(bytes.get(digits), Some(b'.' | b')'));
        if (1..10).contains(&digits) && dotted && goes_on(digits + 1) {
            // No backslash is hidden here; a no-break space looks the same and begins no list.
            self.out.push_str(&text[..=digits]);
            self.out.push('\u{A0}');
            let rest = &text[digits + 1..];
            return rest.strip_prefix([' ', '\t']).unwrap_or(rest);
        }
        let escape = match first {
            b'-' | b'*' | b'+' => goes_on(1),
            b'~' => text.starts_with("~~~"),
            b'>' => self.arrows_are_text && quotes::parse(text).is_none(),
            _ => text.starts_with("```"),
        };
        if !escape {
            return text;
        }
        // Only at the very start of the line is the backslash hidden.
        self.out.truncate(self.out.trim_end_matches([' ', '\t']).len());
        self.out.extend(['\\', char::from(*first)]);
        &text[1..]
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// Whether a mark of emphasis between `outer` and `inner`, which it holds, is taken as one.
fn mark_works(outer: char, inner: char) -> bool {
    let inside_a_word = outer.is_ascii_alphanumeric() && inner.is_ascii_alphanumeric();
    !inside_a_word
        && !inner.is_whitespace()
        && (is_word(inner) || outer.is_whitespace() || outer.is_ascii_punctuation())
}

/// Whether markup takes stars between these for those of a face such as `(*^_^*)`.
fn looks_like_a_face(outside: &str, written: &str, after: char) -> bool {
    let sign = |c: Option<char>| c.is_some_and(|c| !is_word(c) && !c.is_whitespace());
    let mut outside = outside.chars().rev();
    let (before, one_more) = (outside.next(), outside.next());
    let mut inside = (written.chars(), written.chars().rev());
    let (first, second) = (inside.0.next(), inside.0.next());
    let (last, last_but_one) = (inside.1.next(), inside.1.next());
    let cheeks =
        sign(first) && (before == Some('(') || first == Some(')')) || sign(last) && (after == ')' || last == Some('('));
    let single = |c: Option<char>| c.is_none_or(|c| c == '*');
    cheeks
        || sign(before) && one_more == Some('*')
        || sign(first) && single(second)
        || sign(last) && single(last_but_one)
}

/// Characters of an address between brackets that are looked at, so that many brackets do not each look to the end.
const ADDRESS_CHARS_MAX: usize = 500;

/// Whether `text` begins with an address in round brackets, which makes a link of the square ones before it.
fn opens_address(text: &str) -> bool {
    let Some(address) = text.strip_prefix('(').filter(|address| address.starts_with("http")) else { return false };
    let end = address.char_indices().nth(ADDRESS_CHARS_MAX).map_or(address.len(), |(at, _)| at);
    let address = &address[..end];
    let web = address.starts_with("http://") || address.starts_with("https://");
    web && address[bare_url_bytes(address)..].starts_with(')')
}

fn opens_tag(text: &str) -> bool {
    let tags = ["[spoiler]", "[/spoiler]", "[code]", "[/code]", "[aa]", "[/aa]"];
    tags.iter().any(|tag| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)))
}

fn first_char(piece: &Piece) -> Option<char> {
    match piece {
        Piece::Text(text, _) | Piece::Raw(text, _) => text.chars().next(),
        Piece::Url(..) => Some('['),
        Piece::Mark(_) => None,
        Piece::Break | Piece::Block(_) => Some('\n'),
    }
}
