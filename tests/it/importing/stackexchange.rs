//! Dumps of Stack Exchange.

use std::time::Duration;

use super::again::{killed_after, relative};
use super::discourse::text_on;
use super::{import, thread};
use crate::import_pages::seen::of_page;
use crate::sandbox::{Sandbox, files_below, samples};

/// A dump of these rows.
fn dump(rows: &[&str]) -> String {
    format!("\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<posts>\r\n  {}\r\n</posts>", rows.join("\r\n  "))
}

const QUESTION: &str = r#"<row Id="1" PostTypeId="1" AcceptedAnswerId="4" CreationDate="2015-01-27T20:09:32.720" Score="20" ViewCount="130" Body="&lt;p&gt;How &amp;amp; why?&lt;/p&gt;&#xA;" OwnerUserId="4" LastEditDate="2015-03-05T19:51:01.263" Title="C# &amp; it's how, why?" Tags="&lt;storage&gt;&lt;whole-bean&gt;" AnswerCount="3" CommentCount="4" FavoriteCount="2" ClosedDate="2015-03-05T19:51:01.263" />"#;
const ANSWER: &str = r#"<row Id="4" PostTypeId="2" ParentId="1" CreationDate="2015-01-28T00:00:00.000" Score="0" Body="&lt;p&gt;So.&lt;/p&gt;" OwnerUserId="9" CommentCount="1"/>"#;

#[test]
fn a_question_is_a_thread_and_its_numbers_stay() {
    let site = Sandbox::new("");
    let between = r#"<row Id='2' PostTypeId='1' CreationDate='2015-01-27T21:00:00' Body='a "b" > c' OwnerDisplayName="some&#x20;one" Title="Other" Tags="|x|y|" ></row>"#;
    let wiki = r#"<row Id="3" PostTypeId="5" Body="about storage" />"#;
    site.write("in/Posts.xml", dump(&[QUESTION, between, wiki, "<!-- > <row> \" -->", ANSWER]));
    site.write(
        "in/Users.xml",
        "<users>\n<row Id=\"4\" DisplayName=\"Jo &amp; Co\" />\n<row Id=\"5\" DisplayName=\"x\" /></users>",
    );
    let told = import(&site, &["stackexchange", "in", "--board", "coffee"]);
    assert_eq!(
        thread(&site, "coffee/1"),
        r##"--- {"no": 1, "at": "2015-01-27T20:09:32Z", "name": "Jo & Co", "subject": "C# & it's how, why?", "locked": true}
How & why?

✓ >>4
#storage #whole-bean

--- {"no": 4, "at": "2015-01-28T00:00:00Z", "name": "user9"}
So.
"##
    );
    assert_eq!(
        thread(&site, "coffee/2"),
        "--- {\"no\": 2, \"at\": \"2015-01-27T21:00:00Z\", \"name\": \"some one\", \"subject\": \"Other\"}\na \"b\" > c\n\n#x #y\n"
    );
    assert_eq!(
        site.read("redirects.txt").lines().take(5).collect::<Vec<_>>(),
        [
            "/questions/1/c-its-how-why /coffee/thread/1.html 301",
            "/questions/1 /coffee/thread/1.html 301",
            "/q/1 /coffee/thread/1.html 301",
            "/a/4 /coffee/thread/1.html#p4 301",
            "/questions/1/c-its-how-why/4 /coffee/thread/1.html#p4 301",
        ]
    );
    told.is_fine();
    let lost = [
        ("scores", 1),
        ("numbers of views", 1),
        ("comments", 5),
        ("bookmarks", 2),
        ("times of edits", 1),
        ("texts about tags", 1),
    ];
    lost.iter().for_each(|(kind, count)| assert_eq!(told.lost(kind), *count, "{kind}: {}", told.summary));
    let before = files_below(&site.path("content"));
    assert_eq!(import(&site, &["stackexchange", "in/Posts.xml", "--board", "coffee"]).is_fine().count("posts_new"), 0);
    assert_eq!(files_below(&site.path("content")), before);
}

