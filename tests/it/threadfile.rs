//! The thread file: what is written is read again to the letter, and what people write by hand or break is told.

use std::path::Path;

use nejiboard::model::{Post, PostId, PostNo, Thread, ThreadFlags};
use nejiboard::store::header::{self, Header};
use nejiboard::store::thread_file::{Reading, append, read, write};
use proptest::prelude::*;

fn time(seconds: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(seconds, 0).unwrap()
}

/// Text as strangers have it: any characters, and above all those that mean something in the file.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        any::<String>(),
        Just("\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\r".to_owned()),
        Just("\0".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("--- {".to_owned()),
        Just("\n--- {\"no\": 3}\n".to_owned()),
        Just("\n\\--- {".to_owned()),
        Just("\n\\\\\\--- {no: 1}".to_owned()),
        Just("\\".to_owned()),
        Just("---".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("狐 👩‍👩‍👧".to_owned()),
    ];
    prop::collection::vec(pieces, 0..7).prop_map(|pieces| pieces.concat())
}

fn post() -> impl Strategy<Value = Post> {
    let fields = (text(), text(), text(), text(), text(), any::<bool>(), prop::option::of("[A-Za-z0-9_-]{1,64}"));
    (fields, 0..253_402_300_799_i64, text(), prop::bool::weighted(0.2)).prop_map(
        |((name, trip, poster_id, capcode, subject, sage, id), at, body, deleted)| {
            let mut post = Post { at: time(at), sage, deleted, ..Post::new(PostNo::new(1).unwrap()) };
            post.id = id.map(|id| PostId::parse(&id).unwrap());
            // A tombstone holds nothing of what was typed.
            match deleted {
                true => post,
                false => Post { name, trip, poster_id, capcode, subject, body, ..post },
            }
        },
    )
}

/// Any thread that a file can hold.
pub(super) fn thread() -> impl Strategy<Value = Thread> {
    let flags = any::<[bool; 5]>().prop_map(|[sticky, locked, archived, bumplock, cyclic]| ThreadFlags {
        sticky,
        locked,
        archived,
        bumplock,
        cyclic,
    });
    let posts = prop::collection::vec((post(), 1..9_u64), 1..6);
    (flags, prop::option::of(0..2_000_000_000_i64), posts).prop_map(|(flags, changed, posts)| {
        let mut no = 0;
        let numbered = posts.into_iter().map(|(post, step)| {
            no += step;
            Post { no: PostNo::new(no).unwrap(), ..post }
        });
        Thread { flags, changed: changed.map(time), posts: numbered.collect() }
    })
}

/// A header line as we write it, from its brace on; and a change somewhere in it, as people make them.
fn written_header() -> impl Strategy<Value = String> {
    let change = prop_oneof![
        Just(""),
        Just(", "),
        Just(","),
        Just("\""),
        Just("\\"),
        Just("}"),
        Just("0"),
        Just("\t"),
        Just("\"no\": 7, "),
        Just(", \"sage\": true"),
        Just("null"),
    ];
    (thread(), any::<prop::sample::Index>(), change, 0..3_usize).prop_map(|(thread, at, put, taken)| {
        let file = String::from_utf8(write(&thread)).unwrap();
        let header = file.lines().next().unwrap().strip_prefix("--- ").unwrap();
        let chars: Vec<char> = header.chars().collect();
        let at = at.index(chars.len() + 1);
        let behind = chars.iter().skip(at + taken);
        chars[..at].iter().copied().chain(put.chars()).chain(behind.copied()).collect()
    })
}

fn read_header(text: &str) -> Option<Header> {
    header::read(
        text,
        &header::Place { path: Path::new("12.md"), lines: &header::Lines::of(text), from: 0 },
        &mut Vec::new(),
    )
}

proptest! {
    /// Our own form has a reader of its own; a space behind the brace leaves the header to the readers of JSON and YAML.
    #[test]
    fn a_header_in_our_form_is_what_it_is_in_any_other(text in written_header()) {
        let spaced = text.strip_prefix('{').map(|entries| format!("{{ {entries}"));
        prop_assert_eq!(read_header(&text), read_header(spaced.as_deref().unwrap_or(&text)));
    }
}

