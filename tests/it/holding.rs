//! Posts that are held until somebody has looked at them: approved once, denied, had back, and bounded.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nejiboard::store::held::POSTS_MAX;

use super::guard::{outcome, post_from, reply_from, site};
use super::sandbox::running::{Running, run, run_with, wait_until};
use super::sandbox::{Sandbox, files_below};

/// A site whose board holds such posts.
pub fn moderated(which: &str) -> Sandbox {
    let site = site("");
    site.write("content/tech/board.yaml", format!("title: Tech\nmoderation: {which}\n"));
    site
}

#[track_caller]
pub fn moderate(site: &Sandbox, arguments: &[&str], code: i32) -> String {
    let output = run(site.root(), &[&["mod", "--by", "neji"], arguments].concat());
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    told
}

/// The ids of held posts, by what `mod held` says; the oldest first.
fn held(site: &Sandbox) -> Vec<String> {
    let output = run(site.root(), &["mod", "held", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    value["held"].as_array().unwrap().iter().map(|post| post["id"].as_str().unwrap().to_owned()).collect()
}

fn act_of(told: &str) -> String {
    told.split("(act ").nth(1).and_then(|rest| rest.split(')').next()).unwrap_or_default().to_owned()
}

#[test]
fn a_held_post_is_safe_but_nowhere_to_be_seen_until_it_is_approved() {
    let site = moderated("all");
    let door = Running::start(site.root());
    let sent = reply_from(&door, "203.0.113.9", "hold me tight");
    let value: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!((sent.status, &value["held"], &value["thread"]), (202, &true.into(), &1.into()), "{sent:?}");
    let fields = [("board", "tech"), ("body", "about screws"), ("name", "Neji#key"), ("subject", "Hi")];
    let page = door.post_with(&[("X-Forwarded-For", "203.0.113.9"), ("Accept", "text/html")], &fields);
    assert!(page.status == 202 && page.body.contains("Somebody will look at it before it is shown."), "{page:?}");
    assert!(!page.body.contains("http-equiv=\"refresh\""), "{page:?}");
    let folder = site.path(".nejiboard/mod/held");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o077, 0);
    for (path, bytes) in files_below(&folder) {
        let mode = fs::metadata(folder.join(&path)).unwrap().permissions().mode();
        assert!(mode & 0o077 == 0 && !String::from_utf8_lossy(&bytes).contains("203.0.113"), "{path}");
    }
    let told = moderate(&site, &["held"], 0);
    assert!(told.contains("/tech/ in thread 1: hold me tight (this board holds all posts)"), "{told}");
    assert!(told.contains("/tech/ a new thread: Hi about screws"), "{told}");
    let everywhere = || [files_below(&site.path("public")), files_below(&site.path("content"))];
    let seen =
        |text: &str| everywhere().iter().flatten().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(text));
    assert!(!seen("hold me tight") && !seen("about screws"));
    let ids = held(&site);
    let told = moderate(&site, &["approve", &ids[0]], 0);
    assert!(told.contains("approve: done (act "), "{told}");
    door.wait_for("/tech/thread/1.html", "hold me tight");
    assert!(moderate(&site, &["approve", &ids[0]], 3).contains("no post is held by the id"), "twice");
    moderate(&site, &["approve", "--all"], 0);
    door.wait_for("/tech/index.html", "about screws");
    assert!(site.page("tech/index.html").contains("Neji") && held(&site).is_empty());
    assert_eq!(site.read("content/tech/1.md").matches("hold me tight").count(), 1);
    // Whoever sent it is known as of any other post.
    moderate(&site, &["wipe", "tech", "2"], 0);
    wait_until("both are gone", || !seen("hold me tight") && !seen("about screws"));
    assert!(moderate(&site, &["undo", &act_of(&told)], 3).contains("taken away by deleting them"));
}

