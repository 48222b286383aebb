//! Posts of staff: signed with a mark that nobody else can have.

use nejiboard::intake::tripcode::{Keys, Secret, sign};
use nejiboard::model::act::Deed;
use nejiboard::model::capcode::Capcode;
use nejiboard::model::role::{Right, Role};
use serde_json::Value;

use super::sandbox::Sandbox;
use super::sandbox::running::{Running, run, run_with, wait_until};
use super::staff::{Browser, open};

const SITE: &str = "
==> content/site.yaml
title: T
==> content/tech/1.md
--- {no: 1, at: 2025-03-02T10:00:00Z, subject: First}
first

--- {no: 2, at: 2025-03-02T10:00:00Z}
a reply
==> content/tech/3.md
--- {no: 3, at: 2025-03-02T11:00:00Z, locked: true}
locked
";

/// Runs `mod post`; gives whether it was done, and what it told.
fn post(site: &Sandbox, arguments: &[&str]) -> (bool, String) {
    let output = run(site.root(), &[&["mod", "--by", "kenji", "post"], arguments].concat());
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// The header of a post.
fn header(site: &Sandbox, thread: u64, no: u64) -> String {
    let file = site.read(&format!("content/tech/{thread}.md"));
    let wanted = format!("--- {{\"no\": {no},");
    file.lines().find(|line| line.starts_with(&wanted)).unwrap_or_else(|| panic!("{no} is not in {file}")).to_owned()
}

#[test]
fn a_post_by_command_bears_its_mark_with_and_without_a_running_door() {
    let site = Sandbox::new(SITE);
    let (done, told) = post(&site, &["tech", "1", "--text", "be nice\n", "--capcode", "mod", "--name", "Kenji"]);
    assert!(done && told.starts_with("post: done, number 4 in thread 1 of `tech` (act "), "{told}");
    assert!(
        header(&site, 1, 4).contains("\"name\": \"Kenji\", \"capcode\": \"mod\", \"id\": "),
        "{}",
        header(&site, 1, 4)
    );
    let shown = "<bdi class=\"name\">Kenji</bdi> <strong class=\"capcode\">## Mod</strong>";
    assert!(site.page("tech/thread/1.html").contains(shown) && site.page("tech/index.html").contains(shown));
    assert_eq!(std::fs::read_dir(site.path("posts-inbox")).unwrap().count(), 0);
    let running = Running::start(site.root());
    let arguments = ["tech", "--text", "rules", "--capcode", "admin", "--subject", "Read this", "--name", "##secret"];
    let (done, told) = post(&site, &arguments);
    assert!(done && told.starts_with("post: done, number 5 in thread 5 of `tech` (act "), "{told}");
    let page = site.page("tech/thread/5.html");
    assert!(page.contains("<strong class=\"capcode\">## Admin</strong>") && page.contains("Read this"), "{page}");
    assert!(header(&site, 5, 5).contains("\"trip\": \"!!"));
    // Without a mark it is a post like any other, by whoever sits at the machine.
    let output = run_with(site.root(), &["mod", "--json", "post", "tech", "1", "--text", "so what", "--sage"], |_| {});
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((told["thread"].as_u64(), told["no"].as_u64()), (Some(1), Some(6)), "{told}");
    assert!(header(&site, 1, 6).contains("\"sage\": true") && !header(&site, 1, 6).contains("capcode"));
    // The log knows who it was, and neither the text nor what was typed behind the name.
    let log = site.read(".nejiboard/mod/log");
    assert!(log.contains("\"by\":\"kenji\"") && log.contains("\"capcode\":\"mod\""), "{log}");
    assert!(!log.contains("be nice") && !log.contains("secret"), "{log}");
    let told = String::from_utf8(run(site.root(), &["mod", "log"]).stdout).unwrap();
    assert!(told.contains(" kenji post /tech/ 1 ["), "{told}");
    assert!(running.terminate().success());
    assert!(
        run(site.root(), &["verify"]).status.success() && run(site.root(), &["verify", "--content"]).status.success()
    );
}

#[test]
fn what_cannot_be_posted_is_told_with_its_reason() {
    let site = Sandbox::new(SITE);
    let check = || {
        for (arguments, told) in [
            (&["nowhere", "--text", "x"][..], "there is no board `nowhere`"),
            (&["tech", "9", "--text", "x"], "there is no post 9 on `tech`"),
            (&["tech", "2", "--text", "x"], "post 2 of `tech` is a reply in thread 1"),
            (&["tech", "3", "--text", "x"], "thread 3 of `tech` is locked or archived"),
            (&["tech", "1", "--text", " \n"], "a post needs some text"),
            (&["tech", "1", "--text", "x", "--name", "a\nb"], "one line of at most 500 characters"),
            (&["tech", "1", "--text", "x", "--subject", "\u{202e}b"], "one line of at most 500 characters"),
            (&["tech", "1", "--text", "x", "--capcode", "king"], "the marks are `admin`, `mod` and `janitor`"),
        ] {
            let (done, said) = post(&site, arguments);
            assert!(!done && said.contains(told), "{arguments:?}: {said}");
        }
    };
    check();
    let _running = Running::start(site.root());
    check();
    assert!(!site.path(".nejiboard/mod/log").exists() && site.read("content/tech/1.md").ends_with("a reply\n"));
}

#[test]
fn staff_answers_and_starts_threads_from_its_pages() {
    let (site, running) = open();
    let janitor = Browser::signed_in(&running, "janitor");
    let page = janitor.get("post/tech/3").body;
    assert!(page.contains("<h2 id=\"say\">Answer in this thread</h2>"), "{page}");
    assert!(page.contains("name=\"thread\" value=\"1\"") && !page.contains("say-board"), "{page}");
    let form = [("act", "post"), ("board", "tech"), ("thread", "1"), ("capcode", "janitor"), ("name", "Ken!ji#tea")];
    let page = janitor.does(&[&form[..], &[("text", "please\r\nstay on topic")]].concat());
    assert!(page.contains("Done: post (act ") && page.contains("<h1>Post 4 of /tech/</h1>"), "{page}");
    assert!(page.contains("<strong class=\"capcode\">## Janitor</strong>"), "{page}");
    assert!(header(&site, 1, 4).contains("\"name\": \"Ken！ji\", \"trip\": \"!WokonZwxw2\", \"capcode\": \"janitor\""));
    assert!(site.page("tech/thread/1.html").contains("please<br>"));
    // The highest that one may have is chosen, and a new thread is started on the first page.
    let admin = Browser::signed_in(&running, "admin");
    let page = admin.get("").body;
    assert!(page.contains("<h2 id=\"say\">Start a thread</h2>") && page.contains("<option value=\"art\">"), "{page}");
    assert!(page.contains("<option value=\"admin\" selected>## Admin</option>"), "{page}");
    let form = [("act", "post"), ("board", "art"), ("capcode", "admin"), ("subject", "Rules"), ("text", "be nice")];
    let page = admin.does(&form);
    assert!(page.contains("<h1>Post 2 of /art/</h1>"), "{page}");
    assert!(site.page("art/thread/2.html").contains("<strong class=\"capcode\">## Admin</strong>"));
    // Nobody can be asked for where it came from, and nobody else is it.
    let log = admin.get("log").body;
    assert!(log.contains("<strong>janitor</strong> post /tech/") && log.contains("<strong>admin</strong> post /art/"));
    assert!(!log.contains("value=\"undo\""), "posts are deleted, not undone: {log}");
    // A thread that takes no replies has no form for them.
    admin.does(&[("act", "lock"), ("on", "tech/1")]);
    assert!(!admin.get("post/tech/3").body.contains("say-text"));
    let reply =
        admin.send("act", &[("act", "post"), ("board", "tech"), ("thread", "1"), ("capcode", "mod"), ("text", "x")]);
    assert!(reply.status == 422 && reply.body.contains("is locked or archived"), "{}", reply.body);
}

#[test]
fn nobody_signs_above_the_own_role_or_without_the_token_of_the_session() {
    let (site, running) = open();
    let form = |capcode| [("act", "post"), ("board", "tech"), ("thread", "1"), ("capcode", capcode), ("text", "I am")];
    for role in Role::ALL {
        let browser = Browser::signed_in(&running, role.name());
        for capcode in Capcode::ALL {
            let reply = browser.send("act", &form(capcode.word()));
            assert_eq!(reply.status == 303, capcode.role() <= role, "{role:?} {capcode:?}: {}", reply.body);
        }
        for capcode in ["", "Admin", "ADMIN", "moderator", "## Admin", "admin "] {
            assert_eq!(browser.send("act", &form(capcode)).status, 422, "{role:?} {capcode:?}");
        }
        // Two values: the first counts, for the right and for the post alike.
        let twice = [&[("capcode", "janitor")][..], &form("admin")].concat();
        assert_eq!(browser.send("act", &twice).status, 303);
    }
    let file = site.read("content/tech/1.md");
    let count = |word: &str| file.matches(&format!("\"capcode\": \"{word}\"")).count();
    assert_eq!([count("janitor"), count("mod"), count("admin")], [6, 2, 1], "{file}");
    let admin = Browser::signed_in(&running, "admin");
    assert_eq!(admin.send_with("act", "", &form("admin")).status, 403);
    assert_eq!(site.read("content/tech/1.md"), file);
    // An act without a mark is for the command line.
    let (board, thread) = (super::sandbox::slug("tech"), None);
    let (name, trip, subject, body) = Default::default();
    let deed = Deed::Post { board, thread, capcode: None, name, trip, subject, sage: false, body };
    assert_eq!(Right::of(&deed), None);
}

/// At each step between the act and the page, `kill -9` leaves one post and one line in the log.
#[test]
fn a_post_of_staff_survives_a_crash_and_is_there_once() {
    let points = [
        "act logged",
        "draft synced",
        "inbox file written",
        "inbox file renamed",
        "inbox folder synced",
        "before thread files",
        "after thread file",
        "before inbox removal",
        "after inbox removal",
        "pages removed",
    ];
    for point in points {
        for nth in ["1", "2"] {
            let site = Sandbox::new(SITE);
            let act = r#"{"act": "post", "board": "tech", "thread": 1, "capcode": "mod", "body": "x y z", "by": "n", "id": "one"}"#;
            site.write("posts-inbox/act.json", act);
            let launched = Running::launch(site.root(), &[], |command| {
                command.env("NEJIBOARD_CRASH_AT", format!("{point}:{nth}"));
            });
            if let Ok(mut running) = launched {
                let is_done =
                    || site.has_page("tech/thread/1.html") && site.page("tech/thread/1.html").contains("x y z");
                wait_until("it has crashed, or does not come there", || running.has_ended() || is_done());
            }
            let running = Running::start(site.root());
            running.wait_for("/tech/thread/1.html", "x y z");
            let waits = |name: &str| site.path("posts-inbox").join(name).exists();
            wait_until("nothing waits", || !waits("act.json") && !waits("one.md"));
            assert_eq!(site.read("content/tech/1.md").matches("x y z").count(), 1, "{point} {nth}");
            assert_eq!(site.read(".nejiboard/mod/log").lines().count(), 1, "{point} {nth}");
            assert!(!waits("rejected"), "{point} {nth}");
            assert!(running.terminate().success());
        }
    }
}

#[test]
fn the_public_door_gives_nobody_a_mark() {
    let site = Sandbox::new(SITE);
    let running = Running::start(site.root());
    let fields = [
        ("board", "tech"),
        ("thread", "1"),
        ("name", "Neji ## Admin"),
        ("capcode", "admin"),
        ("subject", "\", \"capcode\": \"admin"),
        ("options", "capcode admin"),
        ("act", "post"),
        ("body", "--- {\"no\": 99, \"capcode\": \"admin\"}\nI am"),
    ];
    assert_eq!(running.post(&fields).status, 303);
    let page = site.page("tech/thread/1.html");
    assert!(page.contains("I am") && !page.contains("capcode\">") && !page.contains("## Admin"), "{page}");
    assert!(page.contains("<bdi class=\"name\">Neji</bdi> <span class=\"trip\">!!"), "{page}");
    assert!(!header(&site, 1, 4).contains("\"capcode\":"), "{}", header(&site, 1, 4));
    let reply = running.post(&[("task", "post"), ("board", "tech"), ("capcode", "mod"), ("body", "me too")]);
    assert_eq!(reply.status, 303);
    assert!(!header(&site, 5, 5).contains("capcode"));
}

/// The name on the page, and whether something else proves it.
#[test]
fn names_that_imitate_the_mark_of_staff_are_defused() {
    for (typed, name, has_trip) in [
        ("Neji ## Admin", "Neji", true),
        ("Neji ##Admin", "Neji", true),
        ("## Admin", "", true),
        ("Neji # # Admin", "Neji", true),
        ("Neji ＃＃ Admin", "Neji", true),
        ("Neji ＃＃ Ａｄｍｉｎ", "Neji", true),
        ("Neji ＃# Mod", "Neji", true),
        ("Neji #\u{200b}# Mod", "Neji", true),
        ("Neji #\u{fe0f}\u{20e3}#\u{fe0f}\u{20e3} Mod", "Neji", true),
        ("Neji ♯♯ Admin", "Neji ＊＊ Admin", false),
        ("Neji ♯\u{200b}♯ Admin", "Neji ＊\u{200b}＊ Admin", false),
        ("Neji ♯\u{fe0e}♯ Admin", "Neji ＊\u{fe0e}＊ Admin", false),
        ("Neji ﹟﹟ Mod", "Neji ＊＊ Mod", false),
        ("Neji ⌗⌗ Mod", "Neji ＊＊ Mod", false),
        ("Neji ⋕⧣ Mod", "Neji ＊＊ Mod", false),
        ("Neji ⧤⧥ Janitor", "Neji ＊＊ Janitor", false),
        ("Neji ⩨⩩ Mod", "Neji ＊＊ Mod", false),
        ("Neji ⵌⵌ Mod", "Neji ＊＊ Mod", false),
        ("Neji \u{1D12A} Mod \u{1D130}\u{1D131}", "Neji ＊ Mod ＊＊", false),
        ("Neji ♯ ♯ Mod##key", "Neji ＊ ＊ Mod", true),
        // These say nothing of staff.
        ("Admin", "Admin", false),
        ("井上", "井上", false),
        ("C + +", "C + +", false),
    ] {
        let signed = sign(typed, &Keys::from(Secret::from_bytes([7; 32])));
        assert_eq!((signed.name.as_str(), !signed.trip.is_empty()), (name, has_trip), "{typed:?}");
        assert!(!signed.name.contains(['#', '＃']) && !signed.trip.contains(['#', '＃']), "{typed:?}");
    }
}

#[test]
fn a_file_by_hand_may_carry_a_mark_and_an_imported_one_is_shown_as_it_is() {
    let site = Sandbox::new(SITE);
    let running = Running::start(site.root());
    site.write("posts-inbox/.new", "--- {board: tech, thread: 1, name: Neji, capcode: janitor}\nclean up\n");
    std::fs::rename(site.path("posts-inbox/.new"), site.path("posts-inbox/new.md")).unwrap();
    running.wait_for(
        "/tech/thread/1.html",
        "<bdi class=\"name\">Neji</bdi> <strong class=\"capcode\">## Janitor</strong>",
    );
    let act = r#"{"act": "post", "board": "tech", "capcode": "mod", "subject": "News", "body": "all is well", "by": "cron", "id": "act1"}"#;
    site.write("posts-inbox/.act", act);
    std::fs::rename(site.path("posts-inbox/.act"), site.path("posts-inbox/act.json")).unwrap();
    running.wait_for("/tech/thread/5.html", "<strong class=\"capcode\">## Mod</strong>");
    assert!(header(&site, 5, 5).ends_with("\"id\": \"act1\"}"), "{}", header(&site, 5, 5));
    // Met again, as after a crash, it is the same post.
    site.write("posts-inbox/.act", act);
    std::fs::rename(site.path("posts-inbox/.act"), site.path("posts-inbox/again.json")).unwrap();
    wait_until("it is carried out", || !site.path("posts-inbox/again.json").exists());
    wait_until("nothing waits", || !site.path("posts-inbox/act1.md").exists());
    site.write("content/tech/3.md", "--- {no: 3, at: 2025-03-02T11:00:00Z, capcode: \"<b>Dev\"}\nimported\n");
    running.wait_for("/tech/thread/3.html", "<strong class=\"capcode\">## &lt;b&gt;Dev</strong>");
    assert!(!site.path("content/tech/6.md").exists());
    for (bad, told) in [
        (r#""capcode": "king""#, "unknown variant `king`"),
        (r#""capcode": "mod", "name": "a\u0000b""#, "one line of at most 500 characters"),
    ] {
        site.write(
            "posts-inbox/.bad",
            format!(r#"{{"act": "post", "board": "tech", {bad}, "body": "x", "by": "cron"}}"#),
        );
        std::fs::rename(site.path("posts-inbox/.bad"), site.path("posts-inbox/bad.json")).unwrap();
        let why = site.path("posts-inbox/rejected/bad.json.why");
        wait_until("it is refused", || why.exists());
        assert!(std::fs::read_to_string(&why).unwrap().contains(told), "{}", std::fs::read_to_string(&why).unwrap());
        std::fs::remove_dir_all(site.path("posts-inbox/rejected")).unwrap();
    }
}