/// What a file with these bytes holds, under the name that its first post asks for.
fn read_as(no: u64, bytes: &[u8]) -> Reading {
    read(Path::new(&format!("content/tech/{no}.md")), bytes)
}

fn read_again(thread: &Thread, bytes: &[u8]) -> Thread {
    let reading = read_as(thread.no().get(), bytes);
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    reading.thread.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn a_thread_is_read_as_it_was_written(thread in thread()) {
        prop_assert_eq!(read_again(&thread, &write(&thread)), thread);
    }

    #[test]
    fn adding_posts_is_the_same_as_writing_the_longer_thread(thread in thread(), at in 1..6_usize) {
        let at = at.min(thread.posts.len());
        let shorter = Thread { posts: thread.posts[..at].to_vec(), ..thread.clone() };
        let longer = append(&write(&shorter), &thread.posts[at..]);
        prop_assert_eq!(read_again(&thread, &longer), thread.clone());
        prop_assert_eq!(longer, write(&thread));
    }

    #[test]
    fn adding_a_post_to_whatever_a_hand_wrote_keeps_what_was_read(body in text(), ends in "\n{0,4}", added in post()) {
        let by_hand = format!("--- {{no: 1}}\n{}{ends}", body.replace("--- {", "-- {"));
        let before = read_as(1, by_hand.as_bytes()).thread.unwrap();
        let added = Post { no: PostNo::new(2).unwrap(), ..added };
        let after = read_as(1, &append(by_hand.as_bytes(), std::slice::from_ref(&added))).thread.unwrap();
        prop_assert_eq!(&after.posts[0], &before.posts[0]);
        prop_assert_eq!(&after.posts[1], &added);
    }

    #[test]
    fn no_bytes_are_too_strange_to_read(bytes in prop::collection::vec(any::<u8>(), 0..200), split in 0..200_usize) {
        let mut file = bytes.clone();
        file.splice(split.min(bytes.len())..split.min(bytes.len()), *b"\n--- {\"no\": 1}\n");
        read_as(1, &bytes);
        read_as(1, &file);
    }
}

/// Reads a file named `12.md` with this text: its posts as `no name|subject|body`, and its problems.
fn check(text: impl AsRef<[u8]>, posts: &[&str], problems: &[&str]) {
    let reading = read_as(12, text.as_ref());
    let line = |post: &Post| match post.deleted {
        true => format!("{} deleted", post.no),
        false => format!("{} {}|{}|{}", post.no, post.name, post.subject, post.body),
    };
    let there: Vec<String> = reading.thread.iter().flat_map(|thread| thread.posts.iter().map(line)).collect();
    let told: Vec<String> =
        reading.problems.iter().map(|problem| problem.to_string().replace("content/tech/", "")).collect();
    assert_eq!(there, posts, "{told:#?}");
    assert_eq!(told, problems, "{there:#?}");
}

#[test]
fn headers_written_by_hand_are_yaml() {
    check(
        "--- {no: 12, name: Neji, subject: 'It''s', at: 2025-03-02, sticky: true}\nhello\n--- {no: 13}\nyes\n",
        &["12 Neji|It's|hello", "13 ||yes"],
        &[],
    );
    let reading =
        read_as(12, b"--- {no: 12, at: 2025-03-02 10:20, locked: true, changed: 2025-03-03}\nhello\n--- {no: 13}\n");
    let thread = reading.thread.unwrap();
    assert!(thread.flags.locked && !thread.flags.sticky);
    assert_eq!(thread.changed, Some(time(1_740_960_000)));
    assert_eq!(thread.op().at, time(1_740_910_800));
    assert_eq!(thread.posts[1].at, thread.op().at, "a post without a time has that of the one before it");
}

#[test]
fn a_time_may_be_written_in_several_ways_and_is_utc() {
    for at in ["2025-03-02T10:20:00Z", "2025-03-02T12:20:00.9+02:00", "2025-03-02 10:20:00", "2025-03-02T10:20"] {
        let reading = read_as(12, format!("--- {{\"no\": 12, \"at\": \"{at}\"}}\nx\n").as_bytes());
        assert_eq!(reading.thread.unwrap().op().at, time(1_740_910_800), "{at}");
    }
}

