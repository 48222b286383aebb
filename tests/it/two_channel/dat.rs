//! Threads as dats.

use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::super::sandbox::Sandbox;
use super::reader::{Line, lines, text};

const SETTINGS: &str = "title: T\nbase_url: https://board.test/x/\nformats: 2ch\n";

/// A site of these threads.
pub fn site(threads: &str) -> Sandbox {
    let site = Sandbox::new(threads);
    site.write("content/site.yaml", SETTINGS);
    assert_eq!(site.build().problems, []);
    site
}

fn dat(site: &Sandbox, path: &str) -> Vec<u8> {
    fs::read(site.path("public").join(path)).unwrap()
}

/// The body of the first post of a thread, as a reader of 2ch sees it.
#[track_caller]
fn check(typed: &str, shown: &[&str]) {
    let site = site(&format!("==> content/tech/7.md\n--- {{no: 7}}\n{typed}\n"));
    assert_eq!(lines(&dat(&site, "tech/dat/7.dat"))[0].body, shown, "{typed}");
}

#[test]
fn a_thread_is_a_line_for_each_post() {
    let site = site(
        "
==> content/tech/3.md
--- {no: 3, at: 2025-03-02T10:20:30Z, name: 'Ne<>ji', trip: '!QuaW1SVuNo', subject: 'On <nuts> & 螺子'}
first
second
--- {no: 5, at: 2025-03-02T10:21:02Z, trip: '!!abc !!def', sage: true}
>>3
--- {no: 6, deleted: true}
--- {no: 9, at: 2025-12-31T15:00:00Z, name: '名無し★◆x', capcode: admin}
>>5 >>6
",
    );
    let expected = "Ne&lt;&gt;ji </b>◆QuaW1SVuNo <b><><>2025/03/02(日) 19:20:30.00<> first <br> second <>On &lt;nuts&gt; &amp; 螺子\n\
                    \x20</b>◆!abc <b> </b>◆!def <b><>sage<>2025/03/02(日) 19:21:02.00<> &gt;&gt;1 <>\n\
                    あぼーん<>あぼーん<>あぼーん<>あぼーん<>\n\
                    名無し☆◇x </b>★Admin <b><><>2026/01/01(木) 00:00:00.00<> &gt;&gt;2 &gt;&gt;3 <>\n";
    assert_eq!(text(&dat(&site, "tech/dat/3.dat")), expected);
}

#[test]
fn posters_have_their_ids_where_a_board_asks_for_them() {
    let thread =
        "--- {no: 1, poster_id: aB3}\nx\n--- {no: 2, poster_id: '<>'}\ny\n--- {no: 3, at: 2025-03-02T10:20:30Z}\nz\n";
    let site = site(&format!("==> content/tech/1.md\n{thread}==> content/tech/board.yaml\nposter_ids: true\n"));
    let dates = || lines(&dat(&site, "tech/dat/1.dat")).into_iter().map(|line| line.date).collect::<Vec<_>>();
    assert_eq!(dates(), [" ID:aB3", " ID:&lt;&gt;", "2025/03/02(日) 19:20:30.00"]);
    assert!(text(&dat(&site, "tech/SETTING.TXT")).contains("\nBBS_FORCE_ID=checked\n"));
    site.write("content/tech/board.yaml", "title: T\n");
    site.build();
    assert_eq!(dates(), ["", "", "2025/03/02(日) 19:20:30.00"]);
}

#[test]
fn a_plain_parser_reads_what_was_posted() {
    let body = "\n  \\ ¥ 〜 ～ é 🍥 ｱｲｳ 表示 &amp; &#9829; \"q\" <br> <b>x</b> <>";
    let site = site(&format!("==> content/tech/1.md\n--- {{no: 1, name: 'A & B', subject: 'é <>'}}\nx{body}\n"));
    let shown: Vec<String> = format!("x{body}").lines().map(str::to_owned).collect();
    let line = Line {
        name: "A & B".to_owned(),
        mail: String::new(),
        date: String::new(),
        body: shown,
        title: "é <>".to_owned(),
    };
    assert_eq!(lines(&dat(&site, "tech/dat/1.dat")), [line]);
}

