//! `>>12` of a `.dat`, which counts the posts of its thread, as a quote of the board's numbers.

use crate::model::PostNo;

/// `body` with the numbers that `number` tells, and how many quotes name nothing.
///
/// `>>12-15` and `>>1,3` are kept as such. A quote of a post that is not there gets wide brackets, `＞＞12`, or it would
/// be one of whatever post has that number here. What stands in art is left alone.
pub(super) fn renumber(body: &str, number: impl Fn(u32) -> Option<PostNo>) -> (String, u64) {
    let mut out = String::with_capacity(body.len() + 16);
    let mut nowhere = 0;
    let mut in_art = false;
    for (i, line) in body.split('\n').enumerate() {
        if 0 < i {
            out.push('\n');
        }
        match line {
            "[aa]" => in_art = true,
            "[/aa]" => in_art = false,
            _ => {}
        }
        match in_art {
            true => out.push_str(line),
            false => renumber_line(line, &number, &mut out, &mut nowhere),
        }
    }
    (out, nowhere)
}

fn renumber_line(line: &str, number: &impl Fn(u32) -> Option<PostNo>, out: &mut String, nowhere: &mut u64) {
    let mut rest = line;
    while let Some(at) = rest.find(['>', '＞']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let arrows = arrows(rest);
        let after = &rest[arrows.bytes..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let quote = arrows.count == 2 && 0 < digits;
        if !quote {
            out.push_str(&rest[..arrows.bytes]);
            rest = after;
            continue;
        }
        let list = list_bytes(after);
        match renumbered(&after[..list], number) {
            Some(numbers) => {
                out.push_str(">>");
                out.push_str(&numbers);
            }
            None => {
                *nowhere += 1;
                out.push_str("＞＞");
                out.push_str(&after[..list]);
            }
        }
        rest = &after[list..];
    }
    out.push_str(rest);
}

struct Arrows {
    count: usize,
    bytes: usize,
}

/// The brackets at the start of `text`.
fn arrows(text: &str) -> Arrows {
    let run = text.chars().take_while(|c| matches!(c, '>' | '＞'));
    run.fold(Arrows { count: 0, bytes: 0 }, |sum, c| Arrows { count: sum.count + 1, bytes: sum.bytes + c.len_utf8() })
}

/// How many bytes of `12`, `12-15` or `1,3,5-7` begin `text`.
fn list_bytes(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut bytes = digits(text);
    while let Some(b'-' | b',') = text.as_bytes().get(bytes)
        && 0 < digits(&text[bytes + 1..])
    {
        bytes += 1 + digits(&text[bytes + 1..]);
    }
    bytes
}

/// A list of places as one of numbers; `None` if its first one names nothing.
fn renumbered(list: &str, number: &impl Fn(u32) -> Option<PostNo>) -> Option<String> {
    let mut out = String::new();
    let mut first = true;
    for part in list.split_inclusive(['-', ',']) {
        let digits = part.trim_end_matches(['-', ',']);
        let no = digits.parse().ok().and_then(number);
        match no {
            Some(no) if out.ends_with(',') => out.push_str(&format!(">>{no}")),
            Some(no) => out.push_str(&no.to_string()),
            None if first => return None,
            None => out.push_str(digits),
        }
        out.push_str(&part[digits.len()..]);
        first = false;
    }
    Some(out)
}
