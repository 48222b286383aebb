//! Proof of work: asked for under attack, found, checked, and good for one post alone. Who has no script is held.

use std::fs;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::crash::points::may_be_armed;
use super::guard::{outcome, post_from, reply_from, site};
use super::holding::moderate;
use super::sandbox::Sandbox;
use super::sandbox::running::{Reply, Running, wait_until};

/// On its guard, with little work to do.
fn attacked(settings: &str) -> (Sandbox, Running) {
    let site = site(&format!("proof_bits: 4\n{settings}"));
    site.write("content/art/board.yaml", "title: Art\n");
    let door = Running::start(site.root());
    moderate(&site, &["posture", "guarded"], 0);
    (site, door)
}

const HERE: [(&str, &str); 3] = [("board", "tech"), ("thread", "1"), ("nonce", "n1")];

/// A reply from an address, with a proof if that is not empty.
fn send(door: &Running, address: &str, body: &str, proof: &str) -> Reply {
    post_from(door, address, &[&HERE[..], &[("body", body), ("proof", proof)]].concat())
}

/// What the door wants to be solved.
fn riddle(reply: &Reply) -> Value {
    assert_eq!((reply.status, outcome(reply).as_str()), (428, "proof_needed"), "{reply:?}");
    let value: Value = serde_json::from_str(&reply.body).unwrap();
    value["error"]["proof"].clone()
}

/// The proof that the door asks for, found as anybody would.
pub fn solved(reply: &Reply) -> String {
    let riddle = riddle(reply);
    let challenge = riddle["challenge"].as_str().unwrap().to_owned();
    let (bits, numbers) = (riddle["bits"].as_u64().unwrap() as usize, riddle["numbers"].as_u64().unwrap() as usize);
    let fits = |number: &u64| {
        let digest: [u8; 32] = Sha256::digest(format!("{challenge}-{number}")).into();
        digest.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).take(bits).all(|bit| bit == 0)
    };
    (0..).filter(fits).take(numbers).fold(challenge.clone(), |proof, number| format!("{proof}-{number}"))
}

#[test]
fn under_attack_a_post_is_taken_once_its_sender_has_worked_for_it() {
    let (site, door) = attacked("");
    let asked = send(&door, "203.0.113.9", "let me in", "");
    let riddle = riddle(&asked);
    assert_eq!((&riddle["bits"], &riddle["numbers"]), (&4.into(), &8.into()), "{asked:?}");
    let script = door.get(riddle["script"].as_str().unwrap());
    assert!(script.status == 200 && script.body.contains("export default"), "{script:?}");
    assert!(script.header("cache-control").contains("immutable"));
    let proof = solved(&asked);
    let sent = send(&door, "203.0.113.9", "let me in", &proof);
    assert_eq!(sent.status, 201, "{sent:?}");
    // Whoever did not hear that sends it again, and it is still one post.
    assert_eq!(send(&door, "203.0.113.9", "let me in", &proof).body, sent.body);
    assert_eq!(site.page("tech/thread/1.html").matches("let me in").count(), 1);
    // When it is taken away, the proof does not bring it back.
    moderate(&site, &["delete", "tech", "2"], 0);
    assert!([201, 202].contains(&send(&door, "203.0.113.9", "let me in", &proof).status));
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(!site.page("tech/thread/1.html").contains("let me in"));
    // The opening post, and what keeps the number of the other one taken.
    assert_eq!(site.read("content/tech/1.md").matches("\"no\": ").count(), 2);
}

