//! What is deleted is gone: from every page, from what was made of pages, and from all that somebody else may see.
//!
//! No list of files says where to look. Everything below the site's root is opened, unpacked, and read in every way in
//! which a text may stand there, so a file that is added to the output tomorrow is looked at as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::sandbox::running::{Reply, Running, run, wait_until};
use super::sandbox::{Sandbox, files_below};

/// The private files that may still hold a post that was deleted, and for how long: 30 days, so that it can be restored.
const MAY_HOLD: [&str; 1] = [".nejiboard/mod/log"];

const SITE: &str = "
==> content/site.yaml
title: T
base_url: https://example.org/
trusted_proxies: [127.0.0.1]
precompress: [gzip, brotli]
on_change: [./hook]
duplicate_minutes: 0
==> content/filters.yaml
- {match: suspicious, action: hold}
==> content/tech/board.yaml
title: Technology
replies_previewed: 50
==> content/art/board.yaml
title: Art
==> content/tech/1.md
--- {no: 1, at: 2025-03-02T10:00:00Z, subject: First, id: a1}
the first thread
==> content/art/1.md
--- {no: 1, at: 2025-03-02T10:00:00Z, subject: Pictures, id: b1}
of cats
";

/// The site, with a hook that keeps all that it is told.
fn site() -> Sandbox {
    let site = Sandbox::new(SITE);
    site.write("hook", "#!/bin/sh\ncat >>told.txt\n");
    fs::set_permissions(site.path("hook"), fs::Permissions::from_mode(0o755)).unwrap();
    site
}

/// A post with words that stand nowhere else: what is looked for.
struct Victim {
    name: String,
    subject: String,
    body: String,
    words: Vec<String>,
}

impl Victim {
    /// Words of letters alone, so that no markup, excerpt or line break comes between them; some of them with signs that
    /// have other bytes in other encodings.
    fn of(letters: &str) -> Victim {
        let words: Vec<String> = ["Zarnub", "Quuxifer", "wombatrix", "消される言葉", "hidenseek"]
            .map(|word| format!("{word}{letters}"))
            .into();
        Victim {
            name: words[0].clone(),
            subject: words[1].clone(),
            body: format!("{} {}\n\n**{}** ||{}||", words[2], words[3], words[2], words[4]),
            words,
        }
    }

    fn fields(&self) -> [(&str, &str); 4] {
        [("name", &self.name), ("subject", &self.subject), ("body", &self.body), ("password", "open sesame")]
    }
}

/// The ways in which a file's bytes can be read as text.
fn readings(path: &str, bytes: &[u8]) -> Vec<String> {
    let mut plain = Vec::new();
    let unpacked = match Path::new(path).extension().and_then(|ending| ending.to_str()) {
        Some("gz") => flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain).map(|_| plain),
        Some("br") => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain).map(|_| plain),
        _ => {
            let is_packed = [&[0x1f, 0x8b][..], &[0x28, 0xb5, 0x2f, 0xfd], b"PK\x03\x04"]
                .iter()
                .any(|magic| bytes.starts_with(magic));
            assert!(!is_packed, "{path} is packed in a way that this test does not know");
            Ok(bytes.to_vec())
        }
    };
    // Half of a packed file would hide something.
    let plain = unpacked.unwrap_or_else(|error| panic!("{path} cannot be unpacked: {error}"));
    let utf_8 = String::from_utf8_lossy(&plain).into_owned();
    let (shift_jis, ..) = encoding_rs::SHIFT_JIS.decode(&plain);
    let shift_jis = shift_jis.into_owned();
    let escaped = unescaped(&utf_8);
    vec![utf_8, shift_jis, escaped]
}

