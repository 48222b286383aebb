//! From request to response, without a socket.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use hyper::body::{Body as HttpBody, Bytes};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode, Version};

use super::body::discard;
use super::path::{Target, target};
use super::reply::{self, Refused, Taste};
use super::{Body, Door, Purpose, bbs_cgi, monitor, negotiate, post, proxy, read, staff};
use crate::metrics::Place;
use crate::model::{Refusal, RequestFault};

/// Which theme there is, for who edits one: it changes with it.
const THEME: HeaderName = HeaderName::from_static("nejiboard-theme");

const FILE_METHODS: &str = "GET, HEAD, OPTIONS";
const STAFF_METHODS: &str = "GET, HEAD, POST";
const POST_METHODS: &str = "POST, OPTIONS";

/// Answers one request that came from `address`. A panic becomes an answer too.
pub async fn answer<B>(door: &Door, request: Request<B>, address: IpAddr) -> Response<Body>
where
    B: HttpBody<Data = Bytes>,
{
    let (parts, body) = request.into_parts();
    let address = proxy::client(&parts.headers, address, &door.backend.site().trusted_proxies);
    let taste = match () {
        () if bbs_cgi::is_meant(&parts, &door.backend.site()) => Taste::BbsCgi,
        () if negotiate::wants_json(&parts.headers) => Taste::Json,
        () => Taste::Html,
    };
    let is_head = parts.method == Method::HEAD;
    let metrics = door.backend.metrics();
    let outcome = unpanicked(route(door, &parts, body, address, taste)).await.unwrap_or_else(|| {
        metrics.panicked(Place::Request);
        Err(Refusal::Fault.into())
    });
    let mut response = match outcome {
        Ok(response) => response,
        Err(refused) => reply::refused(&*door.backend, refused, taste),
    };
    metrics.answered(response.status().as_u16());
    let headers = response.headers_mut();
    // What is not a file of the site is about this one request.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    reply::guard(headers, &door.backend.site());
    if is_head && address.is_loopback() {
        // Who makes a theme on this machine is shown by the script when pages have changed.
        headers.insert(THEME, door.backend.theme_version().into());
    }
    if is_head { without_body(response) } else { response }
}

/// What the future gives, or `None` if it panics: that costs this one request.
async fn unpanicked<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(move |cx| {
        // Locks recover from poisoning and nothing else is shared, so a panic leaves no half-done state behind.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

/// The headers alone, with the length that the body has.
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.entry(header::CONTENT_LENGTH).or_insert(length.into());
    }
    Response::from_parts(parts, Body::empty())
}

async fn route<B>(door: &Door, parts: &Parts, body: B, address: IpAddr, taste: Taste) -> Result<Response<Body>, Refused>
where
    B: HttpBody<Data = Bytes>,
{
    let mut body = pin!(body);
    let site = door.backend.site();
    let outcome = match plain_http(parts) {
        Err(refusal) => Err(refusal.into()),
        Ok(()) if door.purpose == Purpose::Monitoring => monitor::monitor(door, parts),
        Ok(()) => match (target(parts.uri.path(), &site), &parts.method) {
            (target @ (Target::Post | Target::BbsCgi), &Method::POST) => {
                // In a box, so that those who only read do not have room for it.
                let outcome = match target {
                    Target::BbsCgi => Box::pin(post::post_of_bbs_cgi(door, parts, body.as_mut(), address)).await,
                    _ => Box::pin(post::post(door, parts, body.as_mut(), address, taste)).await,
                };
                outcome.inspect_err(|refused| {
                    door.backend.metrics().refused(refused.refusal.code());
                    door.backend.note_refusal(address, &refused.refusal);
                })
            }
            (Target::Post | Target::BbsCgi, &Method::OPTIONS) => Ok(options(POST_METHODS)),
            (Target::Post | Target::BbsCgi, _) => Err(bad_method(POST_METHODS)),
            (Target::Staff(path), &Method::GET | &Method::HEAD | &Method::POST) => {
                Box::pin(staff::staff(door, parts, path, body.as_mut(), address)).await
            }
            (Target::Staff(_), _) => Err(bad_method(STAFF_METHODS)),
            (_, &Method::OPTIONS) => Ok(options(FILE_METHODS)),
            (Target::Health, &Method::GET | &Method::HEAD) => Ok(monitor::health(door)),
            (target, &Method::GET | &Method::HEAD) => read::read(door, parts, target, site.prefix()).await,
            _ => Err(bad_method(FILE_METHODS)),
        },
    };
    if let Err(refused) = &outcome
        && may_be_discarded(door, parts, refused)
    {
        discard(body, door).await;
    }
    outcome
}

/// Whether to read what is left of a refused request's body. Not if the client waits to be asked for it.
fn may_be_discarded(door: &Door, parts: &Parts, refused: &Refused) -> bool {
    let length = post::declared_length(&parts.headers).unwrap_or(u64::MAX);
    refused.form.is_none()
        && refused.refusal != Refusal::TooSlow
        && length <= door.limits.discard_bytes_max as u64
        && !parts.headers.contains_key(header::EXPECT)
}

/// Refuses what two servers in a row could read differently.
fn plain_http(parts: &Parts) -> Result<(), Refusal> {
    // SECURITY: hyper drops `Content-Length` beside `Transfer-Encoding`, so the pair by which requests are smuggled
    // past a proxy cannot be seen here. Forms have a length, hence no transfer coding at all.
    if parts.headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Refusal::NoLength);
    }
    if parts.method != Method::POST && post::declared_length(&parts.headers) != Some(0) {
        return Err(Refusal::BadRequest(RequestFault::Body));
    }
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().map_err(|_| Refusal::BadRequest(RequestFault::BadHost))?),
        (None, _) if parts.version <= Version::HTTP_10 => None,
        (None, _) => return Err(Refusal::BadRequest(RequestFault::NoHost)),
        (Some(_), Some(_)) => return Err(Refusal::BadRequest(RequestFault::TwoHosts)),
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:[]%".contains(&b);
    if host.is_some_and(|host| host.is_empty() || !host.bytes().all(plain)) {
        return Err(Refusal::BadRequest(RequestFault::BadHost));
    }
    // A proxy may send the whole URL, but then both must name the same host.
    match (parts.uri.authority(), host) {
        (Some(authority), Some(host)) if !authority.as_str().eq_ignore_ascii_case(host) => {
            Err(Refusal::BadRequest(RequestFault::TwoHosts))
        }
        (Some(_), _) if parts.uri.scheme().is_none() => Err(Refusal::BadRequest(RequestFault::Target)),
        _ => Ok(()),
    }
}

fn bad_method(allow: &'static str) -> Refused {
    Refused { refusal: Refusal::BadMethod, form: None, allow: Some(allow) }
}

fn options(methods: &'static str) -> Response<Body> {
    let mut response = reply::bare(StatusCode::NO_CONTENT, Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(methods));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    response
}