#[test]
fn a_board_says_when_there_is_work_to_do() {
    let site = site("proof_bits: 4\ndefaults: {proof_of_work: never}\n");
    site.write("content/art/board.yaml", "title: Art\nproof_of_work: always\n");
    site.write("content/wild/board.yaml", "title: Wild\nproof_of_work: guarded\n");
    let door = Running::start(site.root());
    let reply = || outcome(&reply_from(&door, "203.0.113.9", "hello"));
    let thread = |board| outcome(&post_from(&door, "198.51.100.1", &[("board", board), ("body", "hello")]));
    assert_eq!([reply(), thread("art"), thread("wild")], ["201", "proof_needed", "201"]);
    moderate(&site, &["posture", "guarded"], 0);
    assert_eq!([reply(), thread("art"), thread("wild")], ["201", "proof_needed", "proof_needed"]);
    moderate(&site, &["posture", "calm"], 0);
    // What nobody asks for is not looked at.
    let with_nonsense = [("board", "wild"), ("body", "hello"), ("proof", "nonsense")];
    assert_eq!(outcome(&post_from(&door, "198.51.100.2", &with_nonsense)), "201");
}

#[test]
fn what_is_no_proof_for_the_post_is_answered_with_a_riddle() {
    let (site, door) = attacked("failures_per_minute: 0\n");
    let proof = solved(&send(&door, "203.0.113.9", "mine", ""));
    let last = proof.rsplit('-').next().unwrap();
    let bad = [
        "nonsense".to_owned(),
        proof.to_uppercase(),
        format!("{proof}-1"),
        proof.strip_suffix(last).unwrap().to_owned() + "0",
        proof.replacen('-', "-9", 1),
        proof.replacen(&proof[..8], "ffffffff", 1),
        "-".repeat(100_000),
        "0".repeat(500_000),
        "ü".to_owned(),
    ];
    for bad in bad {
        let told: String = bad.chars().take(100).collect();
        let reply = send(&door, "203.0.113.9", "mine", &bad);
        assert_eq!(outcome(&reply), "proof_needed", "{told}: {reply:?}");
    }
    // Of another text, of another board, of somebody else's post.
    assert_eq!(outcome(&send(&door, "203.0.113.9", "mine too", &proof)), "proof_needed");
    let elsewhere = [("board", "art"), ("nonce", "n1"), ("body", "mine"), ("proof", &proof)];
    assert_eq!(outcome(&post_from(&door, "203.0.113.9", &elsewhere)), "proof_needed");
    let another = [&HERE[..2], &[("nonce", "n2"), ("body", "mine"), ("proof", &proof)]].concat();
    assert_eq!(outcome(&post_from(&door, "203.0.113.9", &another)), "proof_needed");
    assert_eq!(outcome(&send(&door, "203.0.113.9", "mine", &proof)), "201");
    assert_eq!(site.read("content/tech/1.md").matches("mine").count(), 1);
    assert!(!door.told().contains("panicked"), "{}", door.told());
}

#[test]
fn the_script_is_named_by_its_host_where_the_door_has_another_one() {
    let site = site("base_url: https://example.org/b/\npost_url: https://door.example.org/post\nproof_bits: 4\n");
    site.write("content/tech/board.yaml", "title: Tech\nproof_of_work: always\n");
    let door = Running::start(site.root());
    let riddle = riddle(&reply_from(&door, "203.0.113.9", "hello"));
    let script = riddle["script"].as_str().unwrap();
    assert!(script.starts_with("https://example.org/b/assets/proof.") && script.ends_with(".js"), "{script}");
}

#[test]
fn to_be_asked_counts_for_nothing_and_to_cheat_as_a_failure() {
    let (_site, door) = attacked("failures_per_minute: 3\nposts_per_minute: 4\n");
    let asked: Vec<Reply> = (0..9).map(|_| send(&door, "203.0.113.9", "mine", "")).collect();
    assert_eq!(outcome(&send(&door, "203.0.113.9", "mine", &solved(&asked[8]))), "201");
    let cheats: Vec<String> = (0..5).map(|_| outcome(&send(&door, "198.51.100.1", "mine", "1-2-3"))).collect();
    assert_eq!(cheats, ["proof_needed", "proof_needed", "proof_needed", "too_fast", "too_fast"]);
    // Nobody works for a post that would not be taken: half of four are two.
    assert_eq!(outcome(&send(&door, "203.0.113.9", "mine", &solved(&asked[8]))), "201");
    assert_eq!(outcome(&send(&door, "203.0.113.9", "another", "")), "too_fast");
}