#[test]
fn a_tombstone_holds_nothing_but_its_number() {
    check(
        "--- {\"no\": 12, \"name\": \"x\"}\nhi\n\n--- {\"no\": 13, \"name\": \"gone\", \"deleted\": true}\nsecret\n",
        &["12 x||hi", "13 deleted"],
        &[],
    );
}

#[test]
fn a_line_that_looks_like_a_header_carries_a_backslash() {
    check(
        "--- {no: 12}\n\\--- {no: 13}\n\\\\--- {\n\\ --- {\nx --- {no: 14}\n",
        &["12 ||--- {no: 13}\n\\--- {\n\\ --- {\nx --- {no: 14}"],
        &[],
    );
}

#[test]
fn line_ends_of_an_editor_and_a_byte_order_mark_are_no_part_of_the_text() {
    check("\u{feff}--- {no: 12}\r\none\r\ntwo\r\n\r\n--- {no: 13}\r\nthree\r\n", &["12 ||one\ntwo", "13 ||three"], &[]);
    check("--- {no: 12}\nno line end", &["12 ||no line end"], &[]);
    check("--- {no: 12}", &["12 ||"], &[]);
}

#[test]
fn a_number_that_stands_twice_is_passed_over_and_told() {
    check(
        "--- {no: 12}\na\n--- {no: 13}\nb\n--- {no: 13}\nc\n--- {no: 14}\nd\n",
        &["12 ||a", "13 ||b", "14 ||d"],
        &["12.md:5:1: post number 13 stands twice in this file; the second one is passed over\n  \
           hint: give the second one a number that is free on its board"],
    );
}

#[test]
fn a_number_that_falls_is_told_and_kept_unless_it_is_below_the_first() {
    check(
        "--- {no: 12}\na\n--- {no: 15}\nb\n--- {no: 14}\nc\n--- {no: 3}\nd\n",
        &["12 ||a", "15 ||b", "14 ||c"],
        &[
            "12.md:5:1: post number 14 comes after 15, but numbers rise\n  hint: put the posts in the order of their numbers",
            "12.md:7:1: post number 3 comes after 14, but numbers rise\n  hint: put the posts in the order of their numbers",
        ],
    );
}