#[test]
fn an_answer_older_than_its_question_gets_a_number_above_all_and_keeps_it() {
    let site = Sandbox::new("");
    let row = |id: u64, parent: u64| {
        let kind =
            if parent == 0 { "PostTypeId=\"1\"".to_owned() } else { format!("PostTypeId=\"2\" ParentId=\"{parent}\"") };
        format!("<row Id=\"{id}\" {kind} CreationDate=\"2015-01-0{id}T00:00:00.000\" Body=\"text {id}\" Title=\"t\" />")
    };
    let rows = [row(2, 5), row(5, 0), row(7, 5), row(8, 0)];
    site.write("Posts.xml", dump(&rows.each_ref().map(String::as_str)));
    let import = || import(&site, &["stackexchange", "Posts.xml", "--board", "b"]);
    assert_eq!(import().is_fine().lost("numbers of answers that are older than their questions"), 1);
    let kept = thread(&site, "b/5");
    assert!(kept.contains("\"no\": 9, \"at\": \"2015-01-02T00:00:00Z\"") && kept.ends_with("text 2\n"), "{kept}");
    assert!(site.read("redirects.txt").contains("/a/2 /b/thread/5.html#p9 301\n"));
    assert_eq!(import().is_fine().count("posts_new"), 0);
    assert_eq!(thread(&site, "b/5"), kept);
}

