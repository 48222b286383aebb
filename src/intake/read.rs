//! A page or another file that is asked for, from its path to its answer.

use std::io::SeekFrom;
use std::ops::Range;
use std::time::UNIX_EPOCH;

use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use tokio::io::AsyncSeekExt;

use super::conditional::{Portion, Validators, portion};
use super::files::{Found, Kept, Opened};
use super::path::{Target, media_type};
use super::read_cgi::read_cgi;
use super::reply::{self, Refused};
use super::{Body, Door, negotiate};
use crate::model::caching::Kind;
use crate::model::{Coding, Refusal};

/// Seconds after which a large file may be had that cannot be had now.
const STREAMS_PAUSE: u32 = 5;

/// Answers a `GET` or `HEAD` of `target`.
pub(super) async fn read(door: &Door, parts: &Parts, target: Target, prefix: &str) -> Result<Response<Body>, Refused> {
    let inside = match target {
        Target::Home => return Ok(reply::to(StatusCode::PERMANENT_REDIRECT, prefix)),
        Target::BareStaff => return Ok(reply::to(StatusCode::PERMANENT_REDIRECT, &format!("{prefix}mod/"))),
        Target::ReadCgi(named) => match read_cgi(door, &named, prefix) {
            Some(response) => return Ok(response),
            None => return not_found(door, parts).await,
        },
        Target::File(inside) => inside,
        Target::Post | Target::BbsCgi | Target::Health | Target::Staff(_) | Target::Nothing => {
            return not_found(door, parts).await;
        }
    };
    let found = find(door, &inside).await?;
    if let Some(response) = packed(door, parts, &inside, &found).await? {
        return Ok(response);
    }
    match found {
        Found::Memory(kept) => file(door, parts, &inside, &kept, None).await,
        Found::Large(kept, opened) => file(door, parts, &inside, &kept, Some(opened)).await,
        // The path has no empty segment, or it would lead nowhere: what it begins with is never another host.
        Found::Folder => Ok(reply::to(StatusCode::PERMANENT_REDIRECT, &format!("{}/", parts.uri.path()))),
        Found::Nothing => not_found(door, parts).await,
        Found::TooMany => Err(Refusal::Busy(STREAMS_PAUSE).into()),
    }
}

/// The file packed, if the client takes that and there is such a form of the same state.
///
/// Parts are always cut from the plain file, as clients that keep parts compare its length.
async fn packed(door: &Door, parts: &Parts, inside: &str, plain: &Found) -> Result<Option<Response<Body>>, Refused> {
    let whole = match plain {
        Found::Memory(kept) | Found::Large(kept, _) => kept,
        Found::TooMany | Found::Folder | Found::Nothing => return Ok(None),
    };
    if parts.headers.contains_key(header::RANGE) || !may_be_packed(media_type(inside)) {
        return Ok(None);
    }
    let second = door.backend.now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    for coding in negotiate::codings(&parts.headers).filter(|coding| !whole.lacks(*coding, second)) {
        let response = match find(door, &coding.sibling(inside)).await? {
            Found::Memory(kept) if kept.modified == whole.modified => file(door, parts, inside, &kept, None).await?,
            Found::Large(kept, opened) if kept.modified == whole.modified => {
                file(door, parts, inside, &kept, Some(opened)).await?
            }
            Found::Nothing => {
                whole.note_lack(coding, second);
                continue;
            }
            _ => continue,
        };
        return Ok(Some(as_packed(response, coding)));
    }
    // Nothing packed lies beside it, or not yet.
    let takes_gzip = negotiate::codings(&parts.headers).any(|coding| coding == Coding::Gzip);
    if let Found::Memory(plain) = plain
        && takes_gzip
        && let Some(kept) = door.files.packed(inside, plain).await
    {
        return Ok(Some(as_packed(file(door, parts, inside, &kept, None).await?, Coding::Gzip)));
    }
    Ok(None)
}

fn as_packed(mut response: Response<Body>, coding: Coding) -> Response<Body> {
    if response.status() != StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
        response.headers_mut().remove(header::ACCEPT_RANGES);
    }
    response
}

