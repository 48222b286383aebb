//! A form that is sent, from its head to its answer. The steps are numbered in the module comment of the room.

use std::net::IpAddr;

use hyper::Response;
use hyper::body::{Body as HttpBody, Bytes};
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use hyper::http::request::Parts;
use tokio::time::timeout;

use super::check::{check, request};
use super::form::{self, Encoding};
use super::reply::{self, Refused, Taste};
use super::{Body, Door, Patience, bbs_cgi, body, negotiate};
use crate::model::{BoardSlug, Form, PostNo, Receipt, Refusal, RequestFault, Verdict};

/// Takes the post in `body`.
pub(super) async fn post<B>(
    door: &Door,
    parts: &Parts,
    body: B,
    address: IpAddr,
    taste: Taste,
) -> Result<Response<Body>, Refused>
where
    B: HttpBody<Data = Bytes>,
{
    let (encoding, declared) = admit(door, &parts.headers)?;
    // The share of the room is given back when the answer is ready, since the form lives until then.
    let body::Held { bytes, share: _share } = body::read(body, declared, door).await?;
    let form = form::decode(encoding, bytes, &door.limits).await?;
    let receipt = take(door, form, address, negotiate::patience(&parts.headers), taste).await?;
    Ok(reply::receipt(&*door.backend, receipt, taste))
}

/// Takes the post in `body` that a client of 2ch sends.
pub(super) async fn post_of_bbs_cgi<B>(
    door: &Door,
    parts: &Parts,
    body: B,
    address: IpAddr,
) -> Result<Response<Body>, Refused>
where
    B: HttpBody<Data = Bytes>,
{
    let encoding = bbs_cgi::encoding(&parts.headers)?;
    let declared = length(door, &parts.headers)?;
    let body::Held { bytes, share: _share } = body::read(body, declared, door).await?;
    let mut form = bbs_cgi::decode(encoding, &bytes, &door.limits)?;
    let lines = match (BoardSlug::parse(&form.board), PostNo::parse(&form.thread)) {
        (Ok(board), Some(thread)) => door.backend.lines(&board, thread),
        _ => Vec::new(),
    };
    form.body = bbs_cgi::with_numbers(&form.body, &lines);
    let receipt = take(door, form, address, Patience::UntilVisible, Taste::BbsCgi).await?;
    Ok(reply::receipt(&*door.backend, receipt, Taste::BbsCgi))
}

/// Takes a form, and waits for what becomes of it.
async fn take(door: &Door, form: Form, address: IpAddr, patience: Patience, taste: Taste) -> Result<Receipt, Refused> {
    let accepting = if let Some((board, no, request)) = request(door, &form)? {
        door.backend.attend(board, no, request, address)
    } else {
        let (submission, verdict) = match check(door, &form, address, taste).await {
            Ok(checked) => checked,
            Err(refusal) => return Err(with(form, refusal)),
        };
        match verdict {
            Verdict::Pass => door.backend.accept(submission, patience),
            verdict => door.backend.hold(submission, verdict, patience),
        }
    };
    match timeout(door.limits.accept_time, accepting).await {
        Ok(Ok(receipt)) => Ok(receipt),
        Ok(Err(refusal)) if !form.task.is_empty() => Err(refusal.into()),
        Ok(Err(refusal)) => Err(with(form, refusal)),
        // The post may be stored or not; a resend of the form gets the same id, so it is safe to ask for one.
        Err(_) => Err(with(form, Refusal::NotStored)),
    }
}

fn with(form: Form, refusal: Refusal) -> Refused {
    Refused { refusal, form: Some(Box::new(form)), allow: None }
}

/// What can be told from the head alone: the encoding, and that the declared length is within the bound.
pub(super) fn admit(door: &Door, headers: &HeaderMap) -> Result<(Encoding, usize), Refusal> {
    let encoding = form::encoding(headers)?;
    Ok((encoding, length(door, headers)?))
}

/// The length that the head declares, if it is within the bound.
fn length(door: &Door, headers: &HeaderMap) -> Result<usize, Refusal> {
    let declared = declared_length(headers).ok_or(Refusal::BadRequest(RequestFault::Length))?;
    match usize::try_from(declared) {
        Ok(declared) if declared <= door.limits.body_bytes_max => Ok(declared),
        _ => Err(Refusal::TooLarge(door.limits.body_bytes_max)),
    }
}

/// The length that the headers declare; 0 if they declare none, as HTTP has it.
pub(super) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    match headers.get(CONTENT_LENGTH) {
        None => Some(0),
        Some(value) => value.to_str().ok()?.parse().ok(),
    }
}
