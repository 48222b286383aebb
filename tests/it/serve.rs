//! The real program behind its port: posts, files that are dropped and edited by hand, and what goes wrong.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use super::sandbox::running::{Running, post, run, wait_until};
use super::sandbox::{Sandbox, files_below};

const ONE_THREAD: &str = "
==> content/tech/board.yaml
title: Technology
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, subject: First}
the first post
";

fn reply<'a>(body: &'a str, nonce: &'a str) -> [(&'a str, &'a str); 4] {
    [("board", "tech"), ("thread", "1"), ("body", body), ("nonce", nonce)]
}

/// Renames a file into place, as people who drop or edit files should.
fn put(site: &Sandbox, path: &str, text: &str) {
    let draft = site.path(".being-written");
    fs::write(&draft, text).unwrap();
    fs::rename(draft, site.path(path)).unwrap();
}

#[test]
fn a_post_is_answered_with_the_way_to_it_and_is_there() {
    let site = Sandbox::new(ONE_THREAD);
    let door = Running::start(site.root());
    let sent = door.post(&reply("hello there", ""));
    assert_eq!((sent.status, sent.header("location")), (303, "/tech/thread/1.html#p2"), "{sent:?}");
    let page = door.get("/tech/thread/1.html");
    assert!(page.body.contains("hello there") && page.body.contains("id=\"p2\""), "{}", page.body);
    assert!(door.get("/tech/").body.contains("hello there"), "the index does not have it");
    assert!(site.read("content/tech/1.md").contains("hello there"));
    assert_eq!(site.page("tech/thread/1.html"), page.body);
}

#[test]
fn a_program_gets_json() {
    let site = Sandbox::new(ONE_THREAD);
    let door = Running::start(site.root());
    let sent = door.post_for_json(&[("board", "tech"), ("body", "a new thread"), ("subject", "S")]);
    let told: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!((sent.status, &told["thread"], &told["no"]), (201, &2.into(), &2.into()), "{sent:?}");
    let refused = door.post_for_json(&[("board", "nowhere"), ("body", "x")]);
    let told: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!((refused.status, &told["error"]["code"]), (404, &"no_such_board".into()), "{refused:?}");
}

#[test]
fn a_reply_reads_one_file_and_writes_eleven_however_large_the_board() {
    let mut text = String::from("\n");
    for no in 1..=60 {
        text += &format!("==> content/tech/{no}.md\n--- {{no: {no}, at: 2025-03-02}}\nfirst\n");
    }
    let site = Sandbox::new(&text);
    let door = Running::start_with(site.root(), &["-v"]);
    // The first one learns how the other threads of the index page look, the second one has nothing else to read.
    for body in ["one", "two"] {
        door.post(&[("board", "tech"), ("thread", "60"), ("body", body)]);
        wait_until("the build is told", || door.told().matches("posts=1").count() == if body == "one" { 1 } else { 2 });
    }
    let told = door.told();
    let line = told.lines().rfind(|line| line.contains("posts=1")).unwrap();
    // The inbox file, the thread file, four pages and as many files for programs, and the list of what changed.
    assert!(line.contains("files_read=1 files_written=11 ") && line.contains(" written=8 "), "{line}");
}

#[test]
fn a_post_that_nobody_waits_for_is_built_all_the_same() {
    let site = Sandbox::new(ONE_THREAD);
    let door = Running::start(site.root());
    // One header more, behind the one that is asked for.
    let accept = "application/json\r\nPrefer: respond-async";
    let sent = post(door.address, &[("board", "tech"), ("thread", "1"), ("body", "in a hurry")], accept).unwrap();
    assert_eq!(sent.status, 202, "{sent:?}");
    door.wait_for("/tech/thread/1.html", "in a hurry");
}

#[test]
fn a_resend_leads_to_the_first_post_even_after_a_restart() {
    let site = Sandbox::new(ONE_THREAD);
    let door = Running::start(site.root());
    let first = door.post(&reply("only once", "abc"));
    let again = door.post(&reply("only once", "abc"));
    door.kill();
    let door = Running::start(site.root());
    let later = door.post(&reply("only once", "abc"));
    for sent in [&first, &again, &later] {
        assert_eq!((sent.status, sent.header("location")), (303, "/tech/thread/1.html#p2"));
    }
    assert_eq!(site.read("content/tech/1.md").matches("only once").count(), 1);
}

