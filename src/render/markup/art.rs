//! Finds art that stands in a text without tags: ASCII art, and Shift_JIS art of full-width signs.
//!
//! Each line is weighed by itself: how much of it is strokes, how much words, whether it has gaps and indents. A
//! piece of art begins and ends with lines that are mostly strokes, has no line of prose inside, and must be plainly
//! art as a whole. What is doubtful is text: posters who care can say `[aa]`.

use super::Span;
use super::holds::Line;
use super::lines::Fence;
use crate::model::quotes;

/// Fewer lines of strokes are a face or a decoration.
const STROKE_LINES_MIN: usize = 3;

/// More empty lines end a piece.
const BLANK_LINES_MAX: usize = 3;

/// Longer lines are prose. Wide art has 200 columns, of up to three bytes.
const LINE_BYTES_MAX: usize = 800;

/// The pieces of art in `text`, which has these lines; in order, each a run of whole lines.
pub(super) fn find(text: &str, lines: &[Line]) -> Vec<Span> {
    let mut found = Vec::new();
    if !may_hold_art(text, lines) {
        return found;
    }
    let mut lead = None;
    let mut piece: Option<Piece> = None;
    for line in lines.iter().map(|line| line.span) {
        let weight = weigh(line.of(text));
        if let Some(open) = &mut piece {
            if open.add(line, &weight) {
                continue;
            }
            found.extend(piece.take().and_then(|piece| piece.finish()));
        }
        match weight.kind() {
            Kind::Strokes => piece = Some(Piece::new(lead.take().unwrap_or(line.from), line, &weight)),
            Kind::Faint if weight.joins() => lead = lead.or(Some(line.from)),
            _ => lead = None,
        }
    }
    found.extend(piece.and_then(|piece| piece.finish()));
    found
}

/// Whether art is drawn for letters of one width.
///
/// Such art is made of ASCII, of the lines and blocks that terminals have, and has perhaps a word of kanji in it. What
/// is drawn for MS PGothic has kana, wide spaces and other signs of a Japanese keyboard all over.
pub(super) fn is_monospaced(art: &str) -> bool {
    let of_terminals =
        |c: char| matches!(c, '\u{2500}'..='\u{259F}' | '\u{2800}'..='\u{28FF}' | '\u{4E00}'..='\u{9FFF}');
    art.chars().all(|c| c.is_ascii() || of_terminals(c))
}

/// Whether two of three or more lines are not mostly letters, judged by bytes: nearly no post gets further, and that
/// must be quick.
fn may_hold_art(text: &str, lines: &[Line]) -> bool {
    // A quote such as `>>1` is mostly signs too, and no stroke.
    let mostly_signs = |line: &&Line| {
        let typed = line.span.of(text);
        line.holds.is_mostly_signs(typed) && quotes::parse(typed).is_none()
    };
    let needed = STROKE_LINES_MIN - 1;
    STROKE_LINES_MIN <= lines.len() && lines.iter().filter(mostly_signs).take(needed).count() == needed
}

/// What a line is for art.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Mostly strokes.
    Strokes,
    /// Can stand in art.
    Faint,
    /// Nothing.
    Blank,
    /// Cannot stand in art.
    Prose,
}

/// How much of what is in a line. Strokes count double, so that half strokes are whole numbers.
#[derive(Default)]
struct Weight {
    signs: usize,
    strokes_doubled: usize,
    drawn: bool,
    in_words: usize,
    indent: usize,
    gaps: usize,
    prose: bool,
    green: bool,
    boxed: bool,
}

impl Weight {
    fn kind(&self) -> Kind {
        if self.prose {
            return Kind::Prose;
        }
        if self.signs == 0 {
            return Kind::Blank;
        }
        if !self.green && self.strokes_doubled > self.signs && self.in_words * 10 <= self.signs * 3 {
            return Kind::Strokes;
        }
        if self.in_words * 2 > self.signs && !self.is_beside_art() { Kind::Prose } else { Kind::Faint }
    }

    fn end_word(&mut self, word: &mut Word) {
        if word.is_read() {
            self.in_words += word.length;
        } else if word.is_line() {
            self.strokes_doubled += 2 * word.length;
        }
        *word = Word::default();
    }

