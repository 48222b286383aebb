//! The path in a request's target, and which file below `public/` it can mean.

use crate::model::{Format, SiteSettings};

/// Decodes `%41` to `A`, and `space` to a space if it is not 0. What is no whole escape stays as it is, as in browsers.
pub(super) fn percent_decode(bytes: &[u8], space: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (*first, rest) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            (b, _) if b == space && space != 0 => out.push(b' '),
            (b, _) => out.push(b),
        }
    }
    out
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Where a path leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Target {
    /// To a file below `public/`, or to a folder that is named without its slash.
    File(String),
    /// To the site's home, from the root of the host.
    Home,
    /// To the address that takes posts.
    Post,
    /// To where clients of 2ch send posts.
    BbsCgi,
    /// To a thread as they name it: what stands behind `read.cgi/`.
    ReadCgi(String),
    /// To where the program tells how it is.
    Health,
    /// To the pages of staff: what stands behind `mod/`, still with its escapes.
    Staff(String),
    /// To the same without its slash.
    BareStaff,
    /// Nowhere.
    Nothing,
}

/// What `path`, still with its escapes, means for this site.
pub(super) fn target(path: &str, site: &SiteSettings) -> Target {
    let prefix = site.prefix();
    let set = site.post_url.as_deref().map_or("", path_of);
    if path == "/post" || path.strip_prefix(prefix) == Some("post") || (set != "/" && path == set) {
        return Target::Post;
    }
    if path == "/healthz" || path.strip_prefix(prefix) == Some("healthz") {
        return Target::Health;
    }
    if let Some(below) = path.strip_prefix(prefix).and_then(|path| path.strip_prefix("mod/")) {
        return Target::Staff(below.to_owned());
    }
    if path.strip_prefix(prefix) == Some("mod") {
        return Target::BareStaff;
    }
    if site.written().has(Format::TwoChannel)
        && let Some(program) = path.strip_prefix(prefix).and_then(|path| path.strip_prefix("test/"))
    {
        match program.strip_prefix("read.cgi/") {
            _ if program == "bbs.cgi" => return Target::BbsCgi,
            Some(thread) => return Target::ReadCgi(thread.to_owned()),
            None => {}
        }
    }
    let home = path == "/" || Some(path) == prefix.strip_suffix('/');
    if home && prefix != "/" {
        return Target::Home;
    }
    match path.strip_prefix(prefix).and_then(inside) {
        Some(inside) => Target::File(inside),
        None => Target::Nothing,
    }
}

/// The path of a URL, which may be a path alone.
fn path_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let path = url[after_scheme..].find('/').map_or("", |at| &url[after_scheme + at..]);
    path.split(['?', '#']).next().unwrap_or_default()
}

/// The path of a file below `public/`; `None` for what cannot be one.
///
/// SECURITY: this keeps a path inside its folder. Escapes are decoded once, in each segment by itself, so no escape
/// can bring a slash in; and no segment begins with a dot, which rules out `..` as well as hidden files.
fn inside(path: &str) -> Option<String> {
    let mut inside = String::with_capacity(path.len() + 10);
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if segment.is_empty() && last {
            inside.push_str("index.html");
            break;
        }
        let segment = String::from_utf8(percent_decode(segment.as_bytes(), 0)).ok()?;
        let plain = |c: char| !c.is_control() && c != '/' && c != '\\';
        if segment.is_empty() || segment.starts_with('.') || !segment.chars().all(plain) {
            return None;
        }
        inside.push_str(&segment);
        if !last {
            inside.push('/');
        }
    }
    Some(inside)
}

/// The media type of a file, by its name.
pub(super) fn media_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    match extension.as_str() {
        // The 2ch format is older than UTF-8.
        "dat" => "text/plain; charset=Shift_JIS",
        "html" if path == "bbsmenu.html" => "text/html; charset=Shift_JIS",
        "txt" if name == "subject.txt" || name == "SETTING.TXT" => "text/plain; charset=Shift_JIS",
        "txt" | "md" => "text/plain; charset=utf-8",
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json; charset=utf-8",
        "webmanifest" => "application/manifest+json; charset=utf-8",
        "xml" => "application/xml; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/vnd.microsoft.icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "gz" => "application/gzip",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
