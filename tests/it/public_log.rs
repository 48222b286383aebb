//! The page that tells everybody what staff did: only where it is wanted, nothing private, bounded, and from content.

use std::fs;

use nejiboard::store::public_log::SHOWN_MAX;

use super::sandbox::running::{Running, run, run_with};
use super::sandbox::{Sandbox, files_below};

const SITE: &str = "
==> content/site.yaml
title: T
base_url: /x/
public_log: true
==> content/tech/board.yaml
title: Tech
==> content/art/board.yaml
title: Art
==> content/tech/1.md
--- {no: 1, at: 2025-03-02T10:00:00Z, id: a1}
the first thread

--- {no: 2, at: 2025-03-02T12:00:00Z, name: Spammer, id: a2}
buy my gold
==> content/tech/3.md
--- {no: 3, at: 2025-03-02T11:00:00Z, id: a3}
the second thread
";

#[track_caller]
fn moderate(site: &Sandbox, arguments: &[&str], code: i32) -> String {
    let output = run(site.root(), &[&["mod", "--by", "neji"], arguments].concat());
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    told.split("(act ").nth(1).and_then(|rest| rest.split(')').next()).unwrap_or_default().to_owned()
}

#[track_caller]
fn is_as_a_clean_build(site: &Sandbox) {
    let output = run(site.root(), &["verify"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What the page lists, the newest first.
fn listed(site: &Sandbox) -> Vec<String> {
    let page = site.page("log.html");
    let list = page.split("<ul class=\"rows\">").nth(1).unwrap_or_default().split("</ul>").next().unwrap();
    list.split("<li>").skip(1).map(|row| row.split("<span class=\"info\">").next().unwrap().trim().to_owned()).collect()
}

#[test]
fn there_is_no_such_page_and_no_such_file_unless_it_is_wanted() {
    let site = Sandbox::new(SITE);
    site.write("content/site.yaml", "title: T\n");
    site.build();
    moderate(&site, &["delete", "tech", "2", "--why", "spam"], 0);
    assert!(!site.has_page("log.html") && !site.path("content/log.jsonl").exists());
    assert!(!site.page("index.html").contains("Moderation log"));
    // What was decided before stays private, also once it is wanted.
    site.write("content/site.yaml", "title: T\npublic_log: true\n");
    site.build();
    assert!(site.page("log.html").contains("Nothing was done yet."));
    for page in ["index.html", "tech/index.html", "tech/thread/1.html", "404.html"] {
        assert!(site.page(page).contains(" · <a href=\"/log.html\">Moderation log</a> · "), "{page}");
    }
    is_as_a_clean_build(&site);
    site.write("content/site.yaml", "title: T\n");
    site.build();
    assert!(!site.has_page("log.html") && !site.page("index.html").contains("\"/log.html\""));
    site.write("content/site.yaml", "title: T\npublic_log: maybe\n");
    let told = run(site.root(), &["check"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("`public_log` cannot be `maybe`"), "{told:?}");
}

#[test]
fn it_says_when_what_where_and_why_but_neither_who_nor_what_was_deleted() {
    let site = Sandbox::new(SITE);
    site.build();
    moderate(&site, &["delete", "tech", "2", "--why", "<b>spam</b>"], 0);
    moderate(&site, &["lock", "tech", "1", "3"], 0);
    moderate(&site, &["ban", "--range", "203.0.113.0/24", "--why", "a raid"], 0);
    moderate(&site, &["wipe", "tech", "--since", "1h"], 0);
    moderate(&site, &["posture", "guarded"], 0);
    moderate(&site, &["move", "tech", "3", "--to", "art"], 0);
    moderate(&site, &["delete", "tech", "2"], 0);
    let wanted = [
        "<span class=\"teaser\"><strong>Moved</strong> /tech/ No. 3 → /art/</span>",
        "<span class=\"teaser\"><strong>Banned</strong>: <span dir=\"auto\">a raid</span></span>",
        "<span class=\"teaser\"><strong>Locked</strong> /tech/ No. 1 No. 3</span>",
        "<span class=\"teaser\"><strong>Deleted</strong> /tech/ No. 2: <span dir=\"auto\">&lt;b&gt;spam&lt;/b&gt;</span></span>",
    ];
    assert_eq!(listed(&site), wanted, "what changed nothing is not told");
    let page = site.page("log.html");
    assert!(page.contains("<time datetime=\"20") && page.contains("href=\"/x/log.html\""), "{page}");
    let file = site.read("content/log.jsonl");
    for secret in ["neji\"", "gold", "Spammer", "203.0.113", "guarded"] {
        assert!(!page.contains(secret) && !file.contains(secret), "{secret}: {file}");
    }
    is_as_a_clean_build(&site);
    // Content alone tells it.
    fs::remove_dir_all(site.path(".nejiboard")).unwrap();
    fs::remove_dir_all(site.path("public")).unwrap();
    site.build();
    assert_eq!(site.page("log.html"), page);
}

#[test]
fn what_was_taken_back_is_shown_so_until_that_is_taken_back() {
    let site = Sandbox::new(SITE);
    site.build();
    let deleted = moderate(&site, &["delete", "tech", "2"], 0);
    let undone = moderate(&site, &["undo", &deleted], 0);
    assert_eq!(listed(&site), ["<span class=\"teaser\"><s>Deleted</s> /tech/ No. 2</span>"]);
    assert!(site.page("log.html").contains(" · taken back 20"));
    moderate(&site, &["undo", &undone], 0);
    assert_eq!(listed(&site), ["<span class=\"teaser\"><strong>Deleted</strong> /tech/ No. 2</span>"]);
    let banned = moderate(&site, &["ban", "--range", "203.0.113.7/32"], 0);
    moderate(&site, &["unban", &banned], 0);
    assert_eq!(listed(&site)[0], "<span class=\"teaser\"><s>Banned</s></span>");
    is_as_a_clean_build(&site);
}

#[test]
fn what_program_and_readers_do_by_themselves_is_no_news() {
    let site = Sandbox::new(SITE);
    site.write("content/tech/board.yaml", "index_pages: 1\nthreads_per_page: 1\noverflow_hours_min: 0\n");
    let door = Running::start(site.root());
    let own = door.post_for_json(&[("board", "tech"), ("thread", "1"), ("body", "mine"), ("password", "secret words")]);
    assert_eq!(own.status, 201);
    door.post(&[("task", "delete"), ("board", "tech"), ("no", "4"), ("password", "secret words")]);
    door.post(&[("task", "report"), ("board", "tech"), ("no", "2"), ("reason", "rude")]);
    assert_eq!(door.post_for_json(&[("board", "tech"), ("body", "a new thread")]).status, 201);
    door.wait_for("/x/tech/thread/3.html", "Archived");
    moderate(&site, &["delete", "tech", "2"], 0);
    door.wait_for("/x/log.html", "No. 2");
    assert_eq!(listed(&site), ["<span class=\"teaser\"><strong>Deleted</strong> /tech/ No. 2</span>"]);
    // By hand it can be corrected, while it runs.
    let file = site.read("content/log.jsonl");
    site.write("content/log.jsonl", file.replace("\"posts\":[2]", "\"posts\":[2],\"why\":\"explained later\""));
    door.wait_for("/x/log.html", "explained later");
    assert!(door.terminate().success());
    is_as_a_clean_build(&site);
}

#[test]
fn only_the_newest_acts_are_shown_and_read_and_rubbish_is_passed_over() {
    let site = Sandbox::new(SITE);
    let line = |nth: usize| {
        format!(
            "{{\"id\":\"x{nth}\",\"at\":\"2025-03-02T10:00:00Z\",\"act\":\"delete\",\"board\":\"tech\",\"posts\":[{}]}}\n",
            nth + 1
        )
    };
    let old = "{\"id\":\"old\",\"at\":\"2025-03-02T10:00:00Z\",\"act\":\"edit\",\"why\":\"long ago\"}\n";
    // Far more than is read, in one line and in many.
    let far = "x".repeat(3 << 20) + "\n";
    let many: String = (0..SHOWN_MAX + 50).map(line).collect();
    let odd = "no json\n{\"id\":\"odd\",\"at\":\"2025-03-02T10:00:00Z\",\"act\":\"dance\"}\n\n";
    site.write("content/log.jsonl", [old, &far, &many, odd, "{\"id\":\"torn"].concat());
    site.build();
    let rows = listed(&site);
    assert!(rows[0].contains(&format!("No. {}<", SHOWN_MAX + 50)), "{}", rows[0]);
    assert_eq!(rows.len(), SHOWN_MAX - 1, "an act that nobody knows takes a place, and is not shown");
    site.write("content/log.jsonl", [old, &far, &line(1)].concat());
    site.build();
    assert_eq!(listed(&site), ["<span class=\"teaser\"><strong>Deleted</strong> /tech/ No. 2</span>"]);
    moderate(&site, &["sticky", "tech", "1"], 0);
    assert_eq!(listed(&site).len(), 2);
    is_as_a_clean_build(&site);
    // An act of very many posts names the first of them.
    let posts: String = (10..60).map(|no| format!("\n--- {{no: {no}}}\nx\n")).collect();
    site.write("content/tech/5.md", format!("--- {{no: 5}}\nx\n{posts}"));
    let numbers: Vec<String> = (10..60).map(|no| no.to_string()).collect();
    let mut arguments = vec!["delete", "tech"];
    arguments.extend(numbers.iter().map(String::as_str));
    moderate(&site, &arguments, 0);
    assert!(listed(&site)[0].ends_with("No. 29 +30</span>"), "{}", listed(&site)[0]);
}

#[test]
fn after_a_kill_at_any_step_an_act_is_told_once() {
    for point in ["act logged", "public log written", "before a moderated thread", "after a moderated thread"] {
        let site = Sandbox::new(SITE);
        site.build();
        let killed = run_with(site.root(), &["mod", "--by", "neji", "delete", "tech", "2"], |command| {
            command.env("NEJIBOARD_CRASH_AT", point);
        });
        assert!(!killed.status.success(), "{point}");
        moderate(&site, &["lock", "tech", "1"], 0);
        let file = site.read("content/log.jsonl");
        assert_eq!((file.lines().count(), file.matches("\"delete\"").count()), (2, 1), "{point}: {file}");
        assert_eq!(listed(&site).len(), 2, "{point}");
        let drafts = files_below(&site.path("content")).into_keys().filter(|path| path.contains("/.")).count();
        assert_eq!(drafts, 0, "{point}");
        is_as_a_clean_build(&site);
    }
}
