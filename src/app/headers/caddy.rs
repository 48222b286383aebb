//! The configuration of Caddy.

use std::fmt::Write;

use super::{CLOSED_PAGE, CLOSED_SECONDS, Front};
use crate::model::caching::{Kind, guards};

/// A whole Caddyfile.
pub(super) fn write(front: &Front<'_>) -> String {
    let mut out = front.made_for("caddy");
    out.push_str("# Caddy by itself limits nobody: see docs/operating.md.\n");
    let (address, bind) = match (front.listen, front.settings().base_url.origin()) {
        (Some(listen), _) => match listen.rsplit_once(':') {
            Some(("", port)) => (format!("http://:{port}"), String::new()),
            Some((host, port)) => (format!("http://:{port}"), format!("\n\tbind {host}\n")),
            None => (format!("http://:{listen}"), String::new()),
        },
        (None, Some(origin)) => (origin.to_owned(), String::new()),
        (None, None) => ("http://".to_owned(), String::new()),
    };
    let takes_posts = front.other_host().is_none();
    let to_door = if takes_posts { post(front) + &staff(front, &["mod/"]) } else { String::new() };
    let to_door = to_door + &clients(front);
    let inside = to_door + &health(front) + &pages(front) + &errors(front);
    let _ = write!(out, "\n{address} {{{bind}{inside}}}\n");
    if let (Some(origin), Some(_)) = (front.settings().post_origin(), front.other_host()) {
        let inside =
            post(front) + &staff(front, &["mod/", "assets/"]) + "\n\thandle {\n\t\terror 404\n\t}\n" + &errors(front);
        let _ = write!(out, "\n{origin} {{{inside}}}\n");
    }
    out
}

fn caching(front: &Front<'_>, kind: Kind) -> String {
    format!("header Cache-Control \"{}\"", kind.cache_control(front.settings()))
}

fn guard(front: &Front<'_>) -> String {
    guards(front.settings()).iter().fold(String::new(), |mut out, (name, value)| {
        let _ = writeln!(out, "\t\theader {name} \"{value}\"");
        out
    })
}

/// The files of 2ch. Their clients ask for what is behind the bytes that they have, so a part is always one of the plain
/// file; that they take packed answers too does not mean packed parts.
const TWO_CHANNEL: &str = "\t\t# As the clients of 2ch read them.
\t\t@dat path_regexp ^/[a-z0-9]+/(subject\\.txt|SETTING\\.TXT|dat/[0-9]+\\.dat)$
\t\theader @dat Content-Type \"text/plain; charset=Shift_JIS\"
\t\t@menu path /bbsmenu.html
\t\theader @menu Content-Type \"text/html; charset=Shift_JIS\"
\t\tfile_server @dat
";

/// The files.
fn pages(front: &Front<'_>) -> String {
    let (prefix, public) = (front.prefix(), &front.public);
    let bare = prefix.trim_end_matches('/');
    let precompressed: Vec<&str> = {
        // The smaller one first.
        let mut tokens: Vec<&str> = front.settings().precompress.iter().map(|coding| coding.token()).collect();
        tokens.sort_unstable();
        tokens
    };
    let file_server = match precompressed.is_empty() {
        true => "file_server".to_owned(),
        false => format!("file_server {{\n\t\t\tprecompressed {}\n\t\t}}", precompressed.join(" ")),
    };
    // Below a path, the path is taken off before files are looked for.
    let (handle, elsewhere) = match prefix {
        "/" => ("handle".to_owned(), String::new()),
        _ => (
            format!("handle_path {prefix}*"),
            format!("\n\tredir / {prefix} 308\n\tredir {bare} {prefix} 308\n\n\thandle {{\n\t\terror 404\n\t}}\n"),
        ),
    };
    let (whole, two_channel) = match front.has_two_channel() {
        true => ("@whole not header Range *\n\tencode @whole gzip", TWO_CHANNEL),
        false => ("encode gzip", ""),
    };
    format!(
        "
\t# For what is not packed already.
\t{whole}

\t{handle} {{
\t\troot * {public}
{guard}\t\t@pages not path /assets/* /404.html
\t\theader @pages Cache-Control \"{page}\"
\t\t@assets path /assets/*
\t\theader @assets Cache-Control \"{asset}\"
\t\t@missing path /404.html
\t\theader @missing Cache-Control \"{missing}\"
\t\t# Programs on other hosts may read what is for programs.
\t\t@programs path *.json
\t\theader @programs Access-Control-Allow-Origin *
\t\t# What begins with a dot is being written.
\t\t@hidden path */.*
\t\terror @hidden 404
{two_channel}\t\t{file_server}
\t}}
{elsewhere}",
        guard = guard(front),
        page = Kind::Page.cache_control(front.settings()),
        asset = Kind::Asset.cache_control(front.settings()),
        missing = Kind::NotFound.cache_control(front.settings()),
    )
}

/// What clients of 2ch ask of the door, on the host of the pages in any case: they know no other.
fn clients(front: &Front<'_>) -> String {
    match front.has_two_channel() {
        true => post_at(front, &format!("{}test/bbs.cgi", front.prefix())) + &staff(front, &["test/read.cgi/"]),
        false => String::new(),
    }
}

fn post(front: &Front<'_>) -> String {
    post_at(front, &front.post_path())
}

fn post_at(front: &Front<'_>, path: &str) -> String {
    let door = front.door;
    format!(
        "
\thandle {path} {{
\t\t# More than the door takes, so that it is the one that says so.
\t\trequest_body {{
\t\t\tmax_size 2MB
\t\t}}
\t\treverse_proxy {door} {{
\t\t\ttransport http {{
\t\t\t\tdial_timeout 3s
\t\t\t\tresponse_header_timeout 30s
\t\t\t}}
\t\t}}
\t}}
"
    )
}

/// The pages of staff, and what else their host needs of the door.
fn staff(front: &Front<'_>, paths: &[&str]) -> String {
    let (prefix, door) = (front.prefix(), front.door);
    paths.iter().fold(String::new(), |mut out, path| {
        let _ = write!(out, "\n\thandle {prefix}{path}* {{\n\t\treverse_proxy {door}\n\t}}\n");
        out
    })
}

fn health(front: &Front<'_>) -> String {
    format!("\n\thandle {}healthz {{\n\t\treverse_proxy {}\n\t}}\n", front.prefix(), front.door)
}

/// The page for what is not there, and what a poster is told while the door is closed.
fn errors(front: &Front<'_>) -> String {
    // The type of what was looked for is set already.
    let html = match front.has_two_channel() {
        true => "\n\t\t\theader Content-Type \"text/html; charset=utf-8\"",
        false => "",
    };
    let missing = caching(front, Kind::NotFound) + html;
    format!(
        "
\thandle_errors {{
\t\t@missing expression {{http.error.status_code}} == 404
\t\thandle @missing {{
\t\t\troot * {public}
\t\t\trewrite * /404.html
\t\t\t{missing}
\t\t\tfile_server
\t\t}}
\t\t@closed expression {{http.error.status_code}} in [502, 503, 504]
\t\thandle @closed {{
\t\t\theader Retry-After {CLOSED_SECONDS}
\t\t\theader Content-Type \"text/html; charset=utf-8\"
\t\t\t{answer}
\t\t\trespond \"{CLOSED_PAGE}\" 503
\t\t}}
\t\t{answer}
{guard}\t}}
",
        public = front.public,
        guard = guard(front),
        answer = caching(front, Kind::Answer),
    )
}
