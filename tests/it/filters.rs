//! `content/filters.yaml`: what it finds, and what is told of mistakes in it.

use std::net::IpAddr;
use std::path::Path;

use nejiboard::model::{PostId, Submission};
use nejiboard::store::filters::{Filters, Finding};

use super::guard::{outcome, reply_from, site};
use super::sandbox::running::{Running, run, wait_until};
use super::sandbox::slug;

fn filters(text: &str) -> Filters {
    Filters::parse(Path::new("filters.yaml"), text).unwrap()
}

fn post(body: &str) -> Submission {
    Submission {
        id: PostId::parse("a").unwrap(),
        board: slug("tech"),
        thread: None,
        name: String::new(),
        trip: String::new(),
        subject: String::new(),
        sage: false,
        body: body.to_owned(),
        password: String::new(),
        address: IpAddr::from([203, 0, 113, 9]),
    }
}

/// What becomes of a body.
#[track_caller]
fn check(text: &str, body: &str, expected: Finding, left: &str) {
    let mut post = post(body);
    assert_eq!(filters(text).apply(&mut post, |_| ()), expected, "{text}: {body}");
    assert_eq!(post.body, left, "{text}: {body}");
}

fn reject(why: &str) -> Finding {
    Finding::Reject(why.to_owned())
}

#[test]
fn a_text_is_found_in_whatever_disguise() {
    let casino = "- {match: Casino, why: no casinos.}";
    for body in [
        "my casino!",
        "CASINO",
        "ｃａｓｉｎｏ",
        "ca\u{200b}si\u{2060}no",
        "c\u{336}a\u{336}s\u{336}i\u{336}no",
        "cásinò",
    ] {
        check(casino, body, reject("no casinos"), body);
    }
    for body in ["cas ino", "casin0", ""] {
        check(casino, body, Finding::Pass, body);
    }
    // A text is no pattern.
    check("- match: a.c", "abc", Finding::Pass, "abc");
    check("- match: 友達", "この友達", reject(""), "この友達");
}

#[test]
fn a_pattern_is_found_as_it_came_and_without_disguise() {
    check("- regex: 'b[uo]y +gold'", "BUY  ｇｏｌｄ", reject(""), "BUY  ｇｏｌｄ");
    check("- regex: '[\\u{200b}]'", "a\u{200b}b", reject(""), "a\u{200b}b");
    check("- regex: '^ab$'", "cabd", Finding::Pass, "cabd");
}

#[test]
fn what_is_found_is_replaced_and_the_next_filter_sees_what_is_left() {
    let text = "- {match: heck, action: replace, with: '****'}";
    check(text, "what the HECK, h\u{200b}eck and héck", Finding::Pass, "what the ****, **** and ****");
    check("- {regex: 'a+', action: replace, with: $0aa}", "xaay", Finding::Pass, "x$0aay");
    check("- {regex: 'Ａ', action: replace, with: b}", "xＡy", Finding::Pass, "xby");
    check("- {match: kg, action: replace, with: lb}", "7 ㎏", Finding::Pass, "7 lb");
    check("- {match: k, action: replace, with: x}\n- {match: lb}", "7 ㎏", Finding::Pass, "7 x");
    check("- {match: a, action: replace, with: b}\n- {match: bb, why: two}", "aa", reject("two"), "bb");
    check("- {match: a, action: replace}", "banana", Finding::Pass, "bnn");
}

#[test]
fn the_first_that_refuses_decides_and_holding_is_less_than_that() {
    let hold = Finding::Hold("a filter: 1: gold".to_owned());
    check("- {match: gold, action: hold}", "gold", hold, "gold");
    check("- {match: gold, action: hold}\n- {match: buy, why: no}", "buy gold", reject("no"), "buy gold");
    let ban = Finding::Ban("spam".to_owned(), 3);
    check("- {match: gold, action: ban, hours: 3, why: spam}\n- match: buy", "buy gold", ban, "buy gold");
    check("- {match: gold, action: ban}", "gold", Finding::Ban(String::new(), 24), "gold");
}

#[test]
fn a_filter_looks_where_it_is_told_to() {
    let mut named = Submission { name: "Gold Seller".to_owned(), ..post("hello") };
    let mut titled = Submission { subject: "GOLD".to_owned(), ..post("hello") };
    for (text, of_name, of_subject) in [
        ("- match: gold", true, true),
        ("- {match: gold, in: name}", true, false),
        ("- {match: gold, in: [subject, body]}", false, true),
        ("- {match: gold, board: art}", false, false),
        ("- {match: gold, board: tech}", true, true),
    ] {
        assert_eq!(filters(text).apply(&mut named, |_| ()) != Finding::Pass, of_name, "{text}");
        assert_eq!(filters(text).apply(&mut titled, |_| ()) != Finding::Pass, of_subject, "{text}");
    }
    let mut hits = Vec::new();
    filters("- match: x\n- match: gold").apply(&mut named, |name| hits.push(name.to_owned()));
    assert_eq!(hits, ["2: gold"]);
}

