//! Each field by itself: where it stands, when, and as what. A field that is not in the table may stand nowhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Sandbox, json_of, long};
use crate::sandbox::files_below;

/// When a field appears at posts of one kind.
#[derive(Clone, Copy, PartialEq, Debug)]
enum When {
    Always,
    Sometimes,
    Never,
}

use When::{Always as A, Never as N, Sometimes as S};

/// The kinds of posts: opening posts in a thread, in its end, on an index page and in the catalog; replies anywhere.
const KINDS: [&str; 5] = ["thread", "tail", "index", "catalog", "reply"];

type Right = fn(&Value) -> bool;

const FIELDS: [(&str, [When; 5], Right); 25] = [
    ("no", [A, A, A, A, A], is_number),
    ("resto", [A, A, A, A, A], |value| value.as_u64().is_some()),
    ("sticky", [S, S, S, S, N], is_one),
    ("closed", [S, S, S, S, N], is_one),
    // Archived threads are on no list.
    ("archived", [S, S, N, N, N], is_one),
    ("archived_on", [S, S, N, N, N], is_number),
    ("now", [A, A, A, A, A], is_eastern),
    ("time", [A, A, A, A, A], is_number),
    ("name", [A, A, A, A, A], is_text),
    ("trip", [S, S, S, S, S], |value| is_text(value) && value.as_str().unwrap().starts_with('!')),
    ("id", [S, S, S, S, S], is_text),
    ("capcode", [S, S, S, S, S], is_text),
    ("sub", [S, S, S, S, S], is_text),
    ("com", [A, A, A, A, S], Value::is_string),
    ("replies", [A, A, A, A, N], |value| value.as_u64().is_some()),
    ("images", [A, A, A, A, N], |value| value.as_u64() == Some(0)),
    // Of boards whose posts have ids.
    ("unique_ips", [S, N, N, N, N], is_number),
    ("bumplimit", [S, S, S, S, N], is_one),
    ("last_modified", [A, A, A, A, N], is_number),
    ("semantic_url", [S, S, S, S, N], is_text),
    ("tail_size", [S, A, S, S, N], |value| value.as_u64() == Some(50)),
    ("tail_id", [N, A, N, N, N], is_number),
    ("omitted_posts", [N, N, A, A, N], |value| value.as_u64().is_some()),
    ("omitted_images", [N, N, A, A, N], |value| value.as_u64() == Some(0)),
    ("last_replies", [N, N, N, S, N], |value| value.as_array().is_some_and(|replies| !replies.is_empty())),
];

fn is_number(value: &Value) -> bool {
    value.as_i64().is_some_and(|number| 0 < number)
}

fn is_one(value: &Value) -> bool {
    value.as_u64() == Some(1)
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// Whether it is such as `03/02/25(Sun)05:20:30`.
fn is_eastern(value: &Value) -> bool {
    let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "9");
    let Some((date, clock)) = value.as_str().and_then(|text| text.split_once(')')) else { return false };
    let Some((date, day)) = date.split_once('(') else { return false };
    let known = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&day);
    known && digits(date) == "99/99/99" && digits(clock) == "99:99:99"
}

/// A site on which each field is there and is not.
fn site() -> Sandbox {
    let short = |no: u64, entries: &str, body: &str| {
        format!(
            "==> content/t/{no}.md\n--- {{no: {no}, at: 2025-03-02{entries}}}\n{body}\n\
             --- {{no: {}, name: A, trip: '!b', capcode: mod, subject: c}}\n\n--- {{no: {}}}\nreply\n",
            no + 1,
            no + 2
        )
    };
    let text = [
        "==> content/t/board.yaml\nthreads_per_page: 3\n==> content/u/board.yaml\nposter_ids: true\n".to_owned(),
        long(130, |no| no != 7),
        short(200, ", sticky: true, locked: true, bumplock: true", "日本語"),
        short(300, ", name: N, trip: '!!t', capcode: admin, subject: S", "text"),
        short(400, ", archived: true, changed: 2025-03-04", "old"),
        "==> content/t/500.md\n--- {no: 500, at: 2025-03-02}\nwithout replies\n".to_owned(),
    ]
    .concat();
    let site = Sandbox::new(&text);
    // Long threads that are all that a thread can be.
    for (no, entries) in [
        (1_000, "subject: S, name: N, trip: '!t', capcode: mod, sticky: true, locked: true, bumplock: true"),
        (2_000, "archived: true, changed: 2025-03-04"),
    ] {
        let replies = (no + 1..no + 130).map(|no| format!("--- {{no: {no}}}\nx\n")).collect::<String>();
        site.write(
            &format!("content/t/{no}.md"),
            format!("--- {{no: {no}, at: 2025-03-02, {entries}}}\nop\n{replies}"),
        );
    }
    for (board, entries) in [("t", ""), ("u", ", poster_id: AbCdEf12")] {
        let replies = (3_001..3_130).map(|no| format!("--- {{no: {no}{entries}}}\nx\n")).collect::<String>();
        site.write(
            &format!("content/{board}/3000.md"),
            format!("--- {{no: 3000, at: 2025-03-02{entries}}}\n日本語\n{replies}"),
        );
    }
    let report = site.build();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    site
}

