//! The way to the pages of staff: bounded forms in, pages out. What they mean, the backend knows.

use hyper::body::{Body as HttpBody, Bytes};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use std::net::IpAddr;
use tokio::time::timeout;

use super::form::{self, Encoding};
use super::path::percent_decode;
use super::reply::{self, Refused};
use super::{Body, Door, body, post};
use crate::model::staff::{StaffAnswer, StaffRequest};
use crate::model::{FormFault, Refusal};

/// Fields in a form of staff: a box to tick for each of many posts.
const FIELDS_MAX: usize = 512;

/// Bytes of a cookie header that are looked at.
const COOKIES_BYTES_MAX: usize = 4_096;

/// Nothing foreign, no script at all, and no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// Answers a request for `path`, which stands behind `mod/`.
pub(super) async fn staff<B>(
    door: &Door,
    parts: &Parts,
    path: String,
    body: B,
    address: IpAddr,
) -> Result<Response<Body>, Refused>
where
    B: HttpBody<Data = Bytes>,
{
    let mut held = None;
    let form = match parts.method {
        Method::POST => {
            let (encoding, declared) = post::admit(door, &parts.headers)?;
            if encoding != Encoding::Urlencoded {
                return Err(Refusal::BadType.into());
            }
            let whole = held.insert(body::read(body, declared, door).await?);
            Some(pairs(&whole.bytes)?)
        }
        _ => None,
    };
    let text = |name: HeaderName| one(&parts.headers, &name).map(str::to_owned);
    let request = StaffRequest {
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        form,
        cookies: text(header::COOKIE).filter(|text| text.len() <= COOKIES_BYTES_MAX).unwrap_or_default(),
        host: text(header::HOST).unwrap_or_default(),
        origin: text(header::ORIGIN),
        fetch_site: text(HeaderName::from_static("sec-fetch-site")),
        address: Some(address),
    };
    let answer = timeout(door.limits.accept_time, door.backend.staff(request)).await;
    let answer = answer.map_err(|_| Refusal::Fault)?.ok_or(Refusal::NotFound)?;
    Ok(response(answer))
}

/// The only header of a name; one that is there twice could be read in two ways, so it counts as empty.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().unwrap_or_default()),
        (Some(_), Some(_)) => Some(""),
    }
}

/// The fields of a form, in their order.
fn pairs(bytes: &[u8]) -> Result<Vec<(String, String)>, Refusal> {
    let mut fields = Vec::new();
    for pair in form::urlencoded_pairs(bytes) {
        if FIELDS_MAX <= fields.len() {
            return Err(Refusal::BadForm(FormFault::TooManyFields));
        }
        let text = |bytes| String::from_utf8(percent_decode(bytes, b'+')).ok().filter(|text| !text.contains('\0'));
        let (Some(name), Some(value)) = (text(pair.0), text(pair.1)) else {
            return Err(Refusal::BadForm(FormFault::FieldName));
        };
        fields.push((name, value));
    }
    Ok(fields)
}

fn response(answer: StaffAnswer) -> Response<Body> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let media_type = if answer.is_css { "text/css; charset=utf-8" } else { "text/html; charset=utf-8" };
    let mut response = reply::with_type(status, media_type, Body::memory(answer.body));
    if let Some(location) = &answer.location {
        reply::set(&mut response, header::LOCATION, location);
    }
    if let Some(cookie) = &answer.cookie {
        reply::set(&mut response, header::SET_COOKIE, cookie);
    }
    let headers = response.headers_mut();
    if let Some(seconds) = answer.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // Browsers of old know only this.
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // With `no-referrer` browsers would hide from us where a form comes from.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}
