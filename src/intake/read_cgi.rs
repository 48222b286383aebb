//! The addresses by which readers of 2ch name threads and posts, such as `test/read.cgi/tech/12/3`: each leads to a page.

use hyper::{Response, StatusCode};

use super::{Body, Door, reply};
use crate::model::lines::Lines;
use crate::model::{BoardSlug, PostNo};

/// Answers a `GET` of what stands behind `read.cgi/`; `None` if there is no such thread.
pub(super) fn read_cgi(door: &Door, path: &str, prefix: &str) -> Option<Response<Body>> {
    let (board, thread, lines) = named(path)?;
    let page = door.backend.reading(&board, thread, lines)?;
    // Only for now: a thread may get a page of its last posts, and a line another post.
    Some(reply::to(StatusCode::FOUND, &format!("{prefix}{page}")))
}

/// The board, the thread and the part that an address names.
fn named(path: &str) -> Option<(BoardSlug, PostNo, Lines)> {
    let mut segments = path.split('/');
    let board = BoardSlug::parse(segments.next()?).ok()?;
    let thread = PostNo::parse(segments.next()?)?;
    let lines = segments.next().unwrap_or_default();
    segments.next().is_none_or(str::is_empty).then_some(())?;
    segments.next().is_none().then_some(())?;
    Some((board, thread, part(lines)))
}

/// The part of a thread that `12`, `12-20`, `12-`, `-20`, `12n` or `l50` names. What is none names the whole.
fn part(lines: &str) -> Lines {
    let last = lines.strip_prefix('l').is_some_and(|count| count.bytes().next().is_some_and(|b| b.is_ascii_digit()));
    if last {
        return Lines::Last;
    }
    let digits = &lines[..lines.bytes().take_while(u8::is_ascii_digit).count()];
    digits.parse().map_or(Lines::All, Lines::From)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_part_of_a_thread() {
        let told = |path: &str| named(path).map(|(board, thread, lines)| format!("{board} {thread} {lines:?}"));
        for (path, expected) in [
            ("tech/12", "tech 12 All"),
            ("tech/12/", "tech 12 All"),
            ("tech/12/l50", "tech 12 Last"),
            ("tech/12/l50/", "tech 12 Last"),
            ("tech/12/lx", "tech 12 All"),
            ("tech/12/l", "tech 12 All"),
            ("tech/12/3", "tech 12 From(3)"),
            ("tech/12/3n", "tech 12 From(3)"),
            ("tech/12/3-20", "tech 12 From(3)"),
            ("tech/12/3-", "tech 12 From(3)"),
            ("tech/12/-20", "tech 12 All"),
            ("tech/12/99999999999999999999999", "tech 12 All"),
        ] {
            assert_eq!(told(path).as_deref(), Some(expected), "{path}");
        }
        for path in ["", "tech", "tech/", "tech/x", "tech/0", "TECH/1", "../1", "tech/1/2/3", "tech/1/2//", "tech//1"] {
            assert_eq!(told(path), None, "{path}");
        }
    }
}