/// All posts of a site with their kinds, and where each stands.
fn posts(site: &Sandbox) -> Vec<(usize, String, Value)> {
    let mut posts = Vec::new();
    let mut add = |path: &str, kind: usize, all: &Value| {
        for (at, post) in all.as_array().unwrap().iter().enumerate() {
            posts.push((if at == 0 { kind } else { 4 }, format!("{path}[{at}]"), post.clone()));
        }
    };
    for path in files_below(&site.path("public")).into_keys().filter(|path| path.ends_with(".json")) {
        let file = json_of(site, &path);
        let name = path.split_once('/').map_or(path.as_str(), |(_, name)| name);
        match name {
            _ if name.ends_with("-tail.json") => add(&path, 1, &file["posts"]),
            _ if name.starts_with("thread/") => add(&path, 0, &file["posts"]),
            "boards.json" | "threads.json" | "archive.json" => {}
            "catalog.json" => {
                for thread in file.as_array().unwrap().iter().flat_map(|page| page["threads"].as_array().unwrap()) {
                    add(&path, 3, &Value::Array(vec![thread.clone()]));
                    let replies = thread.get("last_replies").and_then(Value::as_array).cloned().unwrap_or_default();
                    add(&path, 4, &Value::Array(replies));
                }
            }
            _ => {
                file["threads"].as_array().unwrap().iter().for_each(|thread| add(&path, 2, &thread["posts"]));
            }
        }
    }
    posts
}

#[test]
fn each_field_stands_where_it_should_and_is_what_it_should_be() {
    let site = site();
    let mut seen: BTreeMap<(&str, usize), BTreeSet<bool>> = BTreeMap::new();
    for (kind, at, mut post) in posts(&site) {
        // Lists of all boards tell the board beside that.
        let board = post.as_object_mut().unwrap().remove("board");
        assert_eq!(board.is_some(), at.starts_with("all/") && kind != 4, "{at}: {board:?}");
        for (field, when, is_right) in FIELDS {
            let value = post.get(field);
            seen.entry((field, kind)).or_default().insert(value.is_some());
            match (when[kind], value) {
                (When::Always, None) => panic!("{at} has no {field}: {post:#}"),
                (When::Never, Some(value)) => panic!("{at} has {field}: {value}"),
                _ => {}
            }
            assert!(value.is_none_or(is_right), "{at}: {field} is {value:?}");
        }
        let strange: Vec<&String> =
            post.as_object().unwrap().keys().filter(|key| FIELDS.iter().all(|(field, ..)| field != key)).collect();
        assert!(strange.is_empty(), "{at} has {strange:?}");
        assert_eq!(post["resto"] == 0, kind != 4, "{at}");
    }
    // No line of the table holds for want of posts to which it applies.
    for (field, when, _) in FIELDS {
        for (kind, name) in KINDS.into_iter().enumerate() {
            let wanted = match when[kind] {
                When::Always => vec![true],
                When::Never => vec![false],
                When::Sometimes => vec![false, true],
            };
            let seen: Vec<bool> = seen.get(&(field, kind)).into_iter().flatten().copied().collect();
            assert_eq!(seen, wanted, "{field} at posts of the kind {name}");
        }
    }
}

#[test]
fn lists_that_only_tell_of_changes_have_three_fields() {
    let site = site();
    for (path, wanted) in [
        ("t/threads.json", &["last_modified", "no", "replies"][..]),
        ("all/threads.json", &["board", "last_modified", "no", "replies"]),
    ] {
        let file = json_of(&site, path);
        for (at, page) in file.as_array().unwrap().iter().enumerate() {
            assert_eq!(page["page"], at + 1, "{path}");
            for thread in page["threads"].as_array().unwrap() {
                assert!(thread.as_object().unwrap().keys().eq(wanted), "{path}: {thread}");
            }
        }
    }
}