#[test]
fn markup_is_reduced_to_what_readers_of_2ch_know() {
    check("*soft* **loud** ||hidden|| and `code`", &["soft loud [spoiler]hidden[/spoiler] and code"]);
    check("> green\nplain", &["> green", "plain"]);
    check("a https://example.org/?a=1&b=2 b", &["a https://example.org/?a=1&b=2 b"]);
    check("[label](https://example.org/)!", &["label ( https://example.org/ )!"]);
    check("before\n\n- one\n- two\n\nafter", &["before", "・one", "・two", "after"]);
    check("3. c\n4. d", &["3. c", "4. d"]);
    check(
        "see\n```\n  if  x:\n\n      y\n```\nend",
        &["see", "\u{A0}\u{A0}if \u{A0}x:", "", "\u{A0}\u{A0}\u{A0}\u{A0}\u{A0}\u{A0}y", "end"],
    );
    check("[aa]　 ∧＿∧\n  （　´∀｀）[/aa]", &["　 ∧＿∧", "\u{A0}\u{A0}（　´∀｀）"]);
}

#[test]
fn quotes_are_lines_of_the_thread() {
    let site = site(
        "
==> content/tech/1.md
--- {no: 1}
>>1 and >>2
--- {no: 7}
>>1 >>7 >>>/tech/7 >>9 >>5 >>4 >>99 >>>/tech/ >>>/none/1 >>>/art/2
==> content/tech/4.md
--- {no: 4}
x
--- {no: 5}
>>1 >>7 >>>/tech/1
==> content/art/1.md
--- {no: 1}
x
--- {no: 2}
>>>/tech/7 >>>/tech/99
",
    );
    let bodies =
        |path: &str| -> Vec<String> { lines(&dat(&site, path)).into_iter().map(|line| line.body.join("\n")).collect() };
    let cgi = "https://board.test/x/test/read.cgi";
    assert_eq!(
        bodies("tech/dat/1.dat"),
        [
            // The second post of the board came later, whatever thread it stands in.
            "1 and No.2".replace("1", ">>1").replace("No", ">>No"),
            format!(
                ">>1 >>2 >>2 >>No.9 {cgi}/tech/4/2 {cgi}/tech/4/1 >>No.99 https://board.test/x/tech/ >>>/none/1 {cgi}/art/1/2"
            ),
        ]
    );
    assert_eq!(bodies("tech/dat/4.dat"), ["x".to_owned(), format!("{cgi}/tech/1/1 >>No.7 {cgi}/tech/1/1")]);
    assert_eq!(bodies("art/dat/1.dat"), ["x".to_owned(), format!("{cgi}/tech/1/2 >>>/tech/99")]);
}

/// Those of further threads need more time the larger the board is.
#[test]
fn a_post_that_quotes_many_threads_names_the_lines_of_the_first_ones() {
    let mut threads = String::new();
    (1..=6).for_each(|no| threads += &format!("==> content/tech/{no}.md\n--- {{no: {no}}}\nx\n"));
    let quotes = "==> content/tech/7.md\n--- {no: 7}\n>>1 >>2 >>3 >>4 >>5 >>1\n--- {no: 8}\n>>5\n";
    let site = site(&(threads + quotes));
    let bodies: Vec<String> = lines(&dat(&site, "tech/dat/7.dat")).into_iter().flat_map(|line| line.body).collect();
    let cgi = "https://board.test/x/test/read.cgi/tech";
    assert_eq!(bodies, [format!("{cgi}/1/1 {cgi}/2/1 {cgi}/3/1 {cgi}/4/1 {cgi}/5/ {cgi}/1/1"), format!("{cgi}/5/1")]);
}