#[test]
fn bad_input_is_told_with_its_place_and_the_rest_is_imported() {
    let after = r#"<row Id="20" PostTypeId="1" CreationDate="2016-01-01T00:00:00.000" Body="after" Title="t" />"#;
    let around = |row: &str| dump(&[QUESTION, ANSWER, row, after]).into_bytes();
    let whole = dump(&[QUESTION, ANSWER, after]);
    let cut = whole.as_bytes()[..whole.find("after").unwrap()].to_vec();
    let unended = whole.replace("</posts>", "").into_bytes();
    let in_latin1 = {
        let row =
            around(r#"<row Id="9" PostTypeId="1" CreationDate="2016-01-01T00:00:00.000" Body="caf@" Title="t" />"#);
        row.into_iter().map(|b| if b == b'@' { 0xE9 } else { b }).collect()
    };
    let utf16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(Vec<u8>, &str, u64); 20] = [
        (cut, "Posts.xml:5:3: the file ends in the middle of a row", 2),
        (unended, "Posts.xml:6:1: the file ends in the middle: there is no `</posts>`", 3),
        (
            around(r#"<row Id="9" PostTypeId="1" Body="cut of"#),
            "Posts.xml:5:3: this row is cut off: another one begins within it",
            3,
        ),
        (around(r#"<row Id="9" PostTypeId="1" Body="a" b" />"#), "Posts.xml:5:3: this row is cut off", 3),
        (around("nonsense &&& <"), "Posts.xml:5:16: this row is cut off", 3),
        (in_latin1, "Posts.xml:5:78: these bytes are not UTF-8", 4),
        (utf16, "Posts.xml:1:1: this file is in UTF-16, not in UTF-8; nothing of it was read", 0),
        (whole.replace("utf-8", "windows-1252").into_bytes(), "Posts.xml:1:1: this file is in windows-1252", 0),
        (around(&QUESTION.replace("1\" P", "4\" P")), "Posts.xml:5:3: post 4 came already; the first one counts", 3),
        (
            around(r#"<row Id="9" PostTypeId="2" ParentId="8" CreationDate="2016-01-01T00:00:00.000" Body="x" />"#),
            "Posts.xml:5:1: question 8 is not in the dump; its 1 answers are left out",
            3,
        ),
        (
            around(r#"<row Id="9" PostTypeId="2" Body="x" />"#),
            "Posts.xml:5:3: answer 9 says no question, `ParentId`",
            3,
        ),
        (around(r#"<row Id="9" Body="x" />"#), "Posts.xml:5:3: post 9 says neither question nor answer", 3),
        (around(r#"<row Id="x" PostTypeId="1" />"#), "Posts.xml:5:3: this row has no `Id` of a post", 3),
        (around(r#"<row Id="99999999999" PostTypeId="1" />"#), "Posts.xml:5:3: this row has no `Id` of a post", 3),
        (
            around(r#"<row Id="9" PostTypeId="1" CreationDate="soon" Body="x" />"#),
            "Posts.xml:5:3: the time `soon` of post 9 cannot be read",
            4,
        ),
        (
            around(&format!("<row Id=\"9\" Body=\"{}\" />", "x".repeat(4_000_000))),
            "Posts.xml:5:3: this row is longer than 4 MB",
            3,
        ),
        (b"".to_vec(), "Posts.xml:1:1: this is no `Posts.xml`: there is no element `posts`", 0),
        (b"{\"posts\":[]}".to_vec(), "Posts.xml:1:13: this is no `Posts.xml`", 0),
        (
            b"<!DOCTYPE html>\n<html><body>x".to_vec(),
            "Posts.xml:2:1: this is no `Posts.xml`: its first element is `html`",
            0,
        ),
        (
            b"<?xml version=\"1.0\"?><users><row Id=\"1\" /></users>".to_vec(),
            "Posts.xml:1:22: this is no `Posts.xml`: its first element is `users`",
            0,
        ),
    ];
    for (bytes, problem, posts) in cases {
        let site = Sandbox::new("");
        site.write("Posts.xml", bytes);
        let told = import(&site, &["stackexchange", "Posts.xml", "--board", "b"]);
        assert!(told.err.contains(problem), "{problem}: {}", told.err);
        assert_eq!((told.code, told.count("posts_new")), (1, posts), "{problem}: {}", told.err);
        assert!(told.report.contains(problem), "{}", told.report);
    }
    let site = Sandbox::new("==> in/readme.txt\nx\n");
    let told = import(&site, &["stackexchange", "in", "--board", "b"]);
    assert!(told.err.contains("in: there is no `Posts.xml` in this folder"), "{}", told.err);
    assert_eq!(import(&site, &["stackexchange", "in"]).code, 3, "a board is needed");
    assert_eq!(import(&site, &["stackexchange", "none", "--board", "b"]).code, 3);
}

#[test]
fn an_answer_whose_question_came_with_an_earlier_dump_is_added_to_it() {
    let site = Sandbox::new("");
    site.write("Posts.xml", dump(&[QUESTION]));
    import(&site, &["stackexchange", "Posts.xml", "--board", "b"]).is_fine();
    site.write("Posts.xml", dump(&[ANSWER]));
    assert_eq!(import(&site, &["stackexchange", "Posts.xml", "--board", "b"]).is_fine().count("posts_new"), 1);
    assert!(thread(&site, "b/1").ends_with("So.\n"));
}

#[test]
fn a_killed_import_of_a_forum_goes_on_as_if_nothing_had_happened() {
    let whole = Sandbox::new("");
    let question = |id: u64| {
        let kind = if id % 3 == 1 {
            "PostTypeId=\"1\"".to_owned()
        } else {
            format!("PostTypeId=\"2\" ParentId=\"{}\"", id - (id - 1) % 3)
        };
        format!("<row Id=\"{id}\" {kind} CreationDate=\"2015-01-01T00:00:00.000\" Body=\"text {id}\" Title=\"t\" />")
    };
    let rows: Vec<String> = (1..=1_200).map(question).collect();
    whole.write("in/Posts.xml", dump(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
    for topic in 1..=300 {
        let post = |place: u64| {
            format!(
                "{{\"id\":{place},\"post_number\":{place},\"created_at\":\"2016-11-11T00:0{place}:00Z\",\"cooked\":\"text\"}}"
            )
        };
        let posts = [post(1), post(2), post(3)].join(",");
        whole.write(
            &format!("in/{topic}.json"),
            format!("{{\"post_stream\":{{\"posts\":[{posts}]}},\"id\":{topic},\"title\":\"t\"}}"),
        );
    }
    for format in ["discourse", "stackexchange"] {
        let arguments = [format, "in", "--board", format];
        import(&whole, &arguments).is_fine();
        let wanted = files_below(&whole.path(&format!("content/{format}")));
        let site = Sandbox::new("");
        crate::sandbox::copy_folder(&whole.path("in"), &site.path("in"));
        let mut interrupted = 0;
        for pause in [30, 60, 80, 100, 120, 150, 200, 250, 300, 400] {
            let killed = killed_after(&site, &arguments, Duration::from_millis(pause));
            let there = files_below(&site.path("content")).len();
            interrupted += usize::from(killed && 2 < there && there < wanted.len());
        }
        import(&site, &arguments).is_fine();
        let mut there = files_below(&site.path(&format!("content/{format}")));
        there.retain(|path, _| !path.ends_with(".draft"));
        let same = if format == "discourse" { relative(&there) == relative(&wanted) } else { there == wanted };
        assert!(same, "{format}: {} files, wanted {}", there.len(), wanted.len());
        println!("{format}: {interrupted} of 10 kills came in the middle");
    }
}

/// A row without an end is as long as the file, and is not held.
#[test]
fn a_file_that_is_one_endless_row_takes_no_memory() {
    let site = Sandbox::new("");
    site.write("Posts.xml", format!("<posts>{}<row Body=\"", " ".repeat(300)));
    std::fs::OpenOptions::new().write(true).open(site.path("Posts.xml")).unwrap().set_len(2 << 30).unwrap();
    let mut command = std::process::Command::new("sh");
    // It would not fit into what the process may have.
    let limited = "ulimit -v 1500000; exec \"$0\" import stackexchange Posts.xml --board b";
    let output =
        command.args(["-c", limited, env!("CARGO_BIN_EXE_nejiboard")]).current_dir(site.root()).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("Posts.xml:1:308: the file ends in the middle of a row"), "{err}");
    assert_eq!(output.status.code(), Some(1), "{err}");
}

#[test]
fn the_samples_say_on_their_pages_what_they_said() {
    let Some(samples) = samples() else { return };
    let path = samples.join("threads-stackexchange-xml/coffee/Posts.xml");
    let site = Sandbox::new("");
    let told = import(&site, &["stackexchange", path.to_str().unwrap(), "--board", "coffee"]);
    assert_eq!((told.is_fine().count("threads"), told.count("posts"), told.lost("texts about tags")), (224, 540, 39));
    site.build();
    let mut compared = 0;
    for row in std::fs::read_to_string(path).unwrap().lines().filter(|line| line.contains("<row ")) {
        let value =
            |name: &str| row.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap());
        let (Some(kind @ ("1" | "2")), Some(id)) = (value("PostTypeId"), value("Id")) else { continue };
        let mut body = value("Body").unwrap().to_owned();
        for (from, to) in [("&#xA;", "\n"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
            body = body.replace(from, to);
        }
        let question = if kind == "1" { id } else { value("ParentId").unwrap() };
        let there = text_on(&site.page(&format!("coffee/thread/{question}.html")), &format!("p{id}"));
        let said = of_page(&body);
        let foot = there.strip_prefix(&said).unwrap_or_else(|| panic!("{id}:\n{said}\n{there}"));
        let is_foot = |word: &str| word == "✓" || word.starts_with('#');
        assert!(foot.is_empty() || kind == "1" && foot.split_whitespace().all(is_foot), "{id}: {foot}");
        compared += 1;
    }
    assert_eq!(compared, 540);
    assert!(crate::sandbox::running::run(site.root(), &["verify"]).status.success());
}
