//! The JSON for programs, held against the public documentation of 4chan's API: which field appears where, and as what.

mod fields;

use serde_json::{Value, json};

use super::sandbox::running::run;
use super::sandbox::{Sandbox, publish};

fn built(site: &str) -> Sandbox {
    let site = Sandbox::new(site);
    let report = site.build();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    site
}

/// A file of JSON.
#[track_caller]
fn json_of(site: &Sandbox, path: &str) -> Value {
    let text = site.page(path);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}\n{text}"))
}

/// Checks a whole file.
#[track_caller]
fn check(site: &str, path: &str, wanted: Value) {
    assert_eq!(json_of(&built(site), path), wanted, "{path}");
}

/// Checks one place of a file, such as `/posts/0/com`; `Null` if it is not there.
#[track_caller]
fn check_at(site: &str, path: &str, at: &str, wanted: Value) {
    let whole = json_of(&built(site), path);
    assert_eq!(whole.pointer(at).unwrap_or(&Value::Null), &wanted, "{path}{at}: {whole:#}");
}

/// The numbers of the threads, page by page.
#[track_caller]
fn paged(site: &Sandbox, path: &str) -> Vec<(u64, Vec<u64>)> {
    let whole = json_of(site, path);
    let no = |thread: &Value| thread["no"].as_u64().unwrap();
    let page =
        |page: &Value| (page["page"].as_u64().unwrap(), page["threads"].as_array().unwrap().iter().map(no).collect());
    whole.as_array().unwrap().iter().map(page).collect()
}

/// The numbers of the posts of a thread.
fn numbers(thread: &Value) -> Vec<u64> {
    thread["posts"].as_array().unwrap().iter().map(|post| post["no"].as_u64().unwrap()).collect()
}

/// A thread of the posts 1 to `last`; those that are not `alive` are tombstones.
fn long(last: u64, alive: impl Fn(u64) -> bool) -> String {
    let post = |no: u64| match alive(no) {
        true => format!("--- {{no: {no}, at: 2025-03-02}}\ntext of {no}\n"),
        false => format!("--- {{no: {no}, at: 2025-03-02, deleted: true}}\n"),
    };
    format!("==> content/t/1.md\n{}", (1..=last).map(post).collect::<String>())
}

#[test]
fn a_thread_is_written_as_4chan_writes_one() {
    let site = "
==> content/t/1.md
--- {no: 1, at: 2025-03-02T10:20:30Z, name: Neji, trip: '!lsUMWqdC0k', subject: 'We <moved>', sticky: true, locked: true}
The board is now
plain files.
--- {no: 2, at: 2025-07-02T10:20:30Z, sage: true, capcode: mod}
>>1 >>9
>good
||hidden||
";
    let op = json!({
        "no": 1, "resto": 0, "sticky": 1, "closed": 1, "now": "03/02/25(Sun)05:20:30", "time": 1740910830,
        "name": "Neji", "trip": "!lsUMWqdC0k", "sub": "We &lt;moved&gt;", "com": "The board is now<br>plain files.",
        "replies": 1, "images": 0, "last_modified": 1751451630, "semantic_url": "we-moved",
    });
    // The clocks of the east coast are an hour ahead in summer.
    let reply = json!({
        "no": 2, "resto": 1, "now": "07/02/25(Wed)06:20:30", "time": 1751451630, "name": "Anonymous", "capcode": "mod",
        "com": "<a href=\"#p1\" class=\"quotelink\">&gt;&gt;1</a> <span class=\"deadlink\">&gt;&gt;9</span><br>\
                <span class=\"quote\">&gt;good</span><br><s>hidden</s>",
    });
    check(site, "t/thread/1.json", json!({ "posts": [op, reply] }));
    let mut listed = op.clone();
    listed["omitted_posts"] = json!(0);
    listed["omitted_images"] = json!(0);
    check(site, "t/1.json", json!({ "threads": [{ "posts": [listed, reply] }] }));
    listed["last_replies"] = json!([reply]);
    check(site, "t/catalog.json", json!([{ "page": 1, "threads": [listed] }]));
    let changed = json!({ "no": 1, "last_modified": 1751451630, "replies": 1 });
    check(site, "t/threads.json", json!([{ "page": 1, "threads": [changed] }]));
    check(site, "t/archive.json", json!([]));
}

