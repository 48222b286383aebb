//! What a client would rather have: JSON or a page, packed or plain, an answer now or when the post is visible.

use hyper::HeaderMap;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

use super::Patience;
use crate::model::Coding;

/// Whether the client prefers JSON to HTML. In doubt it is a person in front of a browser.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let mut json = (0, 0);
    let mut html = (0, 0);
    for (name, quality) in wishes(headers, ACCEPT) {
        prefer(&mut json, quality, rank(&name, "application/json", "application/*"));
        prefer(&mut html, quality, rank(&name, "text/html", "text/*"));
    }
    // The quality counts first, then how exactly the type was named: `application/json, */*` asks for JSON.
    0 < json.0 && (json.0, json.1) > (html.0, html.1)
}

/// How long the client wants to wait for what becomes of its post.
pub(super) fn patience(headers: &HeaderMap) -> Patience {
    let hurried = wishes(headers, HeaderName::from_static("prefer")).any(|(name, _)| name == "respond-async");
    if hurried { Patience::UntilSafe } else { Patience::UntilVisible }
}

/// What the client can unpack: what it likes best comes first, and of what it likes as much, what is smaller.
pub(super) fn codings(headers: &HeaderMap) -> impl Iterator<Item = Coding> {
    let (mut gzip, mut brotli) = ((0, 0), (0, 0));
    for (name, quality) in wishes(headers, ACCEPT_ENCODING) {
        let rank = |by_name: bool| if by_name { 2 } else { u8::from(name == "*") };
        prefer(&mut gzip, quality, rank(name == "gzip" || name == "x-gzip"));
        prefer(&mut brotli, quality, rank(name == "br"));
    }
    let (gzip, brotli) = ((gzip.0, Coding::Gzip), (brotli.0, Coding::Brotli));
    let sorted = if brotli.0 < gzip.0 { [gzip, brotli] } else { [brotli, gzip] };
    sorted.into_iter().filter(|(quality, _)| 0 < *quality).map(|(_, coding)| coding)
}

/// What is listed in a header, with its quality in thousandths.
fn wishes(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (String, u16)> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(wish)
}

/// Keeps the quality of the most exact range, as RFC 9110 has it.
fn prefer(best: &mut (u16, u8), quality: u16, rank: u8) {
    if best.1 < rank {
        *best = (quality, rank);
    }
}

/// How exactly `name` means the type: 3 by name, 2 by its family, 1 as anything, 0 not at all.
fn rank(name: &str, exact: &str, family: &str) -> u8 {
    match name {
        _ if name == exact => 3,
        _ if name == family => 2,
        "*/*" => 1,
        _ => 0,
    }
}

fn wish(text: &str) -> (String, u16) {
    let mut parts = text.split(';');
    // In lower case, since neither media types nor codings have a case.
    let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let quality = parts.filter_map(|part| part.split_once('=')).find(|(key, _)| key.trim().eq_ignore_ascii_case("q"));
    let quality = quality.map_or(1.0, |(_, value)| value.trim().parse::<f32>().unwrap_or(0.0));
    (name, (quality.clamp(0.0, 1.0) * 1000.0) as u16)
}