    /// Words that stand in a picture: a hand that holds a sign, a word of a few signs far from the margin.
    fn is_beside_art(&self) -> bool {
        let framed = self.strokes_doubled >= 4 && self.strokes_doubled >= self.in_words;
        let beside = self.gaps > 0 && self.strokes_doubled >= 8;
        self.is_shaped() && (framed || beside || self.signs <= 4)
    }

    fn is_shaped(&self) -> bool {
        self.indent > 0 || self.gaps > 0
    }

    /// Whether a faint line belongs to the art that it touches.
    fn joins(&self) -> bool {
        !self.green && (self.is_shaped() || self.is_half())
    }

    /// Not mostly strokes, but enough to be one of three lines: the eyes of a cat.
    fn is_half(&self) -> bool {
        !self.green && self.in_words == 0 && self.strokes_doubled * 2 >= self.signs
    }
}

/// Lines that may turn out to be art.
struct Piece {
    from: usize,
    /// The end of the last line of strokes, with the faint lines right behind it.
    to: usize,
    stroke_lines: usize,
    drawn_lines: usize,
    shaped_lines: usize,
    boxed_lines: usize,
    half_lines: usize,
    faint_lines: usize,
    /// Faint lines since the last line of strokes.
    faint_behind: usize,
    blank_behind: usize,
    signs: usize,
    strokes_doubled: usize,
}

impl Piece {
    fn new(from: usize, line: Span, weight: &Weight) -> Piece {
        let mut piece = Piece {
            from,
            to: line.to,
            stroke_lines: 0,
            drawn_lines: 0,
            shaped_lines: 0,
            boxed_lines: 0,
            half_lines: 0,
            faint_lines: 0,
            faint_behind: 0,
            blank_behind: 0,
            signs: 0,
            strokes_doubled: 0,
        };
        piece.add(line, weight);
        piece
    }

    /// Adds a line; false if the piece has ended before it.
    fn add(&mut self, line: Span, weight: &Weight) -> bool {
        match weight.kind() {
            Kind::Prose => return false,
            Kind::Blank => self.blank_behind += 1,
            Kind::Faint => {
                if self.to + 1 == line.from && weight.joins() {
                    self.to = line.to;
                    self.half_lines += usize::from(weight.is_half());
                }
                self.faint_behind += 1;
                self.blank_behind = 0;
            }
            Kind::Strokes => {
                self.to = line.to;
                self.stroke_lines += 1;
                self.drawn_lines += usize::from(weight.drawn);
                self.boxed_lines += usize::from(weight.boxed);
                self.faint_lines += self.faint_behind;
                (self.faint_behind, self.blank_behind) = (0, 0);
                self.strokes_doubled += weight.strokes_doubled;
                self.shaped_lines += usize::from(weight.is_shaped());
                self.signs += weight.signs;
            }
        }
        self.blank_behind <= BLANK_LINES_MAX
    }

    /// Where the piece stands, if it is plainly art: lines enough, with strokes that are drawn rather than written, in
    /// a shape or hardly anything but strokes, and not a table.
    fn finish(self) -> Option<Span> {
        let lines = self.stroke_lines;
        let enough =
            lines >= STROKE_LINES_MIN - 1 && lines + self.half_lines >= STROKE_LINES_MIN && lines >= self.faint_lines;
        let drawn = self.drawn_lines * 2 >= lines;
        let shaped = self.shaped_lines * 3 >= lines || self.strokes_doubled * 10 >= self.signs * 12;
        let table = self.boxed_lines == lines;
        (enough && drawn && shaped && !table).then(|| Span::new(self.from, self.to))
    }
}

fn weigh(line: &str) -> Weight {
    let mut weight = Weight::default();
    if line.len() > LINE_BYTES_MAX || line.contains("://") || is_talk(line) || is_comment(line) {
        weight.prose = true;
        return weight;
    }
    let mut spaces = 0;
    let mut word = Word::default();
    for c in line.chars() {
        if c.is_whitespace() {
            spaces += if c == '\u{3000}' { 2 } else { 1 };
            weight.end_word(&mut word);
            continue;
        }
        if spaces > 1 && weight.signs == 0 {
            weight.indent = spaces;
        } else if spaces > 1 {
            weight.gaps += 1;
        }
        spaces = 0;
        let (signs, strokes_doubled, drawn) = stroke(c);
        weight.signs += signs;
        weight.strokes_doubled += strokes_doubled;
        weight.drawn |= drawn;
        if c.is_alphanumeric() && signs > 0 {
            word.push(c);
        } else {
            weight.end_word(&mut word);
        }
    }
    weight.end_word(&mut word);
    let typed = line.trim_end();
    weight.green = line.starts_with('>');
    weight.boxed = line.starts_with(['|', '+']) && typed.ends_with(['|', '+']);
    weight
}

