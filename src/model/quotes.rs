//! Quotes as they stand in the source of a body: `>>12`, `>>>/tech/12` and `>>>/tech/`.
//!
//! One tokenizer serves both readers of quotes. The renderer asks it what a run of `>` at some place means; the scan
//! of a thread file asks it for every quote of a body, whatever markup it stands in, so that what the scan finds is
//! always a superset of what the renderer links.

use super::{BoardSlug, PostNo};

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

/// Calls `found` with each quote in the source `body`, in order, whatever markup it stands in.
pub fn scan(body: &str, mut found: impl FnMut(Quote)) {
    let bytes = body.as_bytes();
    let mut at = 0;
    while let Some(offset) = memchr::memmem::find(&bytes[at..], b">>") {
        at += offset;
        // In `>>>>12` the last two arrows belong to the number, in `>>>/b/1` the last three: try each arrow in turn.
        match parse(&body[at..]) {
            Some((quote, taken)) => {
                found(quote);
                at += taken;
            }
            None => at += 1,
        }
    }
}

fn digits_at(bytes: &[u8], from: usize) -> usize {
    // One digit more than any number has, so that a longer run is seen to be too long.
    bytes[from..].iter().take(17).take_while(|b| b.is_ascii_digit()).count()
}
