//! How the program is, for monitoring: `/healthz` and `/metrics`.
//!
//! The site's own door tells everybody no more than which parts are in trouble. The monitoring door, which is kept from
//! the public, tells why, and all figures.

use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde_json::json;

use super::reply::{self, Refused};
use super::{Body, Door, Purpose};
use crate::model::Refusal;

/// The media type of OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers a request to the monitoring door.
pub(super) fn monitor(door: &Door, parts: &Parts) -> Result<Response<Body>, Refused> {
    match (parts.uri.path(), &parts.method) {
        (_, method) if !matches!(*method, Method::GET | Method::HEAD) => Err(Refusal::BadMethod.into()),
        ("/healthz", _) => Ok(health(door)),
        ("/metrics", _) => metrics(door),
        _ => Err(Refusal::NotFound.into()),
    }
}

/// Whether all is well. The status is 200 in either case: a degraded program answers readers all the same, and whoever
/// takes it from them for a page that could not be drawn makes it worse.
pub(super) fn health(door: &Door) -> Response<Body> {
    let troubles = door.backend.troubles();
    let status = if troubles.is_empty() { "ready" } else { "degraded" };
    let told = match door.purpose {
        Purpose::Site => troubles.iter().map(|trouble| json!({ "part": trouble.part })).collect::<Vec<_>>(),
        Purpose::Monitoring => {
            troubles.iter().map(|trouble| json!({ "part": trouble.part, "text": trouble.text })).collect()
        }
    };
    reply::json_body(StatusCode::OK, &json!({ "status": status, "troubles": told }))
}

fn metrics(door: &Door) -> Result<Response<Body>, Refused> {
    let text = door.backend.metrics().text().map_err(|_| Refusal::Fault)?;
    Ok(reply::with_type(StatusCode::OK, OPEN_METRICS, Body::memory(text)))
}