#[test]
fn many_posters_at_once_share_a_few_builds_and_each_finds_the_own_post() {
    let site = Sandbox::new(ONE_THREAD);
    let door = Running::start_with(site.root(), &["-v"]);
    let places: Vec<String> = std::thread::scope(|scope| {
        let send = |nth: usize| {
            let door = &door;
            scope.spawn(move || {
                let body = format!("body number {nth}.");
                let sent = door.post(&reply(&body, &nth.to_string()));
                assert_eq!(sent.status, 303, "{sent:?}");
                let no = sent.header("location").rsplit('p').next().unwrap().to_owned();
                let page = door.get("/tech/thread/1.html").body;
                let post = page.split(&format!("id=\"p{no}\"")).nth(1).unwrap().split("</article>").next().unwrap();
                assert!(post.contains(&body), "{post}");
                no
            })
        };
        let senders: Vec<_> = (0..120).map(send).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), 120, "two posts have one number");
    let builds = door.told().matches(" built ").count();
    assert!((1..100).contains(&builds), "{builds} builds for 120 posts:\n{}", door.told());
    assert!(door.terminate().success());
    assert!(run(site.root(), &["verify"]).status.success());
}

#[test]
fn a_dropped_file_and_an_edit_by_hand_are_seen_with_whatever_root() {
    // The root is `.` by default, and events come with whole paths.
    for root in [None, Some("."), Some("../site"), Some("")] {
        let outside = Sandbox::empty();
        fs::create_dir(outside.path("site")).unwrap();
        let write = |path: &str, text: &str| outside.write(&format!("site/{path}"), text);
        write("content/site.yaml", "title: Test\n");
        write("content/tech/1.md", "--- {no: 1}\nthe first post\n");
        let whole = outside.path("site").to_string_lossy().into_owned();
        let root = root.map(|root| if root.is_empty() { whole.as_str() } else { root });
        let arguments: Vec<&str> = root.into_iter().flat_map(|root| ["--root", root]).collect();
        let door = Running::start_with(&outside.path("site"), &arguments);
        put(&outside, "site/posts-inbox/hello.md", "--- {board: tech, thread: 1, name: dropper}\nfrom an editor\n");
        door.wait_for("/tech/thread/1.html", "from an editor");
        let edited = outside.read("site/content/tech/1.md").replace("the first post", "the edited post");
        put(&outside, "site/content/tech/1.md", &edited);
        door.wait_for("/tech/thread/1.html", "the edited post");
        write("content/news/7.md", "--- {no: 7}\na board by hand\n");
        door.wait_for("/news/thread/7.html", "a board by hand");
        fs::remove_file(outside.path("site/content/tech/1.md")).unwrap();
        wait_until("the removed thread's page goes", || door.get("/tech/thread/1.html").status == 404);
    }
}

#[test]
fn a_broken_theme_leaves_the_last_good_one_until_it_is_put_right() {
    let site = Sandbox::new(ONE_THREAD);
    site.write("themes/default/partials/boardhead.hbs", "<h1>My head</h1>\n");
    let door = Running::start(site.root());
    assert!(door.get("/tech/").body.contains("My head"));
    put(&site, "themes/default/partials/boardhead.hbs", "<h1>{{no_such_value}}</h1>\n");
    wait_until("the mistake is told", || door.told().contains("boardhead.hbs:1"));
    assert_eq!(door.post(&reply("posts go on", "")).status, 303);
    let index = door.get("/tech/").body;
    assert!(index.contains("posts go on") && index.contains("My head"), "{index}");
    put(&site, "themes/default/partials/boardhead.hbs", "<h1>A better head</h1>\n");
    door.wait_for("/tech/", "A better head");
}

#[test]
fn broken_settings_leave_the_last_good_ones_until_they_are_put_right() {
    let site = Sandbox::new(ONE_THREAD);
    let door = Running::start(site.root());
    put(&site, "content/site.yaml", "titel: Misspelt\n");
    wait_until("the mistake is told", || door.told().contains("site.yaml:1:1"));
    assert_eq!(door.post(&reply("posts go on", "")).status, 303);
    assert!(door.get("/tech/").body.contains("Test site"));
    put(&site, "content/site.yaml", "title: A better title\n");
    door.wait_for("/", "A better title");
    door.wait_for("/tech/thread/1.html", "A better title");
    put(&site, "content/tech/board.yaml", "reply_limit: 1\n");
    wait_until("the limit counts", || door.post(&reply("too many", "")).status == 403);
}

#[test]
fn pages_that_somebody_removes_come_back() {
    let site = Sandbox::new(ONE_THREAD);
    let door = Running::start(site.root());
    let before = files_below(&site.path("public"));
    fs::remove_dir_all(site.path("public")).unwrap();
    wait_until("the pages are there again", || files_below(&site.path("public")) == before);
    assert_eq!(door.post(&reply("and posts go on", "")).status, 303);
    assert!(door.get("/tech/thread/1.html").body.contains("and posts go on"));
}

