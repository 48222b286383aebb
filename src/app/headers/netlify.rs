//! The file `_headers` of Netlify, which Cloudflare Pages and others read too.

use std::fmt::Write;

use super::Front;
use crate::model::caching::{Kind, guards};

/// A whole `_headers`. No path is told how long to keep it twice, since hosts differ in what becomes of two.
pub(super) fn write(front: &Front<'_>) -> String {
    let mut out = front.made_for("netlify");
    let prefix = front.prefix();
    out.push_str("# It stands as `_headers` beside the site's `index.html`");
    out.push_str(if prefix == "/" { ".\n" } else { " at the root of the host.\n" });
    if front.settings().post_origin().is_none() {
        let path = front.post_path();
        let _ = write!(
            out,
            "# Posts need a door. In `_redirects`, with the address of yours:\n#   {path} https://door.example.org{path} 200!\n\
             # and, for those who moderate:\n#   {prefix}mod/* https://door.example.org{prefix}mod/:splat 200!\n"
        );
    }
    if front.has_two_channel() {
        let _ = write!(
            out,
            "# and, for clients of 2ch:\n#   {prefix}test/* https://door.example.org{prefix}test/:splat 200!\n"
        );
    }
    let _ = write!(out, "\n{prefix}*\n");
    for (name, value) in guards(front.settings()) {
        let _ = writeln!(out, "  {name}: {value}");
    }
    // Programs on other hosts may read what is for programs.
    let _ = write!(out, "\n{prefix}*.json\n  Access-Control-Allow-Origin: *\n");
    let mut kept = |path: &str, kind: Kind| {
        let _ = write!(out, "\n{prefix}{path}\n  Cache-Control: {}\n", kind.cache_control(front.settings()));
    };
    kept("assets/*", Kind::Asset);
    kept("404.html", Kind::NotFound);
    kept("", Kind::Page);
    kept("index.html", Kind::Page);
    for board in &front.frame.boards {
        kept(&format!("{}/*", board.slug), Kind::Page);
    }
    if front.has_two_channel() {
        let mut typed = |path: &str, media_type: &str| {
            let _ = write!(out, "\n{prefix}{path}\n  Content-Type: {media_type}; charset=Shift_JIS\n");
        };
        typed("bbsmenu.html", "text/html");
        for board in &front.frame.boards {
            for name in ["subject.txt", "SETTING.TXT", "dat/*"] {
                typed(&format!("{}/{name}", board.slug), "text/plain");
            }
        }
    }
    out
}