#[track_caller]
fn wrong(text: &str, expected: &[&str]) {
    let problems = Filters::parse(Path::new("filters.yaml"), text).expect_err("this text is wrong");
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        told.len() == expected.len() && told.iter().zip(expected).all(|(told, part)| told.contains(part)),
        "{told:#?}"
    );
}

#[test]
fn mistakes_are_told_with_their_place_and_the_way_out() {
    wrong("- {match: a, acton: ban}", &["filters.yaml:1:14: unknown setting `acton`\n  hint: did you mean `action`?"]);
    wrong(
        "- match: a\n  action: burn",
        &["2:11: `action` cannot be `burn`\n  hint: `reject`, `hold`, `replace` or `ban`"],
    );
    wrong("- match: a\n  in: title", &["2:7: `in` cannot be `title`\n  hint: some of `body`, `name` and `subject`"]);
    wrong("- match: a\n- regex: '(a'", &["2:3: the pattern of filter 2 cannot be used: unclosed group"]);
    wrong("- regex: '\\w{1000}{1000}'", &["1:3: the pattern of filter 1 cannot be used"]);
    wrong("- regex: 'a*'", &["the pattern of filter 1 finds nothing, everywhere"]);
    wrong("- {match: a, regex: b}\n- {why: x}", &["1:3: a filter has a `match` or a `regex`", "2:3: a filter has"]);
    wrong("- {match: a, with: b}", &["`with` is for `action: replace` alone"]);
    wrong("- {match: a, hours: 5}", &["`hours` is for `action: ban` alone"]);
    wrong("match: a", &["1:1: the file must be a list of filters, not a mapping"]);
    wrong("- casino", &["1:3: a filter must be a mapping, not the text `casino`"]);
    wrong(&"- match: a\n".repeat(501), &["there are 501 filters, at most 500"]);
    assert!(filters("").is_empty() && filters("# nothing yet\n").is_empty());
}

/// The nastiest pattern and text take time as their sizes say.
#[test]
fn no_pattern_makes_a_post_take_long() {
    let text = "- regex: '(a+)+$'\n- regex: '(x+x+)+y'\n- regex: '(.*)(.*)(.*)(.*)q'\n".to_owned()
        + &(0..200).map(|n| format!("- match: advertisement number {n}\n")).collect::<String>();
    let filters = filters(&text);
    let body = "ax".repeat(4_000) + "!";
    let began = std::time::Instant::now();
    assert_eq!(filters.apply(&mut post(&body), |_| ()), Finding::Pass);
    println!("203 filters on 8,001 characters: {:?}", began.elapsed());
    assert!(began.elapsed().as_millis() < 500, "{:?}", began.elapsed());
}

#[test]
fn the_door_keeps_to_the_file_as_it_is_now() {
    let site = site("");
    let (door, monitor) = super::monitor::start(&site);
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "a fine casino")), "201");
    site.write("content/filters.yaml", "- {match: casino, why: no casinos}\n");
    let refused = reply_from(&door, "203.0.113.9", "another cas\u{200b}ino");
    assert_eq!((refused.status, outcome(&refused).as_str()), (422, "filtered"), "{refused:?}");
    assert!(refused.body.contains("This text is not wanted here. The reason: no casinos."), "{}", refused.body);
    let figures = super::sandbox::running::get(monitor, "/metrics").body;
    assert!(figures.contains("nejiboard_filter_hits_total{filter=\"1: casino\"} 1\n"), "{figures}");
    // A mistake is told, and what was there before goes on to hold.
    site.write("content/filters.yaml", "- {mach: casino}\n");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "one more casino")), "filtered");
    wait_until("the mistake is told", || door.told().contains("did you mean `match`?"));
    assert!(door.get("/healthz").body.contains("filters"), "{}", door.get("/healthz").body);
    let output = run(site.root(), &["check"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("filters.yaml:1:4: unknown setting `mach`"), "{told}");
    site.remove("content/filters.yaml");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "the last casino")), "201");
    assert_eq!(door.get("/healthz").status, 200);
}

#[test]
fn a_filter_bans_the_sender_and_nobody_sees_the_address() {
    let site = site("");
    site.write("content/filters.yaml", "- {match: casino, action: ban, hours: 5, why: spam}\n");
    let door = Running::start(site.root());
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "a fine casino")), "filtered");
    wait_until("the ban holds", || outcome(&reply_from(&door, "203.0.113.9", "hello")) == "banned");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.10", "hello")), "201");
    for path in [".nejiboard/mod/log", ".nejiboard/mod/bans"] {
        let text = site.read(path);
        assert!(text.contains("spam") && !text.contains("203.0.113"), "{text}");
    }
    // Those who have the address of the machine are many.
    let local = |body| door.post(&[("board", "tech"), ("thread", "1"), ("body", body)]).status;
    assert_eq!((local("a local casino"), local("hello")), (422, 303));
}