#[test]
fn folders_that_are_made_or_exchanged_while_it_runs_are_watched_from_then_on() {
    let site = Sandbox::new(ONE_THREAD);
    let door = Running::start(site.root());
    // There was no folder of themes at the start.
    fs::create_dir_all(site.path("themes/default/partials")).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    put(&site, "themes/default/partials/boardhead.hbs", "<h1>My head</h1>\n");
    door.wait_for("/tech/", "My head");
    // A new version of the content takes the place of the old one.
    site.write("next/site.yaml", "title: Exchanged\n");
    site.write("next/tech/1.md", "--- {no: 1}\nexchanged\n");
    fs::rename(site.path("content"), site.path("before")).unwrap();
    fs::rename(site.path("next"), site.path("content")).unwrap();
    door.wait_for("/tech/thread/1.html", "exchanged");
    std::thread::sleep(Duration::from_millis(300));
    put(&site, "content/tech/1.md", "--- {no: 1}\nedited after that\n");
    door.wait_for("/tech/thread/1.html", "edited after that");
    fs::remove_dir_all(site.path("posts-inbox")).unwrap();
    assert_eq!(door.post(&reply("without an inbox", "")).status, 303);
    std::thread::sleep(Duration::from_millis(300));
    put(&site, "posts-inbox/a.md", "--- {board: tech, thread: 1}\ndropped after that\n");
    door.wait_for("/tech/thread/1.html", "dropped after that");
}

#[test]
fn what_is_edited_while_the_first_build_goes_on_is_not_missed() {
    let site = Sandbox::new(ONE_THREAD);
    for no in 2..1_200 {
        site.write(&format!("content/tech/{no}.md"), format!("--- {{no: {no}, subject: one of many}}\ntext\n"));
    }
    let door = std::thread::scope(|scope| {
        let door = scope.spawn(|| Running::start(site.root()));
        // All threads are known by then, and the watch has not begun.
        wait_until("the first build has begun", || site.path(".public.new").exists());
        put(&site, "content/tech/1199.md", "--- {no: 1199, at: 2030-01-01, subject: Edited meanwhile}\ntext\n");
        door.join().unwrap()
    });
    door.wait_for("/", "Edited meanwhile");
    door.wait_for("/tech/", "Edited meanwhile");
}

#[test]
fn a_page_that_cannot_be_written_does_not_hold_up_posts_elsewhere() {
    let site = Sandbox::new(ONE_THREAD);
    site.write("content/art/1.md", "--- {no: 1}\na drawing\n");
    let door = Running::start(site.root());
    site.remove("public/tech/index.html");
    fs::create_dir(site.path("public/tech/index.html")).unwrap();
    put(&site, "content/tech/1.md", "--- {no: 1}\nedited\n");
    wait_until("it is told", || door.told().contains("cannot be written"));
    // By now the pause between tries is longer than a poster is kept waiting.
    std::thread::sleep(Duration::from_secs(4));
    let sent = door.post(&[("board", "art"), ("thread", "1"), ("body", "on another board")]);
    assert_eq!(sent.status, 303, "{sent:?}");
    assert!(door.get("/art/thread/1.html").body.contains("on another board"));
    fs::remove_dir(site.path("public/tech/index.html")).unwrap();
    door.wait_for("/tech/", "edited");
}

#[test]
fn an_inbox_file_that_cannot_be_put_aside_does_not_hold_up_posts() {
    let site = Sandbox::new(ONE_THREAD);
    // What is rejected has nowhere to go.
    site.write("posts-inbox/rejected", "a file where a folder should be");
    site.write("posts-inbox/junk.bin", "junk");
    let door = Running::start(site.root());
    wait_until("it is told", || door.told().contains("cannot take a file from the inbox"));
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(door.post(&reply("posts go on", "")).status, 303);
    site.remove("posts-inbox/rejected");
    wait_until("the junk is put aside", || site.path("posts-inbox/rejected/junk.bin.why").exists());
}

