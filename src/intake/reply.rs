//! Answers: what becomes of a post, what a refusal looks like, and the headers that every answer bears.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;

use super::{Backend, Body, bbs_cgi};
use crate::model::{BoardSlug, ErrorView, Form, PostNo, Receipt, Refusal, Riddle, SiteSettings, caching};

/// In what form a client wants to be answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taste {
    /// A page, or a redirect to one.
    Html,
    /// JSON.
    Json,
    /// What the clients of 2ch look for.
    BbsCgi,
}

/// A refusal on its way to the client, with what was typed so that nobody has to type it again.
#[derive(Debug)]
pub(super) struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// The form, if one was read.
    pub form: Option<Box<Form>>,
    /// The methods that the address takes, if that was the trouble.
    pub allow: Option<&'static str>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        Refused { refusal, form: None, allow: None }
    }
}

/// Tells a poster where the post is.
pub(super) fn receipt(backend: &dyn Backend, receipt: Receipt, taste: Taste) -> Response<Body> {
    match taste {
        Taste::Html => receipt_page(backend, receipt),
        Taste::Json => receipt_json(backend, receipt),
        Taste::BbsCgi => bbs_cgi::receipt(backend, &receipt),
    }
}

fn receipt_page(backend: &dyn Backend, receipt: Receipt) -> Response<Body> {
    match receipt {
        Receipt::Visible { board, thread, no } => to(StatusCode::SEE_OTHER, &url(backend, &board, thread, no)),
        Receipt::Done { board, thread } => {
            let page = thread.map_or("index.html".to_owned(), |thread| format!("thread/{thread}.html"));
            to(StatusCode::SEE_OTHER, &format!("{}{board}/{page}", home(&backend.site())))
        }
        Receipt::Held { board, thread } => {
            html(StatusCode::ACCEPTED, page(backend, &ErrorView::Held { board, thread }))
        }
        Receipt::Safe { board, thread } => {
            html(StatusCode::ACCEPTED, page(backend, &ErrorView::Safe { board, thread }))
        }
    }
}

/// The theme's script that solves riddles. Pages do not name it: it is fetched by who needs it.
const SOLVER: &str = "proof.js";

/// The host of the site's pages if the door has another one.
fn host(site: &SiteSettings) -> &str {
    site.post_origin().and(site.base_url.origin()).unwrap_or_default()
}

fn receipt_json(backend: &dyn Backend, receipt: Receipt) -> Response<Body> {
    match receipt {
        Receipt::Visible { board, thread, no } => {
            let url = url(backend, &board, thread, no);
            let value = json!({ "board": board, "thread": thread, "no": no, "url": url });
            let mut response = json_body(StatusCode::CREATED, &value);
            set(&mut response, header::LOCATION, &url);
            response
        }
        Receipt::Done { board, thread } => {
            json_body(StatusCode::OK, &json!({ "board": board, "thread": thread, "done": true }))
        }
        Receipt::Held { board, thread } => {
            json_body(StatusCode::ACCEPTED, &json!({ "board": board, "thread": thread, "held": true }))
        }
        Receipt::Safe { board, thread } => {
            json_body(StatusCode::ACCEPTED, &json!({ "board": board, "thread": thread, "safe": true }))
        }
    }
}

/// Where a post stands.
fn url(backend: &dyn Backend, board: &BoardSlug, thread: PostNo, no: PostNo) -> String {
    format!("{}{board}/thread/{thread}.html#p{no}", home(&backend.site()))
}

/// Where the site's pages begin. On another host than the door, they need their whole address.
fn home(site: &SiteSettings) -> &str {
    match site.post_origin() {
        Some(_) => site.base_url.as_str(),
        None => site.prefix(),
    }
}

/// Tells why a request is refused.
pub(super) fn refused(backend: &dyn Backend, refused: Refused, taste: Taste) -> Response<Body> {
    let Refused { refusal, form, allow } = refused;
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match taste {
        Taste::Json => {
            let mut error = json!({ "code": refusal.code(), "message": sentence(backend, &refusal) });
            if let Refusal::ProofNeeded(Riddle { challenge, bits, numbers, .. }) = &refusal {
                let script = backend.asset(SOLVER).map(|path| format!("{}{path}", host(&backend.site())));
                error["proof"] = json!({ "challenge": challenge, "bits": bits, "numbers": numbers, "script": script });
            }
            json_body(status, &json!({ "error": error }))
        }
        Taste::Html => html(status, page(backend, &ErrorView::Refused { refusal: refusal.clone(), form })),
        Taste::BbsCgi => bbs_cgi::refused(backend, &refusal, form.is_some()),
    };
    if let Some(seconds) = refusal.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    if let Some(methods) = allow {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    }
    if breaks_the_connection(&refusal) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether what follows on the connection cannot be trusted to be a request.
fn breaks_the_connection(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::BadRequest(_) | Refusal::NoLength | Refusal::TooLarge(_) | Refusal::TooSlow)
}

/// The backend's page, or a plain one of ours if drawing it panics.
fn page(backend: &dyn Backend, view: &ErrorView) -> String {
    catch_unwind(AssertUnwindSafe(|| backend.page(view))).unwrap_or_else(|_| {
        let text = match view {
            ErrorView::Refused { refusal, .. } => refusal.to_string(),
            ErrorView::Held { .. } => "The post is safe. Somebody will look at it before it is shown.".to_owned(),
            ErrorView::Safe { .. } => "The post is safe and will appear soon.".to_owned(),
        };
        format!("<!DOCTYPE html><title>nejiboard</title><p>{text}</p>\n")
    })
}

/// The backend's sentence, or that of the refusal itself if making one panics.
pub(super) fn sentence(backend: &dyn Backend, refusal: &Refusal) -> String {
    catch_unwind(AssertUnwindSafe(|| backend.sentence(refusal))).unwrap_or_else(|_| refusal.to_string())
}

/// A page.
pub(super) fn html(status: StatusCode, text: impl Into<hyper::body::Bytes>) -> Response<Body> {
    with_type(status, "text/html; charset=utf-8", Body::memory(text))
}

/// An answer for programs.
pub(super) fn json_body(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = with_type(status, "application/json; charset=utf-8", Body::memory(format!("{value}\n")));
    // Nothing here is secret, and a form on another host wants to read it.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

pub(super) fn with_type(status: StatusCode, media_type: &'static str, body: Body) -> Response<Body> {
    let mut response = bare(status, body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// An answer with nothing but a status.
pub(super) fn bare(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// A redirect.
pub(super) fn to(status: StatusCode, url: &str) -> Response<Body> {
    let mut response = bare(status, Body::empty());
    set(&mut response, header::LOCATION, url);
    response
}

/// Sets a header; a value that cannot stand in one is left out.
pub(super) fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Adds what every answer bears that has nothing stricter of its own.
pub(super) fn guard(headers: &mut HeaderMap, site: &SiteSettings) {
    for (name, value) in caching::guards(site) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            headers.entry(name).or_insert(value);
        }
    }
}