#[test]
fn what_is_denied_is_gone_and_can_be_had_back() {
    let site = moderated("all");
    let door = Running::start(site.root());
    ["one", "two"].iter().for_each(|body| assert_eq!(outcome(&reply_from(&door, "203.0.113.9", body)), "202"));
    drop(door);
    // Without a server too.
    let ids = held(&site);
    let act = act_of(&moderate(&site, &["deny", "--all", "--why", "spam"], 0));
    assert!(held(&site).is_empty() && files_below(&site.path(".nejiboard/mod/held")).is_empty());
    assert!(moderate(&site, &["log"], 0).contains("neji deny"));
    moderate(&site, &["undo", &act], 0);
    assert_eq!(held(&site), ids);
    assert!(moderate(&site, &["held"], 0).contains("two"));
    assert!(moderate(&site, &["deny", "nobody"], 3).contains("no post is held by the id `nobody`"));
}

#[test]
fn only_posts_with_links_are_held_where_that_is_set() {
    let site = moderated("links");
    let door = Running::start(site.root());
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "no link")), "201");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "see https://a.example")), "202");
}

#[test]
fn new_posters_are_held_until_a_post_of_theirs_is_shown() {
    let site = moderated("new");
    let door = Running::start(site.root());
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "my first post")), "202");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "my second")), "202", "a held post makes nobody known");
    moderate(&site, &["approve", &held(&site)[0]], 0);
    door.wait_for("/tech/thread/1.html", "my first post");
    let mut tries = 0;
    wait_until("they are known", || {
        tries += 1;
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        outcome(&reply_from(&door, "203.0.113.9", &format!("try {tries}"))) == "201"
    });
    assert_eq!(outcome(&reply_from(&door, "203.0.113.10", "somebody else")), "202");
}

#[test]
fn a_filter_holds_and_a_held_thread_takes_no_room_from_others() {
    let site = site("");
    site.write("content/tech/board.yaml", "title: Tech\nthreads_per_hour_max: 1\n");
    site.write("content/filters.yaml", "- {match: gold, action: hold, why: gold}\n");
    let door = Running::start(site.root());
    let thread = |body| outcome(&post_from(&door, "203.0.113.9", &[("board", "tech"), ("body", body)]));
    assert_eq!([thread("gold"), thread("GOLD!"), thread("a thread")], ["202", "202", "201"]);
    assert!(moderate(&site, &["held"], 0).contains("(a filter: gold)"));
}

#[test]
fn there_are_only_so_many_held_posts() {
    let site = moderated("all");
    let folder = site.path(".nejiboard/mod/held");
    fs::create_dir_all(&folder).unwrap();
    (1..POSTS_MAX).for_each(|n| fs::write(folder.join(format!("x{n}.md")), "").unwrap());
    let door = Running::start(site.root());
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "the last")), "202");
    let refused = reply_from(&door, "203.0.113.9", "one too many");
    assert_eq!((refused.status, outcome(&refused).as_str()), (503, "busy"), "{refused:?}");
}

/// Wherever the process is killed, an approved post is there once, and a denied one is not.
#[test]
fn a_crash_approves_nothing_twice_and_loses_nothing() {
    let points =
        ["act logged", "before approved posts", "inbox file renamed", "after approved posts", "before inbox removal"];
    for point in points {
        let site = moderated("all");
        let door = Running::start(site.root());
        assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "hold me tight")), "202");
        door.kill();
        let id = held(&site).remove(0);
        let act = format!("{{\"act\": \"approve\", \"held\": [\"{id}\"], \"by\": \"neji\"}}\n");
        site.write("posts-inbox/a.json", act);
        let arm = |command: &mut std::process::Command| {
            command.env("NEJIBOARD_CRASH_AT", point);
        };
        let crashed = match Running::launch(site.root(), &[], arm) {
            Ok(mut door) => {
                wait_until(point, || door.has_ended());
                true
            }
            Err(_) => true,
        };
        let door = Running::start(site.root());
        door.wait_for("/tech/thread/1.html", "hold me tight");
        wait_until("the inbox is empty", || files_below(&site.path("posts-inbox")).is_empty());
        let text = site.read("content/tech/1.md");
        assert_eq!((crashed, text.matches("hold me tight").count()), (true, 1), "{point}: {text}");
        assert!(held(&site).is_empty(), "{point}");
        assert_eq!(site.read(".nejiboard/mod/log").lines().count(), 1, "{point}");
        door.kill();
        assert!(run_with(site.root(), &["verify"], |_| ()).status.success(), "{point}");
    }
}

