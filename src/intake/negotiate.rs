//! Whether a client would rather have JSON than a page.

use hyper::HeaderMap;
use hyper::header::ACCEPT;

/// Whether the client prefers JSON to HTML. In doubt it is a person in front of a browser.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let mut json = (0, 0);
    let mut html = (0, 0);
    for value in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
        for range in value.split(',') {
            let (name, quality) = media_range(range);
            prefer(&mut json, quality, rank(&name, "application/json", "application/*"));
            prefer(&mut html, quality, rank(&name, "text/html", "text/*"));
        }
    }
    // The quality counts first, then how exactly the type was named: `application/json, */*` asks for JSON.
    0 < json.0 && (json.0, json.1) > (html.0, html.1)
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

/// A range's name in lower case and its quality in thousandths.
fn media_range(range: &str) -> (String, u16) {
    let mut parts = range.split(';');
    let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let quality = parts.filter_map(|part| part.split_once('=')).find(|(key, _)| key.trim().eq_ignore_ascii_case("q"));
    let quality = quality.map_or(1.0, |(_, value)| value.trim().parse::<f32>().unwrap_or(0.0));
    (name, (quality.clamp(0.0, 1.0) * 1000.0) as u16)
}
