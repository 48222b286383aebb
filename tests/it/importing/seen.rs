//! HTML to markup, tested by its inverse: what readers see on the built page is what they saw at the source.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use encoding_rs::{EUC_JP, SHIFT_JIS};

use super::import;
use crate::sandbox::{Sandbox, samples};

/// The text of HTML, tags aside, without any space.
fn seen(html: &str) -> String {
    let html = html.replace("&gt&gt", "&gt;&gt;");
    let document = html5ever_text(&html);
    document.split_whitespace().collect()
}

/// The text as a browser would have it: tags gone, references replaced.
fn html5ever_text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text += before;
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    text += rest;
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('&') {
        out += before;
        let Some((name, behind)) = after.split_once(';').filter(|(name, _)| name.len() < 8) else {
            out.push('&');
            rest = after;
            continue;
        };
        let number = name.strip_prefix('#').and_then(|digits| match digits.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        });
        match (name, number.and_then(char::from_u32)) {
            (_, Some(c)) => out.push(c),
            ("lt", _) => out.push('<'),
            ("gt", _) => out.push('>'),
            ("amp", _) => out.push('&'),
            ("quot", _) => out.push('"'),
            ("nbsp", _) => out.push(' '),
            _ => out += &format!("&{name};"),
        }
        rest = behind;
    }
    out + rest
}

/// The bodies of a built thread page, by post, as readers see them.
fn bodies(page: &str) -> BTreeMap<u64, String> {
    let mut bodies = BTreeMap::new();
    for part in page.split(" id=\"p").skip(1) {
        let Some((no, rest)) = part.split_once('"') else { continue };
        let Ok(no) = no.parse() else { continue };
        let Some((_, rest)) = rest.split_once("<div class=\"body") else { continue };
        let (_, rest) = rest.split_once('>').unwrap();
        // A body holds no `div`.
        let (body, _) = rest.split_once("</div>").unwrap();
        bodies.insert(no, seen(body));
    }
    bodies
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn the_4chan_samples_say_on_their_pages_what_they_said() {
    let Some(samples) = samples() else { return };
    let samples = samples.join("threads-4chan-json");
    let site = Sandbox::new("");
    import(&site, &["4chan", samples.to_str().unwrap()]);
    import(&site, &["vichan", samples.join("lainchan-vichan-dialect").to_str().unwrap(), "--board", "lain"]).is_fine();
    site.build();
    let mut compared = 0;
    for (source, board) in [("ck/thread", "ck"), ("po/thread", "po"), ("lainchan-vichan-dialect", "lain")] {
        for path in files(&samples.join(source)) {
            let thread: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let posts = thread["posts"].as_array().unwrap();
            let bodies = bodies(&site.page(&format!("{board}/thread/{}.html", posts[0]["no"])));
            for post in posts {
                let said = seen(post["com"].as_str().unwrap_or_default());
                assert_eq!(bodies[&post["no"].as_u64().unwrap()], said, "{}", post["no"]);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 37);
}

#[test]
fn the_2ch_samples_say_on_their_pages_what_they_said() {
    let Some(samples) = samples() else { return };
    let samples = samples.join("threads-2ch-dat");
    let site = Sandbox::new("");
    import(&site, &["2ch", samples.to_str().unwrap(), "--board", "b"]).is_fine();
    let art = samples.join("zerochplus/1000.txt");
    import(&site, &["2ch", art.to_str().unwrap(), "--board", "b"]).is_fine();
    site.build();
    // Posts are numbered by their times, and the one without a time came last.
    let threads = [
        ("zerochplus/2000000000.dat", SHIFT_JIS, 1, vec![1, 2]),
        ("read.crx/2ch-200.dat", SHIFT_JIS, 3, vec![3, 4, 5, 6, 7]),
        ("read.crx/jbbs-1310968239.rawmode", EUC_JP, 8, vec![8, 9, 10, 11, 12, 13]),
        ("zerochplus/1000.txt", SHIFT_JIS, 14, vec![14]),
    ];
    for (file, encoding, thread, numbers) in threads {
        let bytes = fs::read(samples.join(file)).unwrap();
        let (text, _) = encoding.decode_without_bom_handling(&bytes);
        let raw = file.ends_with(".rawmode");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), numbers.len(), "{file}");
        let places: Vec<u64> = lines
            .iter()
            .enumerate()
            .map(|(i, line)| if raw { line.split("<>").next().unwrap().parse().unwrap() } else { i as u64 + 1 })
            .collect();
        let bodies = bodies(&site.page(&format!("b/thread/{thread}.html")));
        for (line, no) in lines.iter().zip(&numbers) {
            let body = line.split("<>").nth(if raw { 4 } else { 3 }).unwrap();
            let Some(said_here) = bodies.get(no) else {
                assert!(body == "＜削除＞", "{file} {no}: {body}");
                continue;
            };
            let mut said = seen(body);
            // Quotes are renumbered; what they named is not there in two of them.
            for (place, no) in places.iter().zip(&numbers).rev() {
                said = said.replace(&format!(">>{place}"), &format!("»{no}"));
            }
            said = said.replace(">>", "＞＞").replace('»', ">>");
            assert_eq!(*said_here, said, "{file} {no}");
        }
    }
}
