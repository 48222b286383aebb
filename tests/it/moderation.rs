//! What staff does: by command, through the inbox, with a log, undone again; and nothing of it lost or done twice.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::sandbox::running::{Running, run, wait_until};
use super::sandbox::{Sandbox, files_below, without_changes};

const TWO_THREADS: &str = "
==> content/tech/1.md
--- {no: 1, at: 2025-03-02T10:00:00Z, subject: First, id: a1}
the first thread

--- {no: 3, at: 2025-03-02T12:00:00Z, name: Spammer, trip: \"!abc\", id: a3}
buy my gold
--- {no: 4, at: 2025-03-02T12:30:00Z, sage: true}
>>3 no thanks
==> content/tech/2.md
--- {no: 2, at: 2025-03-02T11:00:00Z, subject: Second}
the second thread, see >>3
";

/// Runs `mod` with these arguments; gives what it told.
#[track_caller]
fn moderate(site: &Sandbox, arguments: &[&str], code: i32) -> String {
    let output = run(site.root(), &[&["mod", "--by", "neji"], arguments].concat());
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    told
}

/// Whether any file of the output holds a text.
fn published(site: &Sandbox, text: &str) -> bool {
    files_below(&site.path("public")).values().any(|bytes| memchr::memmem::find(bytes, text.as_bytes()).is_some())
}

fn order(site: &Sandbox) -> Vec<usize> {
    let page = site.page("tech/index.html");
    ["id=\"p1\"", "id=\"p2\""].map(|post| page.find(post).unwrap_or(usize::MAX)).to_vec()
}

#[track_caller]
fn is_as_a_clean_build(site: &Sandbox) {
    let output = run(site.root(), &["verify"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_deleted_post_is_gone_from_everywhere_with_its_bump_and_comes_back_as_it_was() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    let (content, before) = (site.read("content/tech/1.md"), files_below(&site.path("public")));
    assert!(order(&site).is_sorted() && published(&site, "buy my gold"));
    let told = moderate(&site, &["delete", "tech", "3", "--why", "spam"], 0);
    assert!(told.contains("delete: done, 1 thread changed"), "{told}");
    assert!(!published(&site, "buy my gold") && !published(&site, "Spammer") && !published(&site, "!abc"));
    assert!(!order(&site).is_sorted(), "the bump of the deleted post counts");
    assert!(site.page("tech/thread/1.html").contains("Post removed."));
    assert!(!site.read("content/tech/1.md").contains("gold"));
    is_as_a_clean_build(&site);
    assert!(moderate(&site, &["delete", "tech", "3"], 0).contains("nothing to do"));
    moderate(&site, &["restore", "tech", "3"], 0);
    assert_eq!(content.matches("gold").count(), site.read("content/tech/1.md").matches("gold").count());
    assert!(site.read("content/tech/1.md").contains("\"id\": \"a3\""));
    // All but the time of the change, which programs are told, is as before.
    let after = files_below(&site.path("public"));
    let told = |files: &BTreeMap<String, Vec<u8>>, path: &String| files.get(path).map(|bytes| without_changes(bytes));
    let differs = |path: &&String| told(&before, path) != told(&after, path);
    assert_eq!(before.keys().chain(after.keys()).find(differs), None);
    is_as_a_clean_build(&site);
}

#[test]
fn with_its_opening_post_a_thread_is_deleted_and_can_be_had_back() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    moderate(&site, &["delete", "tech", "1"], 0);
    assert!(!site.has_page("tech/thread/1.html") && !published(&site, "gold") && !published(&site, "no thanks"));
    assert!(site.page("tech/thread/2.html").contains("deadlink"));
    is_as_a_clean_build(&site);
    moderate(&site, &["restore", "tech", "1"], 0);
    assert!(site.page("tech/thread/1.html").contains("no thanks"));
    is_as_a_clean_build(&site);
}

#[test]
fn flags_are_put_on_and_off_and_the_log_tells_who_and_why() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    for (on, off, mark) in
        [("sticky", "unsticky", "Sticky"), ("lock", "unlock", "Locked"), ("archive", "unarchive", "Archived")]
    {
        moderate(&site, &[on, "tech", "2", "--why", "as it should be"], 0);
        assert!(site.page("tech/thread/2.html").contains(mark), "{on}");
        is_as_a_clean_build(&site);
        moderate(&site, &[off, "tech", "2"], 0);
        assert!(!site.page("tech/thread/2.html").contains(mark), "{off}");
    }
    let told = moderate(&site, &["log"], 0);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 6, "{told}");
    assert!(lines[0].contains(" neji sticky /tech/ 2: as it should be ["), "{told}");
    assert!(moderate(&site, &["lock", "tech", "3"], 3).contains("post 3 of `tech` is a reply in thread 1"));
    assert!(moderate(&site, &["lock", "tech", "99"], 3).contains("there is no post 99 on `tech`"));
    assert!(moderate(&site, &["lock", "nowhere", "1"], 3).contains("there is no board `nowhere`"));
    let log = site.path(".nejiboard/mod/log");
    assert_eq!(fs::metadata(log).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_was_done_can_be_undone_and_that_too() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    let id = |told: String| told.split("(act ").nth(1).unwrap().split(')').next().unwrap().to_owned();
    let edited = id(moderate(&site, &["edit", "tech", "3", "--text", "I was wrong\n--- {"], 0));
    assert!(site.page("tech/thread/1.html").contains("I was wrong<br>--- {") && !published(&site, "gold"));
    let locked = id(moderate(&site, &["lock", "tech", "1"], 0));
    moderate(&site, &["sticky", "tech", "1"], 0);
    let undone = id(moderate(&site, &["undo", &edited], 0));
    assert!(published(&site, "buy my gold") && !published(&site, "I was wrong"));
    moderate(&site, &["undo", &locked], 0);
    let flags = site.read("content/tech/1.md");
    assert!(flags.contains("\"sticky\": true") && !flags.contains("locked"), "{flags}");
    moderate(&site, &["undo", &undone], 0);
    assert!(published(&site, "I was wrong"));
    is_as_a_clean_build(&site);
    assert!(moderate(&site, &["undo", "never"], 3).contains("there is no act `never` in the log"));
}

#[test]
fn a_running_serve_carries_out_what_is_put_into_its_inbox() {
    let site = Sandbox::new(TWO_THREADS);
    let running = Running::start(site.root());
    let told = moderate(&site, &["delete", "tech", "3"], 0);
    assert!(told.contains("done, 1 thread changed"), "{told}");
    running.wait_for("/tech/thread/1.html", "Post removed.");
    assert!(!published(&site, "gold"));
    assert!(moderate(&site, &["delete", "tech", "77"], 3).contains("there is no post 77 on `tech`"));
    // By hand, with nothing but what it takes.
    site.write("posts-inbox/.draft", "{\"act\": \"set\", \"board\": \"tech\", \"threads\": [2], \"flag\": \"locked\", \"on\": true, \"by\": \"me\"}\n");
    fs::rename(site.path("posts-inbox/.draft"), site.path("posts-inbox/lock.json")).unwrap();
    running.wait_for("/tech/thread/2.html", "Locked");
    assert_eq!(running.post(&[("board", "tech"), ("thread", "2"), ("body", "too late")]).status, 403);
    wait_until("it is put away", || !site.path("posts-inbox/lock.json").exists());
    for (name, text, why) in [
        (
            "typo",
            "{\"act\": \"delet\", \"board\": \"tech\", \"posts\": [1], \"by\": \"me\"}",
            "unknown variant `delet`",
        ),
        ("nobody", "{\"act\": \"delete\", \"board\": \"tech\", \"posts\": [1], \"by\": \" \"}", "`by` is the name"),
        ("nothing", "\n\n", "it holds no act"),
        ("none", "{\"act\": \"delete\", \"board\": \"tech\", \"posts\": [], \"by\": \"me\"}", "`posts` is empty"),
    ] {
        site.write(&format!("posts-inbox/{name}.json"), text);
        let reason = site.path(&format!("posts-inbox/rejected/{name}.json.why"));
        wait_until("it is rejected", || reason.exists());
        assert!(fs::read_to_string(&reason).unwrap().contains(why), "{name}");
    }
    assert!(running.terminate().success());
    is_as_a_clean_build(&site);
}

/// As after a crash between the change and the removal of its inbox file.
#[test]
fn an_act_that_is_met_again_is_logged_once_and_changes_nothing_more() {
    let site = Sandbox::new(TWO_THREADS);
    let act = "{\"id\": \"act1\", \"act\": \"delete\", \"board\": \"tech\", \"posts\": [3], \"by\": \"me\"}\n";
    for round in 0..2 {
        site.write("posts-inbox/01.json", act);
        let running = Running::start(site.root());
        wait_until("it is put away", || !site.path("posts-inbox/01.json").exists());
        running.wait_for("/tech/thread/1.html", "Post removed.");
        assert!(running.terminate().success());
        assert_eq!(site.read(".nejiboard/mod/log").lines().count(), 1, "round {round}");
    }
    // The text is still there to be restored.
    moderate(&site, &["undo", "act1"], 0);
    assert!(published(&site, "buy my gold"));
}

#[test]
fn a_thread_file_that_would_lose_something_is_mended_first() {
    let site = Sandbox::new(TWO_THREADS);
    site.build();
    let broken = site.read("content/tech/1.md") + "\n--- {no: 9, nam: x}\nwhat then\n--- {no: oops}\nlost?\n";
    site.write("content/tech/1.md", &broken);
    let told = moderate(&site, &["delete", "tech", "3"], 3);
    assert!(told.contains("mend the thread's file first") && told.contains("1.md:"), "{told}");
    assert_eq!(site.read("content/tech/1.md"), broken);
}