#[test]
fn who_has_no_script_is_held_and_told_so() {
    let (site, door) = attacked("");
    let plain = |body: &str, proof: &str| {
        let fields = [&HERE[..], &[("body", body), ("proof", proof)]].concat();
        door.post_with(&[("X-Forwarded-For", "203.0.113.9"), ("Accept", "text/html,*/*;q=0.8")], &fields)
    };
    for (body, proof) in [("without script", ""), ("with a wrong proof", "1-2-3")] {
        let page = plain(body, proof);
        assert!(page.status == 202 && page.body.contains("Somebody will look at it before it is shown."), "{page:?}");
    }
    let told = moderate(&site, &["held"], 0);
    assert!(told.contains("without script (it came without a proof of work)"), "{told}");
    moderate(&site, &["approve", "--all"], 0);
    door.wait_for("/tech/thread/1.html", "without script");
    // A plain form may have a proof as well.
    let proof = solved(&send(&door, "198.51.100.1", "by hand", ""));
    assert_eq!(plain("by hand", &proof).status, 303);
}

#[test]
fn a_proof_that_comes_many_times_at_once_is_one_post() {
    let (site, door) = attacked("posts_per_minute: 100\n");
    let proof = solved(&send(&door, "203.0.113.9", "all together now", ""));
    let sent: Vec<Reply> = std::thread::scope(|scope| {
        let send = || send(&door, "203.0.113.9", "all together now", &proof);
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(sent.iter().all(|reply| reply.status == 201 && reply.body == sent[0].body), "{sent:?}");
    assert_eq!(site.page("tech/thread/1.html").matches("all together now").count(), 1);
}

#[test]
fn a_riddle_outlasts_the_program_and_holds_at_another_door() {
    let (site, door) = attacked("");
    let proofs = ["the first of two", "the second of two"].map(|body| solved(&send(&door, "203.0.113.9", body, "")));
    let beside = Running::start_with(site.root(), &["--no-build"]);
    assert_eq!(outcome(&send(&beside, "203.0.113.9", "the first of two", &proofs[0])), "201");
    // At both at once it is one post too.
    assert_eq!(outcome(&send(&door, "203.0.113.9", "the first of two", &proofs[0])), "201");
    drop(beside);
    door.kill();
    let door = Running::start(site.root());
    assert_eq!(outcome(&send(&door, "203.0.113.9", "the second of two", &proofs[1])), "201");
    wait_until("both are there", || site.page("tech/thread/1.html").contains("the second of two"));
    assert_eq!(site.page("tech/thread/1.html").matches("the first of two").count(), 1);
}

#[test]
fn a_riddle_is_over_after_ten_minutes() {
    if !may_be_armed() {
        return;
    }
    let site = site("proof_bits: 4\ndefaults: {proof_of_work: always}\n");
    let clock = tempfile::tempdir().unwrap();
    let shift = clock.path().join("shift");
    let set = |seconds: i64| {
        fs::write(clock.path().join("new"), seconds.to_string()).unwrap();
        fs::rename(clock.path().join("new"), &shift).unwrap();
    };
    set(0);
    let door = Running::start_in(site.root(), &[], &[("NEJIBOARD_CLOCK_SHIFT", &shift)]);
    let proof = solved(&send(&door, "203.0.113.9", "in time", ""));
    set(-60);
    assert_eq!(outcome(&send(&door, "203.0.113.9", "in time", &proof)), "proof_needed", "it is none of the future");
    set(660);
    let late = send(&door, "203.0.113.9", "in time", &proof);
    assert_eq!(outcome(&late), "proof_needed");
    assert_eq!(outcome(&send(&door, "203.0.113.9", "in time", &solved(&late))), "201");
}