#[test]
fn a_board_without_threads_has_all_its_files() {
    let site = "==> content/t/board.yaml\ntitle: Empty\n";
    check(site, "t/1.json", json!({ "threads": [] }));
    for list in ["t/catalog.json", "t/threads.json"] {
        check(site, list, json!([{ "page": 1, "threads": [] }]));
    }
    check(site, "t/archive.json", json!([]));
    assert!(!built(site).has_page("t/2.json"));
    check("", "boards.json", json!({ "boards": [] }));
}

#[test]
fn boards_tell_their_limits() {
    let site = "
==> content/site.yaml
title: Test site
posts_per_minute: 7
threads_per_hour: 0
==> content/t/board.yaml
title: 'Talk & <more>'
description: 'About \"this\" & that'
threads_per_page: 3
index_pages: 4
body_chars_max: 500
bump_limit: 20
name_chars_max: 0
overflow: prune
==> content/u/board.yaml
index_pages: 0
threads_per_page: 1
==> content/u/1.md
--- {no: 1}
a
==> content/u/2.md
--- {no: 2}
b
";
    let board = |own: Value| {
        let mut all = json!({
            "ws_board": 1, "max_filesize": 0, "max_webm_filesize": 0, "max_webm_duration": 0, "image_limit": 0,
            "cooldowns": { "threads": 0, "replies": 9, "images": 9 }, "text_only": 1, "code_tags": 1, "sjis_tags": 1,
        });
        all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        all
    };
    // The title is text there, and the description is HTML.
    let talk = board(json!({
        "board": "t", "title": "Talk & <more>", "meta_description": "About &quot;this&quot; &amp; that", "per_page": 3,
        "pages": 4, "max_comment_chars": 500, "bump_limit": 20, "forced_anon": 1,
    }));
    let other = board(json!({
        "board": "u", "title": "u", "meta_description": "", "per_page": 1, "pages": 2, "max_comment_chars": 8000,
        "bump_limit": 500, "is_archived": 1,
    }));
    check(site, "boards.json", json!({ "boards": [talk, other] }));
}

#[test]
fn lists_are_in_pages_counted_from_1_in_the_order_of_the_index() {
    let thread = |no: u64, flags: &str| {
        format!("==> content/t/{no}.md\n--- {{no: {no}, at: 2025-03-02T10:0{no}:00Z{flags}}}\ntext\n")
    };
    let site = built(&format!(
        "==> content/t/board.yaml\nthreads_per_page: 2\nindex_pages: 2\noverflow_hours_min: 0\n{}{}{}{}{}{}",
        thread(1, ", sticky: true"),
        thread(2, ""),
        thread(3, ", archived: true"),
        thread(4, ""),
        thread(5, ""),
        thread(6, ""),
    ));
    for list in ["t/threads.json", "t/catalog.json"] {
        assert_eq!(paged(&site, list), [(1, vec![1, 6]), (2, vec![5, 4])], "{list}");
    }
    let indexed = |path: &str| -> Vec<Vec<u64>> {
        json_of(&site, path)["threads"].as_array().unwrap().iter().map(numbers).collect()
    };
    assert_eq!([indexed("t/1.json"), indexed("t/2.json")], [[[1], [6]], [[5], [4]]]);
    assert!(!site.has_page("t/3.json") && !site.has_page("t/0.json"));
    // What has left the index is in the archive, also where nobody put it there.
    assert_eq!(json_of(&site, "t/archive.json"), json!([2, 3]));
    for no in [2, 3] {
        assert_eq!(numbers(&json_of(&site, &format!("t/thread/{no}.json"))), [no]);
    }
}