/// A quote, or a line with a mark that means something: it must not vanish in art.
fn is_talk(line: &str) -> bool {
    let typed = line.trim_start();
    let lower = if line.contains(']') { line.to_ascii_lowercase() } else { String::new() };
    // A line of tildes with strokes behind them opens no code: it is the sea below a boat.
    let fence = typed.starts_with("```") || typed.starts_with("~~~") && Fence::parse(line).is_some();
    fence
        || line == "||"
        || holds_spoiler_mark(line)
        || quotes::parse(line).is_some()
        || ["aa]", "code]", "spoiler]"].into_iter().any(|tag| lower.contains(tag))
}

/// `||` beside a letter. What somebody hid must not be shown as art.
fn holds_spoiler_mark(line: &str) -> bool {
    let beside = |side: Option<char>| side.is_some_and(char::is_alphanumeric);
    line.match_indices("||").any(|(at, mark)| {
        let (before, after) = (&line[..at], &line[at + mark.len()..]);
        let exact = !before.ends_with('|') && !after.starts_with('|');
        exact && (beside(before.chars().next_back()) || beside(after.chars().next()))
    })
}

/// Comments of programs are the one thing that is like art line after line: `///`, `// and so on`, `/**`.
fn is_comment(line: &str) -> bool {
    let typed = line.trim();
    let Some(behind) = typed.strip_prefix("//") else {
        return typed.starts_with("/*") || typed == "*/" || typed == "*";
    };
    let words = behind.strip_prefix(' ').unwrap_or(behind);
    behind.starts_with(['/', '!', '*', '-', '=']) || words.starts_with(|c: char| c.is_alphanumeric() || c == '`')
}

/// Letters and digits beside one another.
#[derive(Default)]
struct Word {
    first: char,
    length: usize,
    varies: bool,
}

impl Word {
    fn push(&mut self, c: char) {
        if self.length == 0 {
            self.first = c;
        }
        self.varies |= c != self.first;
        self.length += 1;
    }

    /// `HHHH` is not read, and one or two letters may be strokes.
    fn is_read(&self) -> bool {
        self.varies && self.length >= if self.first.is_ascii() { 3 } else { 2 }
    }

    /// `ニニニ` draws a line.
    fn is_line(&self) -> bool {
        !self.varies && self.length >= 3 && "ニ二三一ー彡ミノヽ".contains(self.first)
    }
}

/// What a sign counts: as a sign, as strokes (doubled), and whether it can only be drawn.
fn stroke(c: char) -> (usize, usize, bool) {
    match c {
        '/' | '\\' | '|' | '_' | '<' | '>' | '`' => (1, 2, true),
        '^' | '~' | '=' | '+' | '*' | '#' | '@' => (1, 2, false),
        '(' | ')' | '\'' => (1, 1, true),
        '"' | '.' | ',' | ':' | ';' | '-' => (1, 1, false),
        '\0'..='\x7F' => (1, 0, false),
        // Half-width kana are the sounds in Shift_JIS art.
        '\u{FF66}'..='\u{FF9F}' => (0, 0, false),
        '（' | '）' | '・' | '･' | '。' | '゜' => (1, 1, true),
        '、' | '「' | '」' | '『' | '』' | '！' | '？' | '：' | '；' | '，' | '．' | '…' | '“' | '”' | '‘' | '’'
        | '—' | '–' => (1, 0, false),
        '\u{2600}'..='\u{27BF}' | '\u{1F000}'..='\u{10FFFF}' => (1, 0, false),
        _ if c.is_alphanumeric() => (1, 0, false),
        _ if super::marks::is_mark(c) || c.is_control() || matches!(c, '\u{200B}'..='\u{200D}') => (0, 0, false),
        _ => (1, 2, true),
    }
}
