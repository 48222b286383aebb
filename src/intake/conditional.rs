//! Which part of a file a request asks for, if it is to have any (RFC 9110, sections 13 and 14).

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use hyper::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};

/// What tells one state of a file from another.
pub(super) struct Validators<'a> {
    /// The strong entity tag, in its quotes.
    pub etag: &'a str,
    /// When the file was last changed.
    pub modified: SystemTime,
}

/// What a client is to get.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Portion {
    /// All of it.
    Whole,
    /// These bytes; never none.
    Part(Range<u64>),
    /// Nothing: the client has it already.
    NotModified,
    /// Nothing: the client asked for another state of the file.
    PreconditionFailed,
    /// Nothing: the range begins behind the end.
    Unsatisfiable,
}

/// Decides what a `GET` or `HEAD` of a file of `length` bytes gets.
pub(super) fn portion(headers: &HeaderMap, validators: &Validators, length: u64) -> Portion {
    if precondition_fails(headers, validators) {
        return Portion::PreconditionFailed;
    }
    if client_has_it(headers, validators) {
        return Portion::NotModified;
    }
    if !headers.contains_key(RANGE) || !range_may_apply(headers, validators) {
        return Portion::Whole;
    }
    match text(headers, RANGE).map(|range| part(range, length)) {
        Some(portion) => portion,
        None => Portion::Whole,
    }
}

/// A time as whole seconds, which is all that a date in HTTP can say.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

fn precondition_fails(headers: &HeaderMap, validators: &Validators) -> bool {
    if headers.contains_key(IF_MATCH) {
        return !names_tag(headers, IF_MATCH, validators.etag, Comparison::Strong);
    }
    date(headers, IF_UNMODIFIED_SINCE).is_some_and(|since| seconds(since) < seconds(validators.modified))
}

fn client_has_it(headers: &HeaderMap, validators: &Validators) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return names_tag(headers, IF_NONE_MATCH, validators.etag, Comparison::Weak);
    }
    date(headers, IF_MODIFIED_SINCE).is_some_and(|since| seconds(validators.modified) <= seconds(since))
}

/// Whether the part that the client has is of the very file that would be cut now.
fn range_may_apply(headers: &HeaderMap, validators: &Validators) -> bool {
    match text(headers, IF_RANGE) {
        None => !headers.contains_key(IF_RANGE),
        Some(tag) if tag.starts_with('"') => tag == validators.etag,
        Some(date) => httpdate::parse_http_date(date).is_ok_and(|date| seconds(date) == seconds(validators.modified)),
    }
}

/// How a tag that is marked as weak compares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// It is equal to nothing.
    Strong,
    /// The mark does not count.
    Weak,
}

fn names_tag(headers: &HeaderMap, name: HeaderName, etag: &str, comparison: Comparison) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    // Our tags hold no comma, so cutting at commas finds each of them.
    values.flat_map(|value| value.split(',')).map(str::trim).any(|tag| {
        let tag = if comparison == Comparison::Weak { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
        tag == etag || tag == "*"
    })
}

/// The value of a header that comes once.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(only), None) => only.to_str().ok().map(str::trim),
        _ => None,
    }
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, name)?).ok()
}

/// The part that one `Range` means. More than one range, another unit or nonsense is as if there was none.
fn part(range: &str, length: u64) -> Portion {
    let Some(spec) = range.strip_prefix("bytes=") else { return Portion::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return Portion::Whole };
    let bounds = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.is_empty() => first..length,
        (None, Some(suffix)) if first.is_empty() => length.saturating_sub(suffix)..length,
        _ => return Portion::Whole,
    };
    if bounds.start < bounds.end { Portion::Part(bounds) } else { Portion::Unsatisfiable }
}

/// Digits and nothing else; a number too large for any file is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}