#[test]
fn without_a_server_what_is_approved_is_built_at_once_with_whatever_else_waits() {
    let site = moderated("all");
    let door = Running::start(site.root());
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "hold me tight")), "202");
    door.kill();
    site.write("posts-inbox/waits.md", "--- {board: tech, thread: 1}\naccepted before it was killed\n");
    let told = moderate(&site, &["approve", "--all"], 0);
    assert!(told.contains("approve: done (act "), "{told}");
    let page = site.page("tech/thread/1.html");
    assert!(page.contains("hold me tight") && page.contains("accepted before it was killed"), "{page}");
    assert!(files_below(&site.path("posts-inbox")).is_empty() && held(&site).is_empty());
    let told = moderate(&site, &["delete", "tech", "99"], 3);
    assert!(told.contains("there is no post 99 on `tech`"), "{told}");
    assert!(files_below(&site.path("posts-inbox")).is_empty(), "what is told at once lies nowhere");
    assert!(run_with(site.root(), &["verify"], |_| ()).status.success());
}

/// What a killed command leaves behind, the next process that builds goes on with.
#[test]
fn a_command_that_is_killed_has_left_its_act_in_the_inbox() {
    let site = site("");
    let output = run_with(site.root(), &["mod", "--by", "neji", "delete", "tech", "1"], |command| {
        command.env("NEJIBOARD_CRASH_AT", "before a moderated thread");
    });
    assert!(!output.status.success() && site.read("content/tech/1.md").contains("the first thread"));
    let told = moderate(&site, &["sticky", "tech", "1"], 0);
    assert!(told.contains("sticky: done"), "{told}");
    assert!(!site.read("content/tech/1.md").contains("the first thread"));
    assert_eq!(site.read(".nejiboard/mod/log").lines().count(), 2);
}

#[test]
fn a_wipe_takes_the_held_posts_of_the_sender_and_undo_has_them_back_as_held() {
    let site = site("");
    site.write("content/tech/board.yaml", "title: Tech\nmoderation: links\n");
    site.write("content/art/board.yaml", "title: Art\nmoderation: all\n");
    let door = Running::start(site.root());
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "no link")), "201");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "see https://a.example")), "202");
    assert_eq!(outcome(&reply_from(&door, "198.51.100.7", "see https://b.example")), "202");
    let elsewhere = post_from(&door, "203.0.113.9", &[("board", "art"), ("body", "another board")]);
    assert_eq!(outcome(&elsewhere), "202");
    let before = held(&site);
    let told = moderate(&site, &["wipe", "tech", "2"], 0);
    assert!(told.contains("wipe: done, 1 thread changed, 2 held posts denied"), "{told}");
    assert!(moderate(&site, &["held"], 0).contains("b.example") && held(&site).len() == 1);
    moderate(&site, &["undo", &act_of(&told)], 0);
    assert_eq!(held(&site), before);
    door.wait_for("/tech/thread/1.html", "no link");
    // All of a board since a time, and nothing of others.
    let told = moderate(&site, &["wipe", "tech", "--since", "1h"], 0);
    assert!(told.contains("2 held posts denied"), "{told}");
    assert!(moderate(&site, &["held"], 0).contains("another board") && held(&site).len() == 1);
    // By itself too, where nothing is shown.
    let told = moderate(&site, &["wipe", "art", "--since", "1h"], 0);
    assert!(told.contains("wipe: done, 1 held post denied"), "{told}");
    moderate(&site, &["undo", &act_of(&told)], 0);
    assert_eq!(held(&site).len(), 1);
    // Once they are forgotten they cannot be had back, and that is told.
    let log = site.read(".nejiboard/mod/log");
    let forgotten: Vec<String> = log
        .lines()
        .map(|line| {
            let mut entry: serde_json::Value = serde_json::from_str(line).unwrap();
            entry.as_object_mut().unwrap().remove("denied");
            entry.to_string()
        })
        .collect();
    site.write(".nejiboard/mod/log", forgotten.join("\n") + "\n");
    assert!(moderate(&site, &["undo", &act_of(&told)], 3).contains("is not kept any more"));
}
