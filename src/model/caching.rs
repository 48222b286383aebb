//! What caches and browsers are told about each file: the one table from which the door and the printed configurations
//! of other servers take their headers.
//!
//! - An asset has a hash of its bytes in its name, so it is never another one: a year, and nobody asks again.
//! - A page changes at any moment. A browser asks each time and mostly gets 304. A CDN may answer for
//!   [`SiteSettings::cdn_seconds`] by itself, which makes the worst crowd one request every few seconds, and for a second
//!   more while it fetches the page anew, so that nobody waits for that. That second is not longer since browsers take
//!   it too: whoever posts must find the post on the page that was open before. While the server is dead, a page may be
//!   a day old: better an old page than none.
//! - What is not there may be there in a moment: a second, so that a crowd at a dead link is one request a second.
//! - Whatever answers one request alone is kept by nobody.

use std::borrow::Cow;

use super::SiteSettings;

/// What a file or an answer is to a cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A file with a hash of its bytes in its name.
    Asset,
    /// Any other file of the site.
    Page,
    /// What is shown where there is nothing.
    NotFound,
    /// An answer to one request: a post, a redirect, an error.
    Answer,
}

/// Seconds that a CDN, and a browser, may show a page while it fetches the next one.
pub const WHILE_REVALIDATING: usize = 1;

/// Seconds that a page may be shown while the server is dead: a day.
pub const WHILE_DEAD: usize = 86_400;

/// How long a CDN answers by itself if nothing else is set. With [`WHILE_REVALIDATING`] a page is never older than three
/// seconds where nobody tells the CDN what changed.
pub const CDN_SECONDS: usize = 2;

impl Kind {
    /// What the file at this path below `public/` is.
    pub fn of_path(path: &str) -> Kind {
        match path {
            "404.html" => Kind::NotFound,
            _ if path.starts_with("assets/") => Kind::Asset,
            _ => Kind::Page,
        }
    }

    /// The `Cache-Control` of this kind.
    pub fn cache_control(self, site: &SiteSettings) -> Cow<'static, str> {
        match self {
            Kind::Asset => "public, max-age=31536000, immutable".into(),
            Kind::Page => {
                let cdn = site.cdn_seconds;
                let more = if 0 < cdn { WHILE_REVALIDATING } else { 0 };
                format!("public, max-age=0, s-maxage={cdn}, stale-while-revalidate={more}, stale-if-error={WHILE_DEAD}")
                    .into()
            }
            Kind::NotFound => "public, max-age=1".into(),
            Kind::Answer => "no-store".into(),
        }
    }
}

/// What every answer bears: nothing foreign runs, is framed or is guessed, and no other site learns the thread.
pub fn guards(site: &SiteSettings) -> [(&'static str, String); 3] {
    let door = site.post_origin().map_or(String::new(), |origin| format!(" {origin}"));
    let policy = format!(
        "default-src 'none'; img-src 'self'; style-src 'self'; font-src 'self'; script-src 'self'; \
         connect-src 'self'{door}; manifest-src 'self'; form-action 'self'{door}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    [
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff".to_owned()),
        ("Referrer-Policy", "same-origin".to_owned()),
    ]
}

/// The scheme and host of an absolute `http(s)` URL; `None` of a path, and of what could end the policy's list.
pub fn origin(url: &str) -> Option<&str> {
    let host_from = url.find("://")? + 3;
    let known = url.starts_with("https://") || url.starts_with("http://");
    let end = url[host_from..].find(['/', '?', '#']).map_or(url.len(), |at| host_from + at);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    (known && host_from < end && url[host_from..end].bytes().all(plain)).then(|| &url[..end])
}