#[test]
fn junk_in_the_inbox_is_put_aside_and_told_while_posts_go_on() {
    let site = Sandbox::new(ONE_THREAD);
    let door = Running::start(site.root());
    put(&site, "posts-inbox/junk.bin", "\u{1b}[31m");
    put(&site, "posts-inbox/lost.md", "--- {board: nowhere}\ntext\n");
    put(&site, "posts-inbox/good.md", "--- {board: tech, thread: 1}\ngood\n");
    door.wait_for("/tech/thread/1.html", "good");
    wait_until("the junk is put aside", || site.path("posts-inbox/rejected/junk.bin.why").exists());
    // It may not be there yet: each file is put aside by itself.
    let why = || fs::read_to_string(site.path("posts-inbox/rejected/lost.md.why")).unwrap_or_default();
    wait_until("the lost post too", || why().contains("no such board"));
    wait_until("nothing is left", || fs::read_dir(site.path("posts-inbox")).unwrap().count() == 1);
    assert!(!door.told().contains('\u{1b}'), "a log line holds what a terminal obeys: {:?}", door.told());
}

#[test]
fn a_thread_file_that_cannot_be_read_keeps_its_page_and_the_rest_goes_on() {
    let site = Sandbox::new(ONE_THREAD);
    site.write("content/tech/5.md", "--- {no: 5}\nanother thread\n");
    let door = Running::start(site.root());
    // Not even root can read a folder as a file.
    site.remove("content/tech/5.md");
    fs::create_dir(site.path("content/tech/5.md")).unwrap();
    wait_until("it is told", || door.told().contains("5.md"));
    assert_eq!(door.post(&reply("elsewhere", "")).status, 303);
    assert!(door.get("/tech/thread/1.html").body.contains("elsewhere"));
    assert!(door.get("/tech/thread/5.html").body.contains("another thread"));
}

#[test]
fn posts_and_edits_by_hand_at_the_same_time_end_in_what_a_clean_build_gives() {
    let site = Sandbox::new(ONE_THREAD);
    site.write("content/tech/board.yaml", "threads_per_page: 2\nindex_pages: 2\noverflow: keep\n");
    let door = Running::start(site.root());
    std::thread::scope(|scope| {
        for poster in 0..3 {
            let door = &door;
            scope.spawn(move || {
                for nth in 0..25 {
                    let thread = if nth % 3 == 0 { "" } else { "1" };
                    let body = format!("{poster} says {nth} to >>{nth} and >>>/art/{nth}");
                    let sent = door.post(&[("board", "tech"), ("thread", thread), ("body", &body)]);
                    assert!([202, 303].contains(&sent.status), "{sent:?}");
                }
            });
        }
        for nth in 1..40 {
            let path = format!("content/art/{}.md", 1 + nth % 7);
            match nth % 4 {
                0 => drop(fs::remove_file(site.path(&path))),
                1 => site.write("content/art/board.yaml", format!("title: Art {nth}\n")),
                _ => {
                    let sticky = nth % 3 == 0;
                    let no = 1 + nth % 7;
                    site.write(
                        ".next",
                        format!("--- {{no: {no}, sticky: {sticky}}}\ndrawing {nth} for >>>/tech/{nth}\n"),
                    );
                    fs::create_dir_all(site.path("content/art")).unwrap();
                    fs::rename(site.path(".next"), site.path(&path)).unwrap();
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    // What was edited last is told a moment later.
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(door.terminate().success());
    assert_eq!(fs::read_dir(site.path("posts-inbox")).unwrap().count(), 0);
    let verified = run(site.root(), &["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let threads: Vec<String> =
        files_below(&site.path("content/tech")).into_values().map(|file| String::from_utf8(file).unwrap()).collect();
    for said in (0..3).flat_map(|poster| (0..25).map(move |nth| format!("{poster} says {nth} to "))) {
        assert_eq!(threads.iter().map(|file| file.matches(&said).count()).sum::<usize>(), 1, "{said}");
    }
}

#[test]
fn a_stop_waits_until_what_was_accepted_is_built() {
    let site = Sandbox::new(ONE_THREAD);
    let door = Running::start(site.root());
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..40)
            .map(|nth: usize| {
                let door = &door;
                scope.spawn(move || {
                    let body = format!("body number {nth}.");
                    let fields = [("board", "tech"), ("thread", "1"), ("body", &*body), ("nonce", "n")];
                    super::sandbox::running::post(door.address, &fields, "text/html").map_or(0, |sent| sent.status)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(15));
        door.ask_to_end();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert!(door.terminate().success());
    let page = site.page("tech/thread/1.html");
    for (nth, _) in statuses.iter().enumerate().filter(|(_, status)| [303, 202].contains(*status)) {
        assert!(page.contains(&format!("body number {nth}.")), "{nth} was answered and is not built");
    }
    assert_eq!(fs::read_dir(site.path("posts-inbox")).unwrap().count(), 0);
    assert!(run(site.root(), &["verify"]).status.success());
}

#[test]
fn a_second_serve_on_the_same_site_is_refused_and_says_who_has_it() {
    let site = Sandbox::new(ONE_THREAD);
    let _door = Running::start(site.root());
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["build"]] {
        let second = run(site.root(), arguments);
        let told = String::from_utf8_lossy(&second.stderr);
        assert_eq!(second.status.code(), Some(3), "{told}");
        assert!(told.contains("another nejiboard works on this site (process ") && told.contains("hint: "), "{told}");
    }
}

#[test]
fn a_port_that_is_taken_is_told_at_once() {
    let site = Sandbox::new(ONE_THREAD);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let second = run(site.root(), &["serve", "--listen", &address]);
    let told = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(3), "{told}");
    assert!(told.contains(&format!("cannot listen at {address}")) && told.contains("hint: "), "{told}");
}

/// A site on a small disk of its own, which is unmounted at the end.
struct SmallDisk(Sandbox);

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<SmallDisk> {
        let site = Sandbox::empty();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "nejiboard-test"])
            .arg(site.root())
            .output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            println!("a small disk cannot be mounted here: what happens on a full one is not tried");
            return None;
        }
        Some(SmallDisk(site))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.root()).output();
    }
}

#[test]
fn a_full_disk_refuses_posts_whole_keeps_old_pages_and_comes_back() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let site = &disk.0;
    site.write("content/site.yaml", "title: Test site\n");
    site.write_all(ONE_THREAD);
    let door = Running::start(site.root());
    let before = site.page("tech/thread/1.html");
    fill(site);
    let refused = door.post(&reply(&"long text ".repeat(700), ""));
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.contains("not accepted"), "{}", refused.body);
    assert_eq!(door.get("/tech/thread/1.html").body, before, "the old page is not whole");
    assert!(!site.read("content/tech/1.md").contains("long text"));
    let drafts: Vec<String> = files_below(site.root()).into_keys().filter(|path| path.ends_with(".draft")).collect();
    assert!(drafts.is_empty(), "{drafts:?}");
    site.remove("ballast");
    wait_until("posts are taken again", || door.post(&reply("there is room", "n")).status == 303);
    let page = door.get("/tech/thread/1.html").body;
    assert!(page.contains("there is room") && !page.contains("long text"), "{page}");
    assert!(door.terminate().success());
    assert_eq!(fs::read_dir(site.path("posts-inbox")).unwrap().count(), 0);
    assert!(run(site.root(), &["verify"]).status.success());
}

