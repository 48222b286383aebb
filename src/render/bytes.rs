//! Looks for bytes in text. Nearly all text has none of those that are looked for, so it is looked at in pieces of a
//! fixed size, each to its end: the processor does such a piece in one go.

/// Bytes that are looked at together.
const TOGETHER: usize = 16;

/// Whether one of the bytes is `wanted`.
#[inline]
pub fn hold(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> bool {
    match bytes.last_chunk() {
        // The last ones may be looked at twice, which is quicker than one by one.
        Some(last) => holds(last, &wanted) || bytes.as_chunks().0.iter().any(|piece| holds(piece, &wanted)),
        None => bytes.iter().any(|byte| wanted(*byte)),
    }
}

/// The place of the first byte that is `wanted`.
#[inline]
pub fn find(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let pieces = bytes.as_chunks().0;
    let plain = pieces.iter().position(|piece| holds(piece, &wanted)).unwrap_or(pieces.len()) * TOGETHER;
    bytes[plain..].iter().position(|byte| wanted(*byte)).map(|at| plain + at)
}

#[inline]
fn holds(piece: &[u8; TOGETHER], wanted: impl Fn(u8) -> bool) -> bool {
    piece.iter().fold(false, |any, byte| any | wanted(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_wherever_it_stands() {
        for length in 0..3 * TOGETHER {
            let mut text = vec![b'a'; length];
            assert_eq!((hold(&text, |b| b == b'<'), find(&text, |b| b == b'<')), (false, None));
            for at in (0..length).rev() {
                // Those behind it are there already: the first one is asked for.
                text[at] = b'<';
                assert_eq!((hold(&text, |b| b == b'<'), find(&text, |b| b == b'<')), (true, Some(at)));
            }
        }
    }
}
