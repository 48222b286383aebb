//! Bare web addresses in text.

/// Longest host, with port, that is taken for one.
const HOST_BYTES_MAX: usize = 255;

/// The end of the address in `text` whose `://` stands at `colon`, and its start; only `http` and `https`.
///
/// The address ends before what more likely belongs to the sentence: closing punctuation, and a bracket that was not
/// opened inside.
pub(super) fn around(text: &str, colon: usize, floor: usize) -> Option<super::Span> {
    let before = &text.as_bytes()[floor..colon];
    let scheme_bytes = [5, 4]
        .into_iter()
        .find(|n| before.len() >= *n && before[before.len() - n..].eq_ignore_ascii_case(&b"https"[..*n]))?;
    let from = colon - scheme_bytes;
    if text[floor..from].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let host = colon + 3;
    let after_host = host + host_bytes(&text[host..])?;
    let to = after_host + path_bytes(&text[after_host..]);
    let kept = text[host..to].trim_end_matches(['?', '!', '.', ',', ':', ';', '*', '_', '~', '\'', '(', '[']);
    Some(super::Span::new(from, host + kept.len()))
}

/// How long the host is, with its port. None if there is none that a link should lead to.
///
/// SECURITY: no user names before an `@`, since `https://your-bank.example@evil.example` is made to mislead.
fn host_bytes(text: &str) -> Option<usize> {
    let mut end = 0;
    for (at, c) in text.char_indices().take(HOST_BYTES_MAX) {
        match c {
            '-' | '.' | '_' | ':' | '%' => {}
            '[' if at == 0 => {}
            ']' if text.starts_with('[') => {}
            '@' => return None,
            _ if is_wide_punctuation(c) || !(c.is_alphanumeric() || is_host_mark(c)) => break,
            _ => {}
        }
        end = at + c.len_utf8();
    }
    let first = text.chars().next()?;
    let six = first == '[';
    if six {
        let closed = text[..end].find(']')?;
        return (closed > 2).then_some(end);
    }
    first.is_alphanumeric().then_some(end)
}

/// Marks and emoji stand in internationalized names.
fn is_host_mark(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace() && !c.is_control()
}

/// How far path, query and fragment go, brackets balanced.
fn path_bytes(text: &str) -> usize {
    if !text.starts_with(['/', '?', '#']) {
        return 0;
    }
    let (mut round, mut square) = (0usize, 0usize);
    for (at, c) in text.char_indices() {
        let ends = match c {
            '(' => {
                round += 1;
                false
            }
            '[' => {
                square += 1;
                false
            }
            ')' if round > 0 => {
                round -= 1;
                false
            }
            ']' if square > 0 => {
                square -= 1;
                false
            }
            ')' | ']' | '<' | '>' | '"' | '`' | '\\' => true,
            '|' => text[at..].starts_with("||"),
            _ => c.is_whitespace() || c.is_control() || is_wide_punctuation(c),
        };
        if ends {
            return at;
        }
    }
    text.len()
}

/// Punctuation of Chinese and Japanese, which stands behind an address without a space.
fn is_wide_punctuation(c: char) -> bool {
    matches!(
        c,
        '\u{3000}'..='\u{3003}'
            | '\u{3008}'..='\u{3011}'
            | '\u{3014}'..='\u{301F}'
            | '！' | '（' | '）' | '，' | '．' | '：' | '；' | '＜' | '＞' | '？' | '［' | '］' | '｛' | '｝' | '｢' | '｣'
            | '“' | '”' | '‘' | '’' | '«' | '»'
    )
}