/// A disk that is full only when the pages are written: what was accepted is built when there is room again.
#[test]
fn what_was_accepted_before_the_disk_was_full_is_built_later() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let site = &disk.0;
    site.write("content/site.yaml", "title: Test site\n");
    site.write_all(ONE_THREAD);
    let door = Running::start(site.root());
    fill(site);
    // A few pages are left: enough for a short post's file, not for the pages that it changes.
    fs::OpenOptions::new().write(true).open(site.path("ballast")).unwrap().set_len(length(site) - 12_288).unwrap();
    let sent = door.post(&reply("squeezed in", "n"));
    assert!([202, 303, 503].contains(&sent.status), "{sent:?}");
    site.remove("ballast");
    if sent.status != 503 {
        door.wait_for("/tech/thread/1.html", "squeezed in");
    }
    assert!(door.terminate().success());
    assert_eq!(fs::read_dir(site.path("posts-inbox")).unwrap().count(), 0);
    assert!(run(site.root(), &["verify"]).status.success());
}

/// Takes all room of the disk.
fn fill(site: &Sandbox) {
    use std::io::Write;
    let mut ballast = fs::File::create(site.path("ballast")).unwrap();
    for size in [65_536, 4_096, 1] {
        while ballast.write_all(&vec![0; size]).is_ok() {}
    }
}

fn length(site: &Sandbox) -> u64 {
    fs::metadata(site.path("ballast")).unwrap().len()
}

#[test]
fn programs_learn_from_a_line_of_json_that_the_door_is_open() {
    let site = Sandbox::new("\n==> content/tech/1.md\n--- {no: 1}\nfirst\n");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_nejiboard"))
        .args(["--json", "--quiet", "serve", "--listen", "127.0.0.1:0"])
        .current_dir(site.root())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let read =
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().expect("it is piped")), &mut line);
    let summary: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
    let address =
        summary["url"].as_str().and_then(|url| url.strip_prefix("http://")).map(|rest| rest.trim_end_matches('/'));
    let connected = std::net::TcpStream::connect(address.expect("it names its address"));
    child.kill().and_then(|()| child.wait()).expect("it can be ended");
    assert!(read.is_ok() && connected.is_ok(), "{line}");
    assert_eq!(summary["command"], "serve");
}
