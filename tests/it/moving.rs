//! A thread goes to another board: with new numbers, quotes that follow, an old address that leads on, and a way back.

use std::collections::BTreeMap;
use std::fs;

use nejiboard::model::quotes::Quote;
use nejiboard::render::markup::rename_quotes;

use super::sandbox::running::{Running, run, run_with};
use super::sandbox::{Sandbox, files_below, number, slug, without_changes};

const SITE: &str = "
==> content/site.yaml
title: T
base_url: https://example.org/x/
==> content/tech/board.yaml
title: Tech
==> content/art/board.yaml
title: Art & Craft
==> content/misc/board.yaml
title: Misc
==> content/tech/5.md
--- {no: 5, at: 2025-03-02T09:00:00Z, subject: Elsewhere}
see >>9 and >>>/tech/7
==> content/tech/7.md
--- {no: 7, at: 2025-03-02T10:00:00Z, subject: Moving, id: a7, sticky: true}
the opening post, see >>5 and >>>/art/3

--- {no: 8, at: 2025-03-02T11:00:00Z, deleted: true, id: a8}

--- {no: 9, at: 2025-03-02T12:00:00Z, name: Neji, trip: \"!abc\", sage: true, id: a9}
>>7 >>8 >>>/tech/7 >>99
`x >>9` [code]y >>7[/code]
==> content/art/3.md
--- {no: 3, at: 2025-03-02T08:00:00Z, subject: Pictures}
of >>>/tech/9
";

#[track_caller]
fn moderate(site: &Sandbox, arguments: &[&str], code: i32) -> String {
    let output = run(site.root(), &[&["mod", "--by", "neji"], arguments].concat());
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    told
}

/// Does it, and gives the act's id.
#[track_caller]
fn act(site: &Sandbox, arguments: &[&str]) -> String {
    let told = moderate(site, arguments, 0);
    told.split("(act ").nth(1).and_then(|rest| rest.split(')').next()).unwrap().to_owned()
}

#[track_caller]
fn is_as_a_clean_build(site: &Sandbox) {
    for arguments in [&["verify"][..], &["verify", "--content"]] {
        let output = run(site.root(), arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    }
}

/// A built site on which thread 7 of `tech` was moved to `art`.
fn moved() -> (Sandbox, String) {
    let site = Sandbox::new(SITE);
    site.build();
    let id = act(&site, &["move", "tech", "7", "--to", "art", "--why", "off topic"]);
    (site, id)
}

#[test]
fn a_moved_thread_has_new_numbers_in_the_same_order_and_its_quotes_follow() {
    let (site, _) = moved();
    let file = site.read("content/art/4.md");
    let wanted = [
        "--- {\"no\": 4, \"at\": \"2025-03-02T10:00:00Z\", \"subject\": \"Moving\", \"sticky\": true, \"changed\": ",
        "the opening post, see >>>/tech/5 and >>3\n",
        "\n--- {\"no\": 5, \"at\": \"2025-03-02T11:00:00Z\", \"deleted\": true, \"id\": \"a8\"}\n",
        "--- {\"no\": 6, \"at\": \"2025-03-02T12:00:00Z\", \"name\": \"Neji\", \"trip\": \"!abc\", \"sage\": true, \"id\": \"a9\"}\n",
        ">>4 >>5 >>>/art/4 >>>/tech/99\n`x >>9` [code]y >>7[/code]\n",
    ];
    let places: Vec<Option<usize>> = wanted.iter().map(|text| file.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {file}");
    let old = site.read("content/tech/7.md");
    assert!(!old.contains("opening post") && !old.contains("Neji") && !old.contains("sticky"), "{old}");
    assert!(old.contains("\"moved\": \"art/6\", \"deleted\": true, \"id\": \"a9\"}"), "{old}");
    let page = site.page("art/thread/4.html");
    assert!(page.contains("<a href=\"#p4\" class=\"quotelink\">&gt;&gt;4</a>"), "{page}");
    assert!(
        page.contains("<a href=\"/x/tech/thread/5.html#p5\" class=\"quotelink\">&gt;&gt;&gt;/tech/5</a>"),
        "{page}"
    );
    assert!(page.contains("<span class=\"deadlink\">&gt;&gt;&gt;/tech/99</span>"), "{page}");
    // Quotes from elsewhere stay as they were typed, and lead to the new place.
    let citing = site.page("tech/thread/5.html");
    assert!(citing.contains("<a href=\"/x/art/thread/4.html#p6\" class=\"quotelink\">&gt;&gt;9</a>"), "{citing}");
    assert!(citing.contains("href=\"/x/art/thread/4.html#p4\""), "{citing}");
    assert!(site.page("art/thread/3.html").contains("href=\"/x/art/thread/4.html#p6\""));
    assert!(!site.page("tech/index.html").contains("Moving") && !site.page("tech/archive.html").contains("Moving"));
    assert!(site.page("art/index.html").find("Moving") < site.page("art/index.html").find("Pictures"), "it is sticky");
    is_as_a_clean_build(&site);
    let log = moderate(&site, &["log"], 0);
    assert!(log.contains(" neji move /tech/ 7: off topic ["), "{log}");
}

#[test]
fn the_old_address_leads_on_for_good() {
    let (site, _) = moved();
    let page = site.page("tech/thread/7.html");
    for part in [
        "<title>Thread moved - /tech/ Tech - T</title>",
        "<meta http-equiv=\"refresh\" content=\"0;url=/x/art/thread/4.html\">",
        "<meta name=\"robots\" content=\"noindex\">",
        "<link rel=\"canonical\" href=\"https://example.org/x/art/thread/4.html\">",
        "<a href=\"/x/art/thread/4.html\">",
        "/art/ Art &amp; Craft",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("Moving") && !page.contains("og:url"), "{page}");
    // Content alone tells: nothing private is asked.
    fs::remove_dir_all(site.path(".nejiboard")).unwrap();
    fs::remove_dir_all(site.path("public")).unwrap();
    site.build();
    assert_eq!(site.page("tech/thread/7.html"), page);
    // It goes with what it leads to, and comes back with it.
    moderate(&site, &["delete", "art", "4"], 0);
    assert!(!site.has_page("tech/thread/7.html"));
    assert!(site.page("tech/thread/5.html").contains("<span class=\"deadlink\">&gt;&gt;9</span>"));
    is_as_a_clean_build(&site);
    moderate(&site, &["restore", "art", "4"], 0);
    assert_eq!(site.page("tech/thread/7.html"), page);
    is_as_a_clean_build(&site);
}

#[test]
fn by_hand_one_line_is_enough() {
    let site = Sandbox::new(SITE);
    site.write("content/tech/7.md", "--- {no: 7, moved: art/3}\n");
    assert!(site.build().problems.is_empty());
    assert!(site.page("tech/thread/7.html").contains("content=\"0;url=/x/art/thread/3.html\""));
    assert!(site.page("tech/thread/5.html").contains("href=\"/x/art/thread/3.html#p3\""));
    // In a circle, to itself, or to nowhere it leads nowhere.
    for target in ["art/8", "tech/7", "nowhere/1", "art/99"] {
        site.write("content/tech/7.md", format!("--- {{no: 7, moved: {target}}}\n"));
        site.write("content/art/8.md", "--- {no: 8, moved: tech/7}\n");
        assert!(site.build().problems.is_empty(), "{target}");
        assert!(!site.has_page("tech/thread/7.html") && !site.has_page("art/thread/8.html"), "{target}");
        is_as_a_clean_build(&site);
    }
    site.write("content/tech/7.md", "--- {no: 7, moved: art-3}\n");
    let told = site.build().problems;
    assert!(told.iter().any(|problem| problem.message.contains("written like `art/31`")), "{told:?}");
}

#[test]
fn undo_brings_it_back_as_it_was_with_what_came_since_and_can_be_undone_itself() {
    let site = Sandbox::new(SITE);
    site.build();
    let before = files_below(&site.path("public"));
    let id = act(&site, &["move", "tech", "7", "--to", "art"]);
    let back = act(&site, &["undo", &id]);
    let after = files_below(&site.path("public"));
    // All but the time of the change, which programs are told, is as before.
    let told = |files: &BTreeMap<String, Vec<u8>>, path: &String| files.get(path).map(|bytes| without_changes(bytes));
    let differing: Vec<&String> = before.keys().filter(|path| told(&before, path) != told(&after, path)).collect();
    assert_eq!(differing, Vec::<&String>::new());
    let new: Vec<&String> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert_eq!(new, ["art/thread/4.html"]);
    assert!(site.page("art/thread/4.html").contains("content=\"0;url=/x/tech/thread/7.html\""));
    let file = site.read("content/tech/7.md");
    assert!(!file.contains("moved") && file.contains("see >>5 and >>>/art/3") && file.contains("`x >>9`"), "{file}");
    assert!(moderate(&site, &["undo", &id], 0).contains("undo: done"), "twice is once");
    is_as_a_clean_build(&site);
    // There again, somebody answers, and back once more: the answer comes along.
    let there = act(&site, &["undo", &back]);
    assert!(site.read("content/art/4.md").contains(">>4 >>5 >>>/art/4"), "{}", site.read("content/art/4.md"));
    site.write("posts-inbox/new.md", "--- {board: art, thread: 4, id: b1}\n>>6 and >>3, >>>/tech/5\n");
    moderate(&site, &["sticky", "misc", "1"], 3);
    assert!(site.read("content/art/4.md").contains("\"no\": 7"));
    act(&site, &["undo", &there]);
    let file = site.read("content/tech/7.md");
    assert!(file.contains("{\"no\": 10, ") && file.ends_with("\n>>9 and >>>/art/3, >>5\n"), "{file}");
    assert_eq!(file.matches("--- {").count(), 4, "{file}");
    is_as_a_clean_build(&site);
}

#[test]
fn a_thread_that_moves_on_is_found_from_everywhere_it_was() {
    let (site, first) = moved();
    let second = act(&site, &["move", "art", "4", "--to", "misc"]);
    for old in ["tech/thread/7.html", "art/thread/4.html"] {
        assert!(site.page(old).contains("content=\"0;url=/x/misc/thread/1.html\""), "{old}");
    }
    assert!(site.page("tech/thread/5.html").contains("href=\"/x/misc/thread/1.html#p3\""));
    assert!(site.page("art/thread/3.html").contains("href=\"/x/misc/thread/1.html#p3\""));
    is_as_a_clean_build(&site);
    let told = moderate(&site, &["undo", &first], 3);
    assert!(told.contains("thread 4 of `art` was moved to `misc/1`; undo that first"), "{told}");
    act(&site, &["undo", &second]);
    act(&site, &["undo", &first]);
    assert!(site.page("tech/thread/7.html").contains("the opening post"));
    assert!(site.page("misc/thread/1.html").contains("content=\"0;url=/x/tech/thread/7.html\""));
    is_as_a_clean_build(&site);
}

#[test]
fn what_cannot_be_moved_is_told_and_stays() {
    let (site, _) = moved();
    let content = files_below(&site.path("content"));
    for (arguments, told) in [
        (&["move", "tech", "7", "--to", "misc"][..], "thread 7 of `tech` was moved to `art/4`"),
        (&["move", "tech", "5", "--to", "tech"], "thread 5 stands on `tech` already"),
        (&["move", "tech", "5", "--to", "nowhere"], "there is no board `nowhere`"),
        (&["move", "nowhere", "5", "--to", "art"], "there is no board `nowhere`"),
        (&["move", "tech", "77", "--to", "art"], "there is no post 77 on `tech`"),
        (&["move", "art", "6", "--to", "tech"], "post 6 of `art` is a reply in thread 4"),
        (&["delete", "tech", "9"], "thread 7 of `tech` was moved to `art/4`; name it by that"),
        (&["lock", "tech", "7"], "was moved to `art/4`"),
        (&["edit", "tech", "9", "--text", "x"], "was moved to `art/4`"),
        (&["move", "tech", "5", "--to", "T ch"], "board"),
    ] {
        let said = moderate(&site, arguments, 3);
        assert!(said.contains(told), "{arguments:?}: {said}");
    }
    assert_eq!(files_below(&site.path("content")), content);
    moderate(&site, &["delete", "tech", "5"], 0);
    assert!(moderate(&site, &["move", "tech", "5", "--to", "art"], 3).contains("thread 5 of `tech` is deleted"));
    site.write("content/art/3.md", "--- {no: 3}\nx\n--- {no: oops}\nlost?\n");
    assert!(moderate(&site, &["move", "art", "3", "--to", "misc"], 3).contains("mend the thread's file first"));
}

#[test]
fn while_serve_runs_replies_reports_and_removals_follow_the_thread() {
    let site = Sandbox::new(SITE);
    site.write("content/site.yaml", "title: T\n");
    let door = Running::start(site.root());
    let fields = [("board", "tech"), ("thread", "7"), ("body", "mine >>9"), ("password", "secret words")];
    assert_eq!(door.post_for_json(&fields).status, 201);
    let report = [("task", "report"), ("board", "tech"), ("no", "9"), ("reason", "rude")];
    assert_eq!(door.post(&report).status, 303);
    moderate(&site, &["move", "tech", "7", "--to", "art"], 0);
    door.wait_for("/tech/thread/7.html", "url=/art/thread/4.html");
    assert!(moderate(&site, &["reports"], 0).contains("/art/ 6 once since"), "what was reported follows");
    // From a page that was loaded before.
    let sent = door.post_for_json(&[("board", "tech"), ("thread", "7"), ("body", ">>9 too late? >>5")]);
    let value: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(
        (sent.status, &value["board"], &value["thread"], &value["no"]),
        (201, &"art".into(), &4.into(), &8.into())
    );
    assert!(site.read("content/art/4.md").ends_with("\n>>6 too late? >>>/tech/5\n"));
    // A file that was dropped for the old thread is a reply too.
    site.write("posts-inbox/.late", "--- {board: tech, thread: 7, id: late}\n>>7 dropped\n");
    fs::rename(site.path("posts-inbox/.late"), site.path("posts-inbox/late.md")).unwrap();
    door.wait_for("/art/thread/4.html", "dropped");
    assert!(site.read("content/art/4.md").contains("\n>>4 dropped\n"));
    let removal = [("task", "delete"), ("board", "tech"), ("no", "10"), ("password", "secret words")];
    assert_eq!(door.post(&removal).status, 303);
    door.wait_for("/art/thread/4.html", "Post removed.");
    assert!(!site.read("content/art/4.md").contains("mine"));
    moderate(&site, &["lock", "art", "4"], 0);
    let late = door.post_for_json(&[("board", "tech"), ("thread", "7"), ("body", "now it is")]);
    assert_eq!(late.status, 403, "{late:?}");
    assert!(door.terminate().success());
    is_as_a_clean_build(&site);
}

/// Its file is met again after a crash, with the post in the thread that has gone meanwhile.
#[test]
fn a_reply_that_is_met_again_behind_a_move_is_not_there_twice() {
    let site = Sandbox::new(SITE);
    let reply = "--- {board: tech, thread: 7, id: twice}\nonce, please >>9\n";
    let opening = "--- {board: tech, id: a7}\nthe opening post\n";
    for act in [&["move", "tech", "7", "--to", "art"][..], &["move", "art", "4", "--to", "misc"]] {
        site.write("posts-inbox/a.md", reply);
        site.write("posts-inbox/b.md", opening);
        moderate(&site, act, 0);
        let all = files_below(&site.path("content"));
        let times = |text: &str| all.values().map(|bytes| String::from_utf8_lossy(bytes).matches(text).count()).sum();
        let (replies, openings): (usize, usize) = (times("once, please"), times("the opening post"));
        assert_eq!((replies, openings), (1, 1), "{act:?}");
        assert!(files_below(&site.path("posts-inbox")).is_empty());
    }
    assert!(site.page("misc/thread/1.html").contains("once, please"));
    is_as_a_clean_build(&site);
}

#[test]
fn a_kill_between_any_two_steps_loses_nothing_and_doubles_nothing() {
    let moves =
        "{\"id\": \"m1\", \"act\": \"move\", \"board\": \"tech\", \"thread\": 7, \"to\": \"art\", \"by\": \"me\"}\n";
    let undo = "{\"id\": \"m2\", \"act\": \"undo\", \"of\": \"m1\", \"by\": \"me\"}\n";
    let points = ["act logged", "before a moderated thread", "after a moderated thread", "between two boards"];
    let cases = points
        .iter()
        .flat_map(|point| [(*point, 1), (*point, 2)])
        .filter(|(point, nth)| *nth == 1 || point.contains("moderated"));
    for (point, nth) in cases {
        let site = Sandbox::new(SITE);
        site.build();
        for (file, text) in [("move", moves), ("undo", undo)] {
            site.write(&format!("posts-inbox/{file}.json"), text);
            let armed = run_with(site.root(), &["mod", "sticky", "tech", "5"], |command| {
                command.env("NEJIBOARD_CRASH_AT", format!("{point}:{nth}"));
            });
            assert!(!armed.status.success(), "{point}:{nth}");
            // Somebody answers in the one place or the other before the act is met again.
            site.write(
                "posts-inbox/r.md",
                format!("--- {{board: tech, thread: 7, id: r{file}}}\nreply after {file}\n"),
            );
            moderate(&site, &["sticky", "tech", "5"], 0);
            let all: Vec<String> = files_below(&site.path("content"))
                .into_values()
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .collect();
            let times = |text: &str| all.iter().map(|file| file.matches(text).count()).sum::<usize>();
            let once = ["the opening post", "\"name\": \"Neji\"", "reply after move"];
            assert_eq!(once.map(times), [1, 1, 1], "{point}:{nth} {file}: {all:?}");
            is_as_a_clean_build(&site);
            let log = site.read(".nejiboard/mod/log");
            assert_eq!(log.matches(&format!("\"act\":\"{file}\"")).count(), 1, "{point}:{nth} {file}: {log}");
        }
        let file = site.read("content/tech/7.md");
        assert!(file.contains("reply after undo") && !file.contains("moved"), "{point}:{nth}: {file}");
    }
}

/// After a power cut the numbers that the log names may be another thread's.
#[test]
fn numbers_that_somebody_else_has_got_meanwhile_are_left_to_them() {
    let site = Sandbox::new(SITE);
    site.build();
    let armed = run_with(site.root(), &["mod", "move", "tech", "7", "--to", "art"], |command| {
        command.env("NEJIBOARD_CRASH_AT", "act logged");
    });
    assert!(!armed.status.success());
    fs::remove_dir_all(site.path(".nejiboard/numbers")).unwrap();
    site.write("content/art/4.md", "--- {no: 4, at: 2025-03-03, id: other}\nanother thread\n");
    moderate(&site, &["sticky", "tech", "5"], 0);
    assert!(site.read("content/art/4.md").contains("another thread"));
    assert!(site.read("content/art/5.md").contains("the opening post"));
    assert!(site.page("tech/thread/7.html").contains("url=/x/art/thread/5.html"));
    is_as_a_clean_build(&site);
    let log = moderate(&site, &["log", "--json"], 0);
    let log: serde_json::Value = serde_json::from_str(&log).unwrap();
    let id =
        log["log"].as_array().unwrap().iter().find(|entry| entry["act"] == "move").unwrap()["id"].as_str().unwrap();
    act(&site, &["undo", id]);
    assert!(site.page("tech/thread/7.html").contains("the opening post"));
    is_as_a_clean_build(&site);
}

#[test]
fn both_addresses_of_a_long_thread_lead_on() {
    let site = Sandbox::new(SITE);
    let post =
        |no: u64| format!("--- {{\"no\": {no}, \"at\": \"2025-03-02\"}}\ntext {no}, not {}\n", "long ".repeat(3));
    site.write("content/tech/100.md", (100..=201).map(post).collect::<Vec<_>>().join("\n"));
    site.build();
    assert!(site.has_page("tech/thread/100-tail.html"));
    act(&site, &["move", "tech", "100", "--to", "art"]);
    for old in ["tech/thread/100.html", "tech/thread/100-tail.html"] {
        assert!(site.page(old).contains("url=/x/art/thread/4.html"), "{old}");
    }
    assert!(site.has_page("art/thread/4-tail.html"));
    is_as_a_clean_build(&site);
}

#[test]
fn only_quotes_that_are_links_are_renamed() {
    let rename = |quote: &Quote| match quote {
        Quote::Post(no) => Some(Quote::Cross(slug("tech"), *no)),
        Quote::Cross(board, _) if board.as_str() == "art" => Some(Quote::Post(number(1))),
        _ => None,
    };
    for (body, wanted) in [
        ("", ""),
        (">>9", ">>>/tech/9"),
        ("a >>9, >>>/art/3. >>>/misc/4 >>>/art/", "a >>>/tech/9, >>1. >>>/misc/4 >>>/art/"),
        ("`>>9` >>9 `>>9`", "`>>9` >>>/tech/9 `>>9`"),
        ("[code]\n1 >>2\n[/code]\n>>2", "[code]\n1 >>2\n[/code]\n>>>/tech/2"),
        ("```\n>>2\n```", "```\n>>2\n```"),
        ("[aa]  >>2  [/aa]", "[aa]  >>2  [/aa]"),
        ("||>>2|| **>>3** >>>>4", "||>>>/tech/2|| **>>>/tech/3** >>>>>/tech/4"),
        (
            "[x >>2](https://a.example/) \u{202e}>>2\u{0301} >>0 >>99999999999999999",
            "[x >>2](https://a.example/) \u{202e}>>>/tech/2\u{0301} >>0 >>99999999999999999",
        ),
        ("> green >>5\r\n>>6", "> green >>>/tech/5\r\n>>>/tech/6"),
    ] {
        assert_eq!(rename_quotes(body, &rename), wanted, "{body:?}");
    }
}
