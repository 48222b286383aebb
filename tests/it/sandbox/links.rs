//! Finds links that lead nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::files_below;

/// All links of the pages below `public` that stay on the site and lead nowhere, as `page: link`. `base_url` is the
/// site's, whole or only its path.
pub fn dead_links(public: &Path, base_url: &str) -> Vec<String> {
    let files = files_below(public);
    let ids: BTreeMap<&str, BTreeSet<String>> = pages(&files).map(|(path, text)| (path, values(&text, "id"))).collect();
    let mut dead = Vec::new();
    let feeds = files.iter().filter(|(path, _)| path.ends_with(".xml"));
    let feeds = feeds.map(|(path, bytes)| (path.as_str(), String::from_utf8_lossy(bytes).into_owned()));
    for (path, text) in pages(&files).chain(feeds) {
        for link in ["href", "src"].into_iter().flat_map(|name| values(&text, name)) {
            let Some((target, fragment)) = target_of(path, &link, base_url) else { continue };
            let there = files.contains_key(&target);
            let anchored = fragment.is_empty() || ids.get(target.as_str()).is_some_and(|ids| ids.contains(&fragment));
            if !(there && anchored) {
                dead.push(format!("{path}: {link}"));
            }
        }
    }
    dead
}

fn pages(files: &BTreeMap<String, Vec<u8>>) -> impl Iterator<Item = (&str, String)> {
    let html = files.iter().filter(|(path, _)| path.ends_with(".html"));
    html.map(|(path, bytes)| (path.as_str(), String::from_utf8_lossy(bytes).into_owned()))
}

/// The values of all attributes of this name. Text cannot hold one: its quotes are escaped.
fn values(text: &str, name: &str) -> BTreeSet<String> {
    let opening = format!(" {name}=\"");
    let found = text.split(opening.as_str()).skip(1).filter_map(|rest| rest.split_once('"'));
    found.map(|(value, _)| value.replace("&amp;", "&")).collect()
}

/// The file and the fragment that a link on the page `path` names; `None` if it leaves the site.
fn target_of(path: &str, link: &str, base_url: &str) -> Option<(String, String)> {
    let (target, fragment) = link.split_once('#').unwrap_or((link, ""));
    let prefix = match base_url.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/').expect("a base URL ends in a slash")..],
        None => base_url,
    };
    let below = match target {
        "" => path,
        _ => target.strip_prefix(base_url).or_else(|| target.strip_prefix(prefix)).or_else(|| {
            // A link that neither leaves the site nor stands below its prefix is wrong in itself.
            (!target.contains("://") && !target.starts_with("mailto:")).then_some(target)
        })?,
    };
    Some((below.to_owned(), fragment.to_owned()))
}

#[test]
fn the_checker_finds_what_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).unwrap();
    write("a.html", r#"<p id="x"><a href="/s/b.html#p1">1</a> <a href="/s/b.html#p2">2</a> <a href="/s/c.html">3</a>"#);
    write(
        "b.html",
        r##"<p id="p1"><a href="#p1">1</a> <a href="#p9">9</a> <a href="/a.html">out</a> <a href="http://a/"></a>"##,
    );
    let dead = dead_links(folder.path(), "https://example.org/s/");
    assert_eq!(dead, ["a.html: /s/b.html#p2", "a.html: /s/c.html", "b.html: #p9", "b.html: /a.html"]);
}