/// Whether packing makes files of this type smaller.
fn may_be_packed(media_type: &str) -> bool {
    media_type.contains("charset=") || media_type == "application/wasm"
}

async fn find(door: &Door, inside: &str) -> Result<Found, Refused> {
    door.files.find(inside).await.map_err(|error| {
        tracing::warn!("a file of the site cannot be read: {inside:?}: {error}");
        Refusal::Fault.into()
    })
}

/// The site's own page for what is not there, or else the backend's.
async fn not_found(door: &Door, parts: &Parts) -> Result<Response<Body>, Refused> {
    if !negotiate::wants_json(&parts.headers)
        && let Found::Memory(kept) = find(door, "404.html").await?
        && let Some(bytes) = &kept.bytes
    {
        let mut response = reply::html(StatusCode::NOT_FOUND, bytes.clone());
        let caching = Kind::NotFound.cache_control(&door.backend.site());
        reply::set(&mut response, header::CACHE_CONTROL, &caching);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        return Ok(response);
    }
    Err(Refusal::NotFound.into())
}

/// A file, or the part of it that is asked for. A large one comes `opened`.
async fn file(
    door: &Door,
    parts: &Parts,
    inside: &str,
    kept: &Kept,
    opened: Option<Opened>,
) -> Result<Response<Body>, Refused> {
    let validators = Validators { etag: kept.etag.to_str().unwrap_or_default(), modified: kept.modified };
    let portion = portion(&parts.headers, &validators, kept.length);
    let mut response = match &portion {
        Portion::Whole => reply::bare(StatusCode::OK, cut(door, kept, opened, 0..kept.length).await?),
        Portion::Part(range) => {
            let mut response = reply::bare(StatusCode::PARTIAL_CONTENT, cut(door, kept, opened, range.clone()).await?);
            let of = format!("bytes {}-{}/{}", range.start, range.end - 1, kept.length);
            reply::set(&mut response, header::CONTENT_RANGE, &of);
            response
        }
        Portion::NotModified => reply::bare(StatusCode::NOT_MODIFIED, Body::empty()),
        Portion::PreconditionFailed => return Ok(reply::bare(StatusCode::PRECONDITION_FAILED, Body::empty())),
        Portion::Unsatisfiable => {
            let mut response = reply::bare(StatusCode::RANGE_NOT_SATISFIABLE, Body::empty());
            reply::set(&mut response, header::CONTENT_RANGE, &format!("bytes */{}", kept.length));
            return Ok(response);
        }
    };
    describe(door, &mut response, inside, kept);
    Ok(response)
}

/// The headers that tell about a file, whether its bytes follow or not.
fn describe(door: &Door, response: &mut Response<Body>, inside: &str, kept: &Kept) {
    let caching = Kind::of_path(inside).cache_control(&door.backend.site());
    let media_type = media_type(inside);
    // A time that is still to come would be no lie of ours, but HTTP forbids it. A file gets one when it is changed
    // twice within a second.
    let now = door.backend.now();
    if now < kept.modified {
        reply::set(response, header::LAST_MODIFIED, &httpdate::fmt_http_date(now.max(UNIX_EPOCH)));
    } else {
        response.headers_mut().insert(header::LAST_MODIFIED, kept.modified_date.clone());
    }
    reply::set(response, header::CACHE_CONTROL, &caching);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, kept.etag.clone());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if may_be_packed(media_type) {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if media_type.starts_with("application/json") {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
}

/// The bytes in `range`, which lies within the file.
async fn cut(door: &Door, kept: &Kept, opened: Option<Opened>, range: Range<u64>) -> Result<Body, Refusal> {
    match (&kept.bytes, opened) {
        (Some(bytes), _) => Ok(Body::memory(bytes.slice(range.start as usize..range.end as usize))),
        (None, Some(opened)) => {
            let mut file = tokio::fs::File::from_std(opened.file);
            file.seek(SeekFrom::Start(range.start)).await.map_err(|_| Refusal::Fault)?;
            Ok(Body::file(file, opened.place, range.end - range.start, door.limits.chunk_bytes))
        }
        (None, None) => Err(Refusal::Fault),
    }
}