#[test]
fn a_header_that_is_none_costs_one_post_and_is_told_with_its_place() {
    let how = "\n  hint: write it as `--- {\"no\": 12, \"name\": \"…\"}`, on one line";
    check(
        "no header\n",
        &[],
        &["12.md:1:1: text before the first post's header\n  hint: a post begins with a line `--- {\"no\": 1, …}`"],
    );
    check(
        "--- {no: 12}\na\n--- {no: 13, name: \"x\nb\n--- {no: 14}\nc\n",
        &["12 ||a", "14 ||c"],
        &[&format!("12.md:3:20: this header does not end in `}}`{how}")],
    );
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_known_one_and_its_place() {
    check(
        "--- {no: 12, nmae: Neji, subject: S}\na\n",
        &["12 |S|a"],
        &["12.md:1:14: unknown key `nmae`\n  hint: did you mean `name`?"],
    );
    check(
        "--- {\"no\": 12}\na\n\n--- {\"no\": 13, \"stiky\": true}\nb\n",
        &["12 ||a", "13 ||b"],
        &["12.md:4:17: unknown key `stiky`\n  hint: did you mean `sticky`?"],
    );
}

#[test]
fn a_value_of_the_wrong_type_is_told_and_taken_as_absent() {
    let reading = read_as(12, b"--- {no: 12, sage: maybe, at: yesterday, name: [a], subject: S}\nx\n");
    let told: Vec<String> = reading.problems.iter().map(ToString::to_string).collect();
    assert_eq!(reading.thread.unwrap().op().subject, "S");
    assert_eq!(told.len(), 3, "{told:#?}");
    for part in
        ["12.md:1:14: bad `sage`", "12.md:1:27: bad `at`: `yesterday` is no time such as", "12.md:1:42: bad `name`"]
    {
        assert!(told.iter().any(|told| told.contains(part)), "{part}: {told:#?}");
    }
    let reading = read_as(12, b"--- {no: twelve}\nx\n--- {no: 0}\ny\n--- {no: 9007199254740992}\nz\n");
    let told: Vec<String> = reading.problems.iter().map(ToString::to_string).collect();
    assert!(reading.thread.is_none());
    assert_eq!(told.iter().filter(|told| told.contains("bad `no`")).count(), 3, "{told:#?}");
    assert_eq!(told.iter().filter(|told| told.contains("this post has no `no`")).count(), 3, "{told:#?}");
}

#[test]
fn a_file_under_the_wrong_name_is_no_thread() {
    check(
        "--- {no: 13}\na\n",
        &[],
        &["12.md: the file's name does not match its first post, number 13\n  hint: rename it to `13.md`"],
    );
}

#[test]
fn bytes_that_are_not_utf8_are_shown_as_such_and_told() {
    check(
        b"--- {no: 12}\nfine\nb\xe4d\n",
        &["12 ||fine\nb\u{fffd}d"],
        &["12.md:3:1: these bytes are not UTF-8; they are shown as \u{fffd}\n  hint: save the file as UTF-8"],
    );
}

#[test]
fn an_empty_file_is_told() {
    let wanted = ["12.md: no post in this file\n  hint: a post begins with a line `--- {\"no\": 1, …}`"];
    check("", &[], &wanted);
    check(" \n\n", &[], &wanted);
}

#[test]
fn a_huge_header_is_told_and_costs_no_time() {
    let huge = format!("--- {{no: 12, name: \"{}\"}}\na\n", "[".repeat(5 << 20));
    check(huge, &[], &["12.md:1:1: this header is longer than 65536 bytes"]);
    // Nesting within the bound must not overflow the stack either.
    let deep = format!("--- {{no: 12, name: {}\na\n", "[".repeat(60_000));
    let began = std::time::Instant::now();
    assert!(read_as(12, deep.as_bytes()).thread.is_none());
    assert!(began.elapsed().as_secs() < 5);
}

#[test]
fn an_alias_in_a_header_cannot_grow() {
    let mut bomb = "--- {no: 12, name: &a [x,x,x,x,x,x,x,x,x,x]".to_owned();
    for (next, last) in ('b'..='k').zip('a'..) {
        bomb += &format!(", {next}: &{next} [{}]", vec![format!("*{last}"); 10].join(","));
    }
    let began = std::time::Instant::now();
    let reading = read_as(12, format!("{bomb}}}\nx\n").as_bytes());
    assert!(!reading.problems.is_empty());
    assert!(began.elapsed().as_secs() < 5);
}

/// Such times were read, and written in a form that was then no time. The fuzzer found it.
#[test]
fn a_time_that_could_not_be_written_is_no_time() {
    for text in ["-025-03-02", "+10000-01-01", "9999-12-31T23:59:59-05:00", "0000-01-01T00:00:00+01:00"] {
        let reading = read_as(12, format!("--- {{no: 12, at: \"{text}\"}}\na\n").as_bytes());
        let told: Vec<String> = reading.problems.iter().map(ToString::to_string).collect();
        assert!(told.len() == 1 && told[0].contains("is no time such as"), "{text}: {told:?}");
        let thread = reading.thread.unwrap();
        assert_eq!(read_again(&thread, &write(&thread)), thread, "{text}");
    }
    for text in ["0000-01-01", "9999-12-31T23:59:59Z", "2025-03-02 10:20"] {
        let reading = read_as(12, format!("--- {{no: 12, at: \"{text}\"}}\na\n").as_bytes());
        assert!(reading.problems.is_empty(), "{text}");
        let thread = reading.thread.unwrap();
        assert_eq!(read_again(&thread, &write(&thread)), thread, "{text}");
    }
}

/// A post that was added took the first post's last character with it. The fuzzer found it.
#[test]
fn half_a_line_end_at_the_end_of_a_file_changes_nothing_when_a_post_is_added() {
    for end in ["\r", "\r\r", "\r\n", "\n", "", "\r\n\r"] {
        let old = format!("--- {{no: 12}}\r\none\r\ntwo{end}");
        let before = read_as(12, old.as_bytes()).thread.unwrap();
        let new = Post { body: "three".to_owned(), ..Post::new(nejiboard::model::PostNo::new(13).unwrap()) };
        let after = read_as(12, &append(old.as_bytes(), &[new])).thread.unwrap();
        assert_eq!(after.posts[0].body, before.posts[0].body, "{end:?}");
    }
}