#[test]
fn lists_of_all_boards_tell_the_board() {
    let site = built(
        "
==> content/a/1.md
--- {no: 1, at: 2025-03-02T10:01:00Z}
oldest
==> content/a/4.md
--- {no: 4, at: 2025-03-02T10:04:00Z}
newest
--- {no: 5, at: 2025-03-02T10:05:00Z}
reply
==> content/b/1.md
--- {no: 1, at: 2025-03-02T10:03:00Z, sticky: true}
see >>>/a/5
",
    );
    let boards = |path: &str| -> Vec<(String, u64)> {
        let whole = json_of(&site, path);
        let threads = whole.pointer("/0/threads").unwrap().as_array().unwrap();
        threads.iter().map(|one| (one["board"].as_str().unwrap().to_owned(), one["no"].as_u64().unwrap())).collect()
    };
    let wanted = [("a", 4), ("b", 1), ("a", 1)].map(|(board, no)| (board.to_owned(), no));
    assert_eq!([boards("all/threads.json"), boards("all/catalog.json")], [wanted.clone(), wanted]);
    let index = json_of(&site, "all/1.json");
    assert_eq!(index.pointer("/threads/1/posts/0/board"), Some(&json!("b")));
    assert_eq!(index.pointer("/threads/0/posts/1/no"), Some(&json!(5)));
    let com = json!("see <a href=\"/a/thread/4.html#p5\" class=\"quotelink\">&gt;&gt;&gt;/a/5</a>");
    assert_eq!(index.pointer("/threads/1/posts/0/com"), Some(&com));
    // A thread's own file is that of one board, and so are its lists.
    assert!(!site.page("a/thread/4.json").contains("\"board\"") && !site.page("a/1.json").contains("\"board\""));
    assert!(!built("==> content/a/1.md\n--- {no: 1}\none board\n").has_page("all/threads.json"));
}

#[test]
fn the_end_of_a_long_thread_tells_which_post_is_before_it() {
    let dead = [49, 50, 52, 90];
    let site = built(&long(102, |no| !dead.contains(&no)));
    let tail = json_of(&site, "t/thread/1-tail.json");
    // The opening post and the last 50 that are left. Before these is 48, since 49 and 50 are tombstones.
    assert_eq!(numbers(&tail), [1].into_iter().chain((51..=102).filter(|no| !dead.contains(no))).collect::<Vec<_>>());
    let op = tail.pointer("/posts/0").unwrap();
    assert_eq!((&op["tail_size"], &op["tail_id"], &op["replies"]), (&json!(50), &json!(48), &json!(97)));
    let whole = json_of(&site, "t/thread/1.json");
    assert_eq!(whole.pointer("/posts/0/tail_size"), Some(&json!(50)));
    assert_eq!(whole.pointer("/posts/0/tail_id"), None);
    assert_eq!(numbers(&whole), (1..=102).filter(|no| !dead.contains(no)).collect::<Vec<_>>());
    // What it shows is what the whole shows.
    assert_eq!(tail["posts"].as_array().unwrap()[1..], whole["posts"].as_array().unwrap()[48..]);
    let catalog = json_of(&site, "t/catalog.json");
    assert_eq!(catalog.pointer("/0/threads/0/tail_size"), Some(&json!(50)));
    assert_eq!(catalog.pointer("/0/threads/0/omitted_posts"), Some(&json!(94)));
    assert_eq!(catalog.pointer("/0/threads/0/last_replies/2/no"), Some(&json!(102)));
    let short = built(&long(101, |_| true));
    assert!(!short.has_page("t/thread/1-tail.json") && !short.page("t/thread/1.json").contains("tail_"));
}

#[test]
fn tombstones_are_left_out_but_where_they_open_a_thread() {
    let site = "
==> content/t/1.md
--- {no: 1, at: 2025-03-02, deleted: true}

--- {no: 2, at: 2025-03-02, deleted: true}

--- {no: 3, at: 2025-03-02}
>>1 >>2
==> content/t/4.md
--- {no: 4, deleted: true}
";
    let site = built(site);
    let thread = json_of(&site, "t/thread/1.json");
    assert_eq!(numbers(&thread), [1, 3]);
    // A thread begins with something, so programs take `com` for granted; what was in it is gone.
    let op = json!({
        "no": 1, "resto": 0, "now": "03/01/25(Sat)19:00:00", "time": 1740873600, "name": "Anonymous", "com": "",
        "replies": 0, "images": 0, "last_modified": 1740873600,
    });
    assert_eq!(thread.pointer("/posts/0"), Some(&op));
    assert_eq!(paged(&site, "t/threads.json"), [(1, vec![1])]);
    assert!(!site.has_page("t/thread/4.json"));
}

