//! Quotes as they stand in the source of a body: `>>12`, `>>>/tech/12` and `>>>/tech/`.
//!
//! One tokenizer serves both readers of quotes. The renderer asks it what a run of `>` at some place means; the scan
//! of a thread file asks it for the first quotes of a body, whatever markup they stand in, so that what the scan finds
//! is always a superset of what the renderer links.

use std::fmt;
use std::ops::Range;

use super::{BoardSlug, PostNo};

/// So many quotes of a body can be links, whatever markup they stand in. Those behind them are shown all the same.
pub const LINKS_MAX: usize = 100;

/// So many replies that name a post are listed with it. The others are counted.
pub const BACKLINKS_MAX: usize = 100;

/// The shortest quote, in bytes: `>>1`.
const BYTES_MIN: usize = 3;

/// What a quote names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Quote {
    /// `>>12`: a post of the same board.
    Post(PostNo),
    /// `>>>/tech/12`: a post of a board, perhaps the same one.
    Cross(BoardSlug, PostNo),
    /// `>>>/tech/`: a board.
    Board(BoardSlug),
}

impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quote::Post(no) => write!(f, ">>{no}"),
            Quote::Cross(board, no) => write!(f, ">>>/{board}/{no}"),
            Quote::Board(board) => write!(f, ">>>/{board}/"),
        }
    }
}

/// The quote that begins at the start of `text`, and how many bytes it takes.
///
/// Digits end where they end: `>>12abc` names post 12, `>>12.` too. A number out of range is no quote.
pub fn parse(text: &str) -> Option<(Quote, usize)> {
    let bytes = text.as_bytes();
    if !bytes.starts_with(b">>") {
        return None;
    }
    if bytes.starts_with(b">>>/") {
        let slug_bytes = bytes[4..].iter().take(33).take_while(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9')).count();
        let slug = BoardSlug::parse(&text[4..4 + slug_bytes]).ok()?;
        let after = 4 + slug_bytes;
        if bytes.get(after) != Some(&b'/') {
            return None;
        }
        let digits = digits_at(bytes, after + 1);
        return match PostNo::parse(&text[after + 1..after + 1 + digits]) {
            Some(no) => Some((Quote::Cross(slug, no), after + 1 + digits)),
            None if digits == 0 => Some((Quote::Board(slug), after + 1)),
            None => None,
        };
    }
    let digits = digits_at(bytes, 2);
    let no = PostNo::parse(&text[2..2 + digits])?;
    Some((Quote::Post(no), 2 + digits))
}

/// Calls `found` with each quote in the source `body` that can be a link, in order, whatever markup it stands in.
pub fn scan(body: &str, mut found: impl FnMut(Quote)) {
    scan_up_to(LINKS_MAX, body, |quote, _| found(quote));
}

/// The same, with where each stands.
pub fn scan_places(body: &str, found: impl FnMut(Quote, Range<usize>)) {
    scan_up_to(LINKS_MAX, body, found);
}

/// The place in `body` behind which no quote is a link. Cleaning a body changes nothing but what lies between quotes, so
/// the quotes before this place are the same ones in the source and in the cleaned text.
pub fn links_end(body: &str) -> usize {
    match body.len() < LINKS_MAX * BYTES_MIN {
        true => body.len(),
        false => scan_up_to(LINKS_MAX, body, |_, _| {}),
    }
}

/// How many quotes the source `body` holds, whether they can be links or not.
pub fn count(body: &str) -> usize {
    let mut count = 0;
    scan_up_to(usize::MAX, body, |_, _| count += 1);
    count
}

/// Calls `found` with so many quotes at most; gives the place where the last of them ends, or the end of `body`.
fn scan_up_to(most: usize, body: &str, mut found: impl FnMut(Quote, Range<usize>)) -> usize {
    let bytes = body.as_bytes();
    let mut at = 0;
    let mut left = most;
    while let Some(offset) = memchr::memchr(b'>', &bytes[at..]) {
        at += offset;
        // In `>>>>12` the last two arrows belong to the number, in `>>>/b/1` the last three: try each arrow in turn.
        match parse(&body[at..]) {
            Some((quote, taken)) => {
                found(quote, at..at + taken);
                at += taken;
                left -= 1;
                if left == 0 {
                    return at;
                }
            }
            None => at += 1,
        }
    }
    body.len()
}

fn digits_at(bytes: &[u8], from: usize) -> usize {
    // One digit more than any number has, so that a longer run is seen to be too long.
    bytes[from..].iter().take(17).take_while(|b| b.is_ascii_digit()).count()
}