/// `\u6d88`, `&#28040;`, `&#x6d88;` and `%E6%B6%88` as the letters that they stand for.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let code = |from: usize, end: Option<char>, radix: u32| {
            let digits = &rest[from..];
            let length = match end {
                Some(end) => digits.find(end).filter(|length| (1..=7).contains(length))?,
                None => 4,
            };
            let letter = char::from_u32(u32::from_str_radix(digits.get(..length)?, radix).ok()?)?;
            Some((letter.to_string().into_bytes(), from + length + usize::from(end.is_some())))
        };
        let found = match first {
            '\\' if rest.starts_with("\\u") => code(2, None, 16),
            '&' if rest.starts_with("&#x") => code(3, Some(';'), 16),
            '&' if rest.starts_with("&#") => code(2, Some(';'), 10),
            '%' => rest.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(|byte| (vec![byte], 3)),
            _ => None,
        };
        let (letter, length) = found.unwrap_or_else(|| (first.to_string().into_bytes(), first.len_utf8()));
        bytes.extend(letter);
        rest = &rest[length..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The files below a folder that hold one of these words, or have it in their name, each with the first such word.
fn traces(folder: &Path, words: &[String]) -> BTreeMap<String, String> {
    let mut traces = BTreeMap::new();
    for (path, bytes) in files_below(folder) {
        let texts = readings(&path, &bytes);
        let found = words.iter().find(|word| path.contains(*word) || texts.iter().any(|text| text.contains(*word)));
        traces.extend(found.map(|word| (path.clone(), word.clone())));
    }
    traces
}

fn places(traces: &BTreeMap<String, String>) -> Vec<&str> {
    traces.keys().map(String::as_str).collect()
}

/// Waits until each page has its packed siblings, which are made of it as it is.
fn wait_until_packed(site: &Sandbox) {
    wait_until("all pages are packed", || {
        let there: BTreeSet<String> = files_below(&site.path("public")).into_keys().collect();
        let mut pages = there.iter().filter(|path| path.ends_with(".html"));
        pages.all(|page| [format!("{page}.gz"), format!("{page}.br")].iter().all(|packed| there.contains(packed)))
    });
    wait_until("the inbox is empty", || files_below(&site.path("posts-inbox")).is_empty());
    assert_eq!(super::packed::wrong_siblings(&site.path("public")), [""; 0]);
}

fn send(door: &Running, address: &str, fields: &[(&str, &str)]) -> Reply {
    door.post_with(&[("X-Forwarded-For", address), ("Accept", "application/json")], fields)
}

#[track_caller]
fn post(door: &Running, address: &str, fields: &[(&str, &str)]) -> String {
    let reply = send(door, address, fields);
    assert_eq!(reply.status, 201, "{}", reply.body);
    serde_json::from_str::<serde_json::Value>(&reply.body).unwrap()["no"].to_string()
}

#[track_caller]
fn moderate(site: &Sandbox, arguments: &[&str]) {
    let output = run(site.root(), &[&["mod", "--by", "neji", "--why", "spam"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

#[test]
fn a_word_is_found_however_it_is_packed_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let word = "消される言葉staff".to_owned();
    let (shift_jis, ..) = encoding_rs::SHIFT_JIS.encode(&word);
    let gz = |bytes: &[u8]| {
        let mut packed = Vec::new();
        flate2::read::GzEncoder::new(bytes, Default::default()).read_to_end(&mut packed).unwrap();
        packed
    };
    let json: String = word.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let decimal: String = word.chars().map(|letter| format!("&#{};", letter as u32)).collect();
    let hexadecimal: String = word.chars().map(|letter| format!("&#x{:X};", letter as u32)).collect();
    let percent: String = word.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let files: [(&str, Vec<u8>); 9] = [
        ("a.html", format!("<p>{word}</p>").into_bytes()),
        ("a.dat", shift_jis.to_vec()),
        ("a.dat.gz", gz(&shift_jis)),
        ("deep/er/a.json", json.into_bytes()),
        ("a.json.gz", gz(format!("{{\"com\": \"{word}\"}}").as_bytes())),
        ("a.xml", decimal.into_bytes()),
        ("b.xml", hexadecimal.into_bytes()),
        ("a.txt", percent.into_bytes()),
        (&format!("{word}.png"), vec![]),
    ];
    for (path, bytes) in &files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    fs::write(folder.path().join("other.html"), "消される").unwrap();
    assert_eq!(traces(folder.path(), &[word]).len(), files.len());
}

#[test]
fn a_deleted_post_is_gone_from_everything_that_somebody_else_may_see() {
    let site = site();
    let door = Running::start(site.root());
    let ways = ["staff", "password", "wipe", "since"];
    let mut all = Vec::new();
    for (nth, way) in ways.iter().enumerate() {
        let (address, board) = (format!("203.0.{nth}.9"), if *way == "since" { "art" } else { "tech" });
        // A reply that others answer, and a thread with an answer.
        let [reply, thread] = ["reply", "thread"].map(|kind| Victim::of(&format!("{way}{kind}")));
        let to_first = [("board", board), ("thread", "1")];
        let reply_no = post(&door, &address, &[&to_first[..], &reply.fields()].concat());
        let thread_no = post(&door, &address, &[&to_first[..1], &thread.fields()].concat());
        let others = format!("198.51.{nth}.1");
        let answer = format!(">>{reply_no} I do not think so, see >>>/{board}/{thread_no}");
        post(&door, &others, &[&to_first[..], &[("body", &answer)]].concat());
        post(&door, &others, &[("board", board), ("thread", &thread_no), ("body", "well said")]);
        post(&door, &others, &[("board", "tech"), ("thread", "1"), ("body", &answer)]);
        all.push((*way, board, address, reply, thread, reply_no, thread_no));
    }
    wait_until_packed(&site);
    for (way, board, _, reply, thread, reply_no, thread_no) in &all {
        // What is looked for is there before, wherever it can be seen, or the test would find nothing to be gone.
        let found = traces(site.root(), &reply.words);
        for page in [format!("{board}/thread/1.html"), format!("{board}/index.html")] {
            for ending in ["", ".gz", ".br"] {
                assert!(found.contains_key(&format!("public/{page}{ending}")), "{way} {page}{ending}: {found:?}");
            }
        }
        assert!(found.contains_key(&format!("content/{board}/1.md")), "{way}: {found:?}");
        let found = traces(site.root(), &thread.words);
        for page in
            [format!("{board}/thread/{thread_no}.html"), format!("{board}/catalog.html"), "index.html".to_owned()]
        {
            assert!(found.contains_key(&format!("public/{page}.br")), "{way} {page}: {found:?}");
        }
        let answers = site.page(&format!("{board}/thread/1.html"));
        assert!(answers.contains(&format!("<a href=\"#p{reply_no}\" class=\"quotelink\">")), "{way}");
        // Each word is there by itself.
        for word in thread.words.iter().chain(&reply.words) {
            assert!(!traces(&site.path("public"), std::slice::from_ref(word)).is_empty(), "{word}");
        }
    }
    for (way, board, address, _, _, reply_no, thread_no) in &all {
        match *way {
            "staff" => moderate(&site, &["delete", board, reply_no, thread_no]),
            "wipe" => moderate(&site, &["wipe", board, reply_no]),
            "since" => moderate(&site, &["wipe", board, "--since", "1h"]),
            _ => [reply_no, thread_no].iter().for_each(|no| {
                let fields = [("task", "delete"), ("board", board), ("no", no), ("password", "open sesame")];
                assert_eq!(send(&door, address, &fields).status, 200, "{way}");
            }),
        }
    }
    let gone = |site: &Sandbox, may_hold: &[&str]| {
        for (way, _, _, reply, thread, ..) in &all {
            let found = traces(site.root(), &[&reply.words[..], &thread.words].concat());
            let left: Vec<&str> = places(&found).into_iter().filter(|path| !may_hold.contains(path)).collect();
            assert_eq!(left, [""; 0], "deleted by {way}: {found:?}");
        }
    };
    wait_until_packed(&site);
    wait_until("the hook is told", || site.path("told.txt").exists());
    // The titles of threads are in the private build cache until it is written anew, when nobody posts for a moment.
    let titles: Vec<String> = all.iter().flat_map(|(_, _, _, _, thread, ..)| thread.words.clone()).collect();
    wait_until("the build cache is written anew", || !traces(&site.path(".nejiboard"), &titles).contains_key("cache"));
    gone(&site, &MAY_HOLD);
    // Nor does an answer name what is gone as if it were there.
    assert!(site.page("tech/thread/1.html").contains("<span class=\"deadlink\">"));
    assert!(door.terminate().success());
    gone(&site, &MAY_HOLD);
    assert!(run(site.root(), &["build", "--clean"]).status.success());
    gone(&site, &MAY_HOLD);
    // After 30 days nobody at all has it any more.
    site.write("shift", (31 * 86_400).to_string());
    let shift = site.path("shift");
    let _door = Running::start_in(site.root(), &[], &[("NEJIBOARD_CLOCK_SHIFT", shift.as_path())]);
    let words: Vec<String> =
        all.iter().flat_map(|(_, _, _, reply, thread, ..)| [&reply.words[..], &thread.words].concat()).collect();
    wait_until("the log has forgotten it", || traces(site.root(), &words).is_empty());
}

#[test]
fn a_text_that_was_edited_is_gone_with_what_it_said_before() {
    let site = site();
    let door = Running::start(site.root());
    let victim = Victim::of("edited");
    let no = post(&door, "203.0.113.9", &[&[("board", "tech")][..], &victim.fields()].concat());
    post(&door, "203.0.113.10", &[("board", "tech"), ("thread", "1"), ("body", &format!(">>{no}"))]);
    wait_until_packed(&site);
    let words = &victim.words[2..];
    assert!(places(&traces(site.root(), words)).contains(&"public/tech/catalog.html.gz"));
    moderate(&site, &["edit", "tech", &no, "--text", "something nice"]);
    wait_until_packed(&site);
    // The build cache may have been written in between.
    wait_until("it is forgotten", || places(&traces(site.root(), words)) == MAY_HOLD);
    assert_eq!(traces(&site.path("public"), words), BTreeMap::new());
    assert!(site.page("tech/catalog.html").contains("something nice"));
}

#[test]
fn a_held_post_is_nowhere_but_where_it_waits_and_then_in_the_log_alone() {
    let site = site();
    let door = Running::start(site.root());
    let victim = Victim::of("held");
    let body = format!("suspicious {}", victim.body);
    let fields = [("board", "tech"), ("name", &victim.name), ("subject", &victim.subject), ("body", &body)];
    assert_eq!(send(&door, "203.0.113.9", &fields).status, 202);
    let found = traces(site.root(), &victim.words);
    assert!(found.len() == 1 && found.keys().all(|path| path.starts_with(".nejiboard/mod/held/")), "{found:?}");
    moderate(&site, &["deny", "--all"]);
    assert_eq!(places(&traces(site.root(), &victim.words)), MAY_HOLD);
}