#[test]
fn every_post_has_a_name() {
    let site = "
==> content/t/board.yaml
anonymous_name: 'Nobody & co'
==> content/t/1.md
--- {no: 1, at: 2025-03-02}
a
--- {no: 2, trip: '!x', name: ''}
b
--- {no: 3, name: \"O'Neil <b>\"}
c
";
    for (at, wanted) in [(0, "Nobody &amp; co"), (1, "Nobody &amp; co"), (2, "O&#039;Neil &lt;b&gt;")] {
        check_at(site, "t/thread/1.json", &format!("/posts/{at}/name"), json!(wanted));
    }
}

#[test]
fn posts_may_have_nothing_but_a_subject_or_no_text_at_all() {
    let site = "==> content/t/1.md\n--- {no: 1, at: 2025-03-02, subject: 'A & B'}\n\n--- {no: 2, subject: '2'}\n\n";
    check_at(site, "t/thread/1.json", "/posts/0/com", json!(""));
    check_at(site, "t/thread/1.json", "/posts/0/sub", json!("A &amp; B"));
    check_at(site, "t/thread/1.json", "/posts/0/semantic_url", json!("a-b"));
    check_at(site, "t/thread/1.json", "/posts/1/com", Value::Null);
    check_at(site, "t/thread/1.json", "/posts/1/sub", json!("2"));
}

#[test]
fn times_may_be_before_1970_or_not_known() {
    for (at, now, time) in [
        ("", "12/31/69(Wed)19:00:00", 0),
        (", at: 1969-07-20T20:17:40Z", "07/20/69(Sun)16:17:40", -14_182_940_i64),
        (", at: 1900-02-28", "02/27/00(Tue)19:00:00", -2_203_977_600),
        (", at: 9999-12-31T23:59:59Z", "12/31/99(Fri)18:59:59", 253_402_300_799),
    ] {
        let site = format!("==> content/t/1.md\n--- {{no: 1{at}}}\nx\n");
        check_at(&site, "t/thread/1.json", "/posts/0/now", json!(now));
        check_at(&site, "t/thread/1.json", "/posts/0/time", json!(time));
        check_at(&site, "t/threads.json", "/0/threads/0/last_modified", json!(time));
    }
}

#[test]
fn nothing_in_a_text_can_leave_it() {
    // Each would end a string, an element or an attribute if it were not escaped; the last ones JSON has no bare form of.
    let nasty = "\"}],\\\" </script><b onx='y'> & &amp; \\u0022 \u{2028} \u{7F} \u{FFFE} 🦀 é";
    let header = json!({ "no": 1, "at": "2025-03-02T00:00:00Z", "name": nasty, "subject": nasty, "trip": nasty });
    let site = Sandbox::new("==> content/t/board.yaml\n");
    site.write("content/t/1.md", format!("--- {header}\n{nasty}\n\u{1}\u{8}\t\u{1F}end\n"));
    site.build();
    let thread = json_of(&site, "t/thread/1.json");
    let post = thread.pointer("/posts/0").unwrap();
    let escaped = nasty.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    for field in ["name", "sub", "trip"] {
        assert_eq!(post[field], json!(escaped.replace('\'', "&#039;")), "{field}");
    }
    // Control characters are no text of a post, while a name is as its file has it.
    assert_eq!(post["com"], json!(escaped.replace('\u{7F}', "") + "<br>\tend"));
    for path in ["t/1.json", "t/catalog.json"] {
        json_of(&site, path);
    }
}

#[test]
fn what_moderators_do_moves_last_modified_and_is_told() {
    let text = "
==> content/t/1.md
--- {no: 1, at: 2025-03-02T10:00:00Z}
first
--- {no: 2, at: 2025-03-02T11:00:00Z}
reply
==> content/t/3.md
--- {no: 3, at: 2025-03-02T12:00:00Z}
another
";
    let times = |site: &Sandbox| -> Vec<i64> {
        let list = json_of(site, "t/threads.json");
        let mut known: Vec<(u64, i64)> = list[0]["threads"].as_array().unwrap().iter().map(time_of).collect();
        known.sort_unstable();
        known.into_iter().map(|(_, time)| time).collect()
    };
    for (act, flag) in [("lock", "closed"), ("sticky", "sticky"), ("bumplock", "bumplimit"), ("archive", "archived")] {
        let site = built(text);
        let before = times(&site);
        assert_eq!(before, [1_740_913_200, 1_740_916_800]);
        moderate(&site, act, 1);
        let thread = json_of(&site, "t/thread/1.json");
        let op = thread.pointer("/posts/0").unwrap();
        assert_eq!(op[flag], json!(1), "{act}: {op:#}");
        let changed = op["last_modified"].as_i64().unwrap();
        assert!(before[0] < changed, "{act} does not move last_modified");
        match act {
            "archive" => {
                assert_eq!((&op["closed"], &op["archived_on"]), (&json!(1), &json!(changed)));
                assert_eq!((times(&site), json_of(&site, "t/archive.json")), (vec![before[1]], json!([1])));
            }
            _ => assert_eq!(times(&site), [changed, before[1]], "{act}"),
        }
        moderate(&site, &format!("un{act}"), 1);
        let thread = json_of(&site, "t/thread/1.json");
        let op = thread.pointer("/posts/0").unwrap();
        assert!([flag, "closed", "archived_on"].iter().all(|flag| op.get(flag).is_none()), "un{act}: {op:#}");
    }
    let site = built(text);
    moderate(&site, "delete", 2);
    assert!(1_740_913_200 < times(&site)[0], "a removed post does not move last_modified");
    assert_eq!(numbers(&json_of(&site, "t/thread/1.json")), [1]);
}

fn time_of(thread: &Value) -> (u64, i64) {
    (thread["no"].as_u64().unwrap(), thread["last_modified"].as_i64().unwrap())
}

#[track_caller]
fn moderate(site: &Sandbox, act: &str, no: u64) {
    let output = run(site.root(), &["mod", "--by", "neji", act, "t", &no.to_string()]);
    assert!(output.status.success(), "{act}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_archived_thread_without_a_time_of_that_tells_none() {
    let site = "==> content/t/1.md\n--- {no: 1, at: 2025-03-02, archived: true}\nby hand\n";
    check_at(site, "t/thread/1.json", "/posts/0/archived", json!(1));
    check_at(site, "t/thread/1.json", "/posts/0/archived_on", Value::Null);
}

#[test]
fn a_reply_far_from_any_list_of_replies_moves_only_what_it_changes() {
    let site = built(&long(3, |_| true));
    let (mut builder, _) = site.open();
    site.write("content/t/1.md", site.read("content/t/1.md") + "\n--- {no: 4, at: 2025-03-03}\nmore\n");
    builder.take_all(&mut Default::default()).unwrap();
    let written: Vec<String> = publish(&mut builder).written.iter().map(|page| page.path()).collect();
    let json: Vec<&String> = written.iter().filter(|path| path.ends_with(".json")).collect();
    assert_eq!(json, ["t/thread/1.json", "t/1.json", "t/catalog.json", "t/threads.json"]);
}

#[test]
fn without_the_format_there_is_none_of_it() {
    let site = Sandbox::new("==> content/t/1.md\n--- {no: 1}\nx\n==> content/u/1.md\n--- {no: 1}\ny\n");
    site.build();
    let json = |site: &Sandbox| {
        super::sandbox::files_below(&site.path("public")).into_keys().filter(|path| path.ends_with(".json")).count()
    };
    assert_eq!(json(&site), 14);
    site.write("content/site.yaml", "title: Test site\nformats: none\n");
    site.build();
    assert_eq!(json(&site), 0);
    assert!(!site.page("t/index.html").contains(".json"), "no page leads to what is not there");
}