/// Something that is posted.
#[derive(Clone, Debug)]
enum Event {
    Reply(String),
    /// A new thread, and so a number that the first one does not have.
    Elsewhere,
    /// The post at about this place of the thread is removed.
    Delete(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let quote = (0..12_u32).prop_map(|no| format!(">>{no} "));
    let cross = (0..12_u32).prop_map(|no| format!(">>>/tech/{no} "));
    let words = prop_oneof![
        Just("螺子 ".to_owned()),
        Just("||s\n".to_owned()),
        Just("> q\n".to_owned()),
        Just("- i\n".to_owned()),
        Just("```\n".to_owned()),
        Just("[aa] x\n y[/aa]\n".to_owned()),
        "\\PC{0,4}",
    ];
    let body = prop::collection::vec(prop_oneof![quote, cross, words], 1..6)
        // As the door leaves it: something, and no white space at its end.
        .prop_map(|parts| format!("x{}", parts.concat()).trim_end().to_owned());
    let event = prop_oneof![
        5 => body.prop_map(Event::Reply),
        1 => Just(Event::Elsewhere),
        1 => (0..12_usize).prop_map(Event::Delete),
    ];
    prop::collection::vec(event, 1..10)
}

/// Clients ask for what is behind the bytes they have.
#[test]
fn a_reply_only_appends_bytes_and_a_deletion_changes_its_own_line_alone() {
    let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&events(), |events| {
            let site = site("==> content/tech/1.md\n--- {no: 1}\n>>2 >>3 >>>/tech/4 >>>/tech/\n");
            let mut posts = vec![(1, Some(">>2 >>3 >>>/tech/4 >>>/tech/".to_owned()))];
            let mut last = 1;
            for event in events {
                let before = dat(&site, "tech/dat/1.dat");
                last += 1;
                let mut deleted = None;
                match &event {
                    Event::Reply(body) => posts.push((last, Some(body.clone()))),
                    Event::Elsewhere => {
                        site.write(&format!("content/tech/{last}.md"), format!("--- {{no: {last}}}\nx\n"))
                    }
                    // The thread would be gone with its last post.
                    Event::Delete(at) => {
                        let at = at % posts.len();
                        if posts.iter().filter(|post| post.1.is_some()).count() == 1 {
                            continue;
                        }
                        posts[at].1 = None;
                        deleted = Some(at);
                    }
                }
                let file: String = posts
                    .iter()
                    .map(|(no, body)| match body {
                        Some(body) => format!("--- {{no: {no}}}\n{body}\n"),
                        None => format!("--- {{no: {no}, deleted: true}}\n"),
                    })
                    .collect();
                site.write("content/tech/1.md", file);
                assert_eq!(site.build().problems, []);
                let after = dat(&site, "tech/dat/1.dat");
                assert_eq!(lines(&after).len(), posts.len());
                match deleted {
                    None => assert!(after.starts_with(&before), "{event:?}:\n{}\n{}", text(&before), text(&after)),
                    Some(at) => {
                        let split = |bytes: &[u8]| bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
                        let (mut before, mut after) = (split(&before), split(&after));
                        assert!(text(&after[at]).starts_with("あぼーん<>あぼーん<>あぼーん<>あぼーん<>"));
                        before.remove(at);
                        after.remove(at);
                        assert_eq!(before, after, "{event:?}");
                    }
                }
            }
            Ok(())
        })
        .unwrap();
}

/// What they have is no beginning of what is there then, and they load the whole again.
#[test]
fn a_cyclic_thread_loses_its_oldest_lines_and_its_quotes_follow() {
    let site = site(
        "
==> content/tech/1.md
--- {no: 1, cyclic: true}
x
--- {no: 2}
two
--- {no: 3}
>>2
==> content/tech/4.md
--- {no: 4}
>>3
",
    );
    let body = |path: &str, at: usize| lines(&dat(&site, path))[at].body.join("\n");
    assert_eq!(
        (body("tech/dat/1.dat", 2), body("tech/dat/4.dat", 0)),
        (">>2".to_owned(), "https://board.test/x/test/read.cgi/tech/1/3".to_owned())
    );
    site.write("content/tech/1.md", "--- {no: 1, cyclic: true}\nx\n--- {no: 3}\n>>2\n--- {no: 5}\n>>3\n");
    site.build();
    assert_eq!((body("tech/dat/1.dat", 1), body("tech/dat/1.dat", 2)), (">>No.2".to_owned(), ">>2".to_owned()));
    assert_eq!(body("tech/dat/4.dat", 0), "https://board.test/x/test/read.cgi/tech/1/2");
}
