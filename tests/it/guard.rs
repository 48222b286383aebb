//! What the door does about spam: limits, repeated texts, traps, filters, held posts and postures.

use super::sandbox::Sandbox;
use super::sandbox::running::{Reply, Running};

/// Behind a proxy on the same machine, which tells where posts come from.
pub fn site(settings: &str) -> Sandbox {
    let site = Sandbox::new(
        "
==> content/tech/1.md
--- {no: 1, at: 2025-03-02T10:00:00Z, subject: First, id: a1}
the first thread
",
    );
    site.write("content/site.yaml", format!("title: T\ntrusted_proxies: [127.0.0.1]\n{settings}"));
    site.write("content/tech/board.yaml", "title: Tech\n");
    site
}

/// A reply to thread 1 that comes from this address.
pub fn reply_from(door: &Running, address: &str, body: &str) -> Reply {
    post_from(door, address, &[("board", "tech"), ("thread", "1"), ("body", body)])
}

pub fn post_from(door: &Running, address: &str, fields: &[(&str, &str)]) -> Reply {
    door.post_with(&[("X-Forwarded-For", address), ("Accept", "application/json")], fields)
}

/// The code of the refusal, or the status.
pub fn outcome(reply: &Reply) -> String {
    let value: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
    value["error"]["code"].as_str().map_or_else(|| reply.status.to_string(), str::to_owned)
}

#[test]
fn an_address_and_its_network_post_so_much_and_others_are_not_hindered() {
    let site = site("posts_per_minute: 2\n");
    let door = Running::start(site.root());
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "one")), "201");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "two")), "201");
    let refused = reply_from(&door, "203.0.113.9", "three");
    assert_eq!((refused.status, outcome(&refused).as_str()), (429, "too_fast"), "{refused:?}");
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let page =
        door.post_with(&[("X-Forwarded-For", "203.0.113.9")], &[("board", "tech"), ("thread", "1"), ("body", "mine")]);
    assert!(page.body.contains("You are too fast.") && page.body.contains("mine</textarea>"), "{page:?}");
    // Four times as much for all of the network: six more, of which an address may send two.
    let neighbours: Vec<String> =
        (10..20).map(|n| outcome(&reply_from(&door, &format!("203.0.113.{n}"), "hi"))).collect();
    assert_eq!(neighbours.iter().filter(|outcome| *outcome == "201").count(), 6, "{neighbours:?}");
    assert_eq!(outcome(&reply_from(&door, "198.51.100.1", "hi")), "201");
    // What comes from the machine itself, without a word of where it came from before, is nobody in particular.
    for n in 0..5 {
        let sent = door.post(&[("board", "tech"), ("thread", "1"), ("body", &format!("local {n}"))]);
        assert_eq!(sent.status, 303, "{sent:?}");
    }
}

#[test]
fn an_address_starts_so_many_threads_and_still_answers() {
    let site = site("threads_per_hour: 1\n");
    let door = Running::start(site.root());
    let thread = |body| outcome(&post_from(&door, "203.0.113.9", &[("board", "tech"), ("body", body)]));
    assert_eq!((thread("one").as_str(), thread("two").as_str()), ("201", "too_fast"));
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "an answer")), "201");
}

#[test]
fn who_is_refused_all_the_time_is_not_looked_at_any_more() {
    let site = site("failures_per_minute: 3\n");
    let door = Running::start(site.root());
    let withdraw = |address| {
        outcome(&post_from(
            &door,
            address,
            &[("task", "delete"), ("board", "tech"), ("no", "1"), ("password", "guess")],
        ))
    };
    let tries: Vec<String> = (0..5).map(|_| withdraw("203.0.113.9")).collect();
    assert_eq!(tries, ["wrong_password", "wrong_password", "wrong_password", "too_fast", "too_fast"]);
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "a post")), "too_fast");
    assert_eq!(withdraw("203.0.113.10"), "wrong_password");
    // Refused posts count just so.
    let tries: Vec<String> = (0..4).map(|_| outcome(&reply_from(&door, "198.51.100.1", " "))).collect();
    assert_eq!(tries, ["empty", "empty", "empty", "too_fast"]);
}

#[test]
fn a_text_is_posted_once_on_the_whole_site_but_a_resend_is_the_same_post() {
    let site = site("");
    site.write("content/art/board.yaml", "title: Art\n");
    let door = Running::start(site.root());
    let text = "Buy cheap gold at my very own shop";
    let fields = [("board", "tech"), ("thread", "1"), ("nonce", "n1"), ("body", text)];
    let first = post_from(&door, "203.0.113.9", &fields);
    assert_eq!((first.status, &post_from(&door, "203.0.113.9", &fields).body), (201, &first.body));
    let other =
        post_from(&door, "198.51.100.1", &[("board", "art"), ("body", "BUY ｃｈｅａｐ gold, at my\nvery own shop!")]);
    assert_eq!((other.status, outcome(&other).as_str()), (409, "duplicate"), "{other:?}");
    for address in ["203.0.113.9", "198.51.100.1"] {
        assert_eq!(outcome(&reply_from(&door, address, "bump")), "201");
    }
}

#[test]
fn a_refused_thread_takes_no_room_from_others() {
    let site = site("");
    site.write("content/tech/board.yaml", "title: Tech\nthreads_per_hour_max: 2\n");
    let door = Running::start(site.root());
    let text = "a text that comes again and again and again";
    let thread =
        |n: usize, body| outcome(&post_from(&door, &format!("198.51.100.{n}"), &[("board", "tech"), ("body", body)]));
    assert_eq!(thread(1, text), "201");
    assert!((2..9).all(|n| thread(n, text) == "duplicate"));
    assert_eq!(thread(9, "another one"), "201");
    assert_eq!(thread(10, "one too many"), "many_threads");
}

#[test]
fn a_board_says_how_many_links_a_post_holds() {
    let site = site("");
    site.write("content/tech/board.yaml", "title: Tech\nlinks_max: 1\n");
    let door = Running::start(site.root());
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "see https://a.example")), "201");
    let refused = reply_from(&door, "203.0.113.9", "see https://a.example and HTTP://b.example");
    assert_eq!((refused.status, outcome(&refused).as_str()), (422, "too_long"));
    assert!(refused.body.contains("The body is too long: 2 of at most 1 links."), "{}", refused.body);
}

#[test]
fn what_fills_in_fields_that_nobody_sees_is_told_so() {
    let site = site("");
    let door = Running::start(site.root());
    let page = door.get("/tech/thread/1.html").body;
    for trap in ["website", "message"] {
        let fields = [("board", "tech"), ("thread", "1"), ("body", "buy"), (trap, "http://a.example")];
        let refused = post_from(&door, "203.0.113.9", &fields);
        assert_eq!((refused.status, outcome(&refused).as_str()), (422, "spam"), "{refused:?}");
        // It is there, but neither for eyes nor for the keyboard nor for screen readers.
        let form = page.split("<p class=\"trap\" aria-hidden=\"true\">").nth(1).expect("a form has traps");
        let field = form.split(&format!("name=\"{trap}\"")).nth(1).and_then(|rest| rest.split('>').next()).unwrap();
        assert!(field.contains("tabindex=\"-1\" autocomplete=\"off\""), "{field}");
    }
    let empty = [("board", "tech"), ("thread", "1"), ("body", "hello"), ("website", ""), ("message", "")];
    assert_eq!(outcome(&post_from(&door, "203.0.113.9", &empty)), "201");
    let style = include_str!("../../themes/default/assets/style.css");
    assert!(style.contains(".trap { display: none }"));
}
