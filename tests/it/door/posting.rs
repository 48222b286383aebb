//! Forms that are well: what becomes of each field, and how the poster hears of it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use nejiboard::model::settings::BaseUrl;
use nejiboard::model::{BoardSettings, Refusal, SiteSettings};
use serde_json::json;

use super::setup::{Fake, NOW, Outcome, Quiet, number, quick, request};

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_form_becomes_a_submission() {
    let quiet = Quiet::new(Fake::default());
    let form = "board=tech&thread=1&name=Neji%23key&options=noko+SAGE&subject=On+%3Cnuts%3E&body=caf%C3%A9%0D%0Aau+lait\
                &password=p&nonce=n&unknown=1&unknown=2";
    let post = quiet.taken_from(form);
    assert_eq!(post.board.as_str(), "tech");
    assert_eq!(post.thread, Some(number(1)));
    assert_eq!((post.name.as_str(), post.trip.as_str()), ("Neji", "!key"));
    assert_eq!(post.subject, "On <nuts>");
    assert!(post.sage);
    assert_eq!(post.body, "café\nau lait");
    assert_eq!(post.address, super::setup::SOMEONE);
}

#[test]
fn a_multipart_form_becomes_the_same_submission() {
    let quiet = Quiet::new(Fake::default());
    let urlencoded = quiet.taken_from("board=tech&thread=1&name=N&subject=S&body=%E2%9C%93%0Atwo&nonce=n");
    let answer = quiet.post_as(
        "multipart/form-data; boundary=XX",
        "--XX\r\nContent-Disposition: form-data; name=\"board\"\r\n\r\ntech\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"thread\"\r\n\r\n1\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nN\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"subject\"\r\n\r\nS\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\n✓\ntwo\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"nonce\"\r\n\r\nn\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"upload\"; filename=\"\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n\r\n--XX--\r\n",
    );
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(quiet.backend.taken()[1], urlencoded);
}

#[test]
fn line_ends_become_one_kind_and_white_space_at_the_end_goes() {
    let quiet = Quiet::new(Fake::default());
    assert_eq!(quiet.taken_from("board=tech&body=%20a%0D%0Ab%0Dc%0A%0Ad%0D%0A%E3%80%80%0D").body, " a\nb\nc\n\nd");
}

#[test]
fn an_empty_thread_field_opens_a_thread_and_sage_means_nothing_there() {
    let quiet = Quiet::new(Fake::default());
    let post = quiet.taken_from("board=tech&thread=&options=sage&body=x");
    assert_eq!((post.thread, post.sage), (None, false));
}

#[test]
fn sage_is_a_whole_word() {
    for (options, sage) in [
        ("sage", true),
        ("SaGe", true),
        ("noko%20sage", true),
        ("sage,noko", true),
        ("sagemode", false),
        ("us%61ge", false),
    ] {
        let quiet = Quiet::new(Fake::default());
        assert_eq!(quiet.taken_from(&format!("board=tech&thread=1&body=x&options={options}")).sage, sage, "{options}");
    }
}

#[test]
fn name_and_subject_are_one_line_that_steers_nothing() {
    let quiet = Quiet::new(Fake::default());
    // A line break, an escape, a right-to-left override, an ideographic space that stays.
    let post = quiet.taken_from("board=tech&body=x&name=+a%0Ab%1B%5B1m%E2%80%AEc+&subject=d%0D%0Ae%E3%80%80f%C2%9B");
    assert_eq!(post.name, "a b[1mc");
    assert_eq!(post.subject, "d  e\u{3000}f");
}

#[test]
fn a_name_that_nobody_could_see_is_no_name() {
    let quiet = Quiet::new(Fake::default());
    assert_eq!(quiet.taken_from("board=tech&body=x&name=%E2%80%8B%E3%85%A4").name, "");
}

#[test]
fn a_board_may_have_no_names_and_no_subjects() {
    let board = BoardSettings { name_chars_max: 0, subject_chars_max: 0, ..BoardSettings::default() };
    let quiet = Quiet::new(Fake { board, ..Fake::default() });
    let post = quiet.taken_from("board=tech&body=x&name=Neji%23key&subject=s");
    assert_eq!((post.name, post.trip, post.subject), Default::default());
}

#[test]
fn limits_are_kept_to_the_last_character() {
    let board = BoardSettings { body_chars_max: 10, body_lines_max: 3, quotes_max: 2, ..BoardSettings::default() };
    let quiet = Quiet::new(Fake { board, ..Fake::default() });
    quiet.taken_from("board=tech&body=%F0%9F%8D%A5%F0%9F%8D%A534567890");
    quiet.taken_from("board=tech&body=1%0D%0A2%0D%0A3");
    quiet.taken_from("board=tech&body=%3E%3E1+%3E%3E2");
    for (body, what) in [
        ("12345678901", "The body is too long: 11 of at most 10 characters."),
        ("1%0A2%0A3%0A4", "The body is too long: 4 of at most 3 lines."),
        ("%3E%3E1%3E%3E2%3E%3E3", "The body is too long: 3 of at most 2 quotes."),
    ] {
        let headers = [("content-type", FORM), ("accept", "application/json")];
        let answer = quiet.ask(request("POST", "/post", &headers, format!("board=tech&body={body}")));
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json(), json!({ "error": { "code": "too_long", "message": what } }), "{body}");
    }
}

/// More of them than become links, which is another bound.
#[test]
fn quotes_are_counted_to_the_last_one() {
    let board = BoardSettings { quotes_max: 150, ..BoardSettings::default() };
    let quiet = Quiet::new(Fake { board, ..Fake::default() });
    let body = |quotes: usize| format!("board=tech&body={}", "%3E%3E1+".repeat(quotes));
    quiet.taken_from(&body(150));
    let answer = quiet.post(body(151));
    assert_eq!(answer.status, 422);
}

#[test]
fn names_and_subjects_have_limits() {
    let board = BoardSettings { name_chars_max: 4, subject_chars_max: 5, ..BoardSettings::default() };
    let quiet = Quiet::new(Fake { board, ..Fake::default() });
    // A key does not count as part of the name, but has an end too.
    quiet.taken_from("board=tech&body=x&name=Neji%23a+long+key&subject=12345");
    for form in ["name=Nejis".to_owned(), format!("name=N%23{}", "k".repeat(140)), "subject=123456".to_owned()] {
        assert_eq!(quiet.post(format!("board=tech&body=x&{form}")).status, 422, "{form}");
    }
    for field in ["options", "nonce", "password"] {
        assert_eq!(quiet.post(format!("board=tech&body=x&{field}={}", "k".repeat(129))).status, 422, "{field}");
    }
}

#[test]
fn the_poster_is_sent_to_the_post() {
    let quiet = Quiet::new(Fake::default());
    let answer = quiet.post("board=tech&thread=1&body=x");
    assert_eq!((answer.status, answer.header("location")), (303, "/tech/thread/1.html#p77"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[test]
fn the_site_may_stand_below_a_prefix_and_the_door_on_another_host() {
    let base_url = BaseUrl::parse("https://board.test/boards/").unwrap();
    let site = SiteSettings { base_url, ..SiteSettings::default() };
    let quiet = Quiet::new(Fake { site: site.clone(), ..Fake::default() });
    for path in ["/boards/post", "/post"] {
        let answer = quiet.ask(request("POST", path, &[("content-type", FORM)], "board=tech&thread=1&body=x"));
        assert_eq!((answer.status, answer.header("location")), (303, "/boards/tech/thread/1.html#p77"));
    }

    let site = SiteSettings { post_url: Some("https://door.test/post".to_owned()), ..site };
    let quiet = Quiet::new(Fake { site, ..Fake::default() });
    let answer = quiet.post("board=tech&thread=1&body=x");
    assert_eq!(answer.header("location"), "https://board.test/boards/tech/thread/1.html#p77");
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://door.test;"), "{policy}");
}

#[test]
fn forms_are_taken_where_the_settings_send_them() {
    for (post_url, path) in [
        ("/submit", "/submit"),
        ("https://door.test/api/submit?x=1", "/api/submit?x=1"),
        ("https://door.test/api/submit", "/post"),
        ("https://door.test", "/post"),
    ] {
        let site = SiteSettings { post_url: Some(post_url.to_owned()), ..SiteSettings::default() };
        let quiet = Quiet::new(Fake { site, ..Fake::default() });
        let answer = quiet.ask(request("POST", path, &[("content-type", FORM)], "board=tech&body=x"));
        assert_eq!(answer.status, 303, "{post_url}");
        assert_eq!(quiet.ask(request("POST", "/", &[("content-type", FORM)], "board=tech&body=x")).status, 405);
    }
}

#[test]
fn programs_are_answered_in_json() {
    let quiet = Quiet::new(Fake::default());
    let headers = [("content-type", FORM), ("accept", "application/json, */*;q=0.1")];
    let answer = quiet.ask(request("POST", "/post", &headers, "board=tech&body=x"));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json(), json!({ "board": "tech", "thread": 77, "no": 77, "url": "/tech/thread/77.html#p77" }));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

#[test]
fn json_is_for_those_who_prefer_it() {
    for (accept, json) in [
        ("application/json", true),
        ("application/json, text/plain, */*", true),
        ("application/*;q=0.9, text/html;q=0.8", true),
        ("text/html, application/json;q=0.9", false),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false),
        ("application/json;q=0", false),
        ("application/json;q=0.5, text/html;q=0.5", false),
        ("application/json;q=nonsense, text/html;q=0.1", false),
        ("*/*", false),
        ("", false),
    ] {
        let quiet = Quiet::new(Fake::default());
        let headers = [("content-type", FORM), ("accept", accept)];
        let answer = quiet.ask(request("POST", "/post", &headers, "board=tech&body=x"));
        assert_eq!(answer.status, if json { 201 } else { 303 }, "{accept}");
    }
}

#[test]
fn a_post_that_is_safe_but_not_yet_visible_is_202() {
    let quiet = Quiet::new(Fake { outcome: Outcome::Safe, ..Fake::default() });
    let answer = quiet.post("board=tech&thread=1&body=x");
    assert_eq!(answer.status, 202);
    assert!(answer.text().contains("<h1>safe</h1>tech Some"), "{}", answer.text());
    let headers = [("content-type", FORM), ("accept", "application/json")];
    let answer = quiet.ask(request("POST", "/post", &headers, "board=tech&body=x"));
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json(), json!({ "board": "tech", "thread": null, "safe": true }));
}

#[test]
fn a_client_that_would_rather_not_wait_is_answered_once_the_post_is_safe() {
    let quiet = Quiet::new(Fake::default());
    for (prefer, status) in [("respond-async", 202), ("wait=5, Respond-Async; x=1", 202), ("wait=5", 303), ("", 303)] {
        let headers = [("content-type", FORM), ("prefer", prefer)];
        assert_eq!(quiet.ask(request("POST", "/post", &headers, "board=tech&body=x")).status, status, "{prefer}");
    }
}

#[test]
fn what_the_backend_refuses_is_told_with_what_was_typed() {
    for (refusal, retry_after) in [(Refusal::Busy(7), "7"), (Refusal::NotStored, "30")] {
        let quiet = Quiet::new(Fake { outcome: Outcome::Refused(refusal), ..Fake::default() });
        let answer = quiet.post("board=tech&body=long+thoughts");
        assert_eq!((answer.status, answer.header("retry-after")), (503, retry_after));
        assert!(answer.text().contains("<textarea>long thoughts</textarea>"), "{}", answer.text());
    }
}

#[test]
fn a_backend_that_never_answers_is_not_waited_for_without_end() {
    let limits = nejiboard::intake::Limits { accept_time: Duration::from_millis(50), ..quick() };
    let quiet = Quiet::with_limits(Fake { outcome: Outcome::Never, ..Fake::default() }, limits);
    assert_eq!(quiet.post("board=tech&body=x").status, 503);
}

#[test]
fn a_panic_costs_one_request() {
    let quiet = Quiet::new(Fake { outcome: Outcome::Panic, ..Fake::default() });
    let answer = quiet.post("board=tech&body=x");
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("<h1>fault</h1>"), "{}", answer.text());
    quiet.file("index.html", "home");
    assert_eq!(quiet.get("/").text(), "home");
}

#[test]
fn the_same_nonce_and_fields_are_the_same_post() {
    let form = "board=tech&thread=1&name=N&subject=S&body=B&nonce=one";
    let first = Quiet::new(Fake::default()).taken_from(form).id;
    // Another process, another day.
    let fake = Fake::default();
    fake.now.store(NOW + 86_400, Ordering::Relaxed);
    let quiet = Quiet::new(fake);
    assert_eq!(quiet.taken_from(form).id, first);
    let base32 = |b: u8| b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"ILOU".contains(&b));
    assert!(first.as_str().len() == 26 && first.as_str().bytes().all(base32), "{first:?}");
    for other in [
        "board=tech&thread=1&name=N&subject=S&body=B&nonce=two",
        "board=tech&thread=1&name=N&subject=S&body=BB&nonce=one",
        "board=tech&thread=1&name=NS&subject=&body=B&nonce=one",
        "board=tech&name=N&subject=S&body=B&nonce=one",
    ] {
        assert_ne!(quiet.taken_from(other).id, first, "{other}");
    }
}

#[test]
fn without_a_nonce_a_resend_is_known_for_half_a_minute() {
    let quiet = Quiet::new(Fake::default());
    let first = quiet.taken_from("board=tech&body=x").id;
    quiet.backend.now.store(NOW + 29, Ordering::Relaxed);
    assert_eq!(quiet.taken_from("board=tech&body=x").id, first);
    assert_ne!(quiet.taken_from("board=tech&body=y").id, first);
    let elsewhere = request("POST", "/post", &[("content-type", FORM)], "board=tech&body=x");
    assert_eq!(quiet.ask_from("203.0.113.10".parse().unwrap(), elsewhere).status, 303);
    assert_ne!(quiet.backend.taken().pop().unwrap().id, first);
    quiet.backend.now.store(NOW + 31, Ordering::Relaxed);
    assert_ne!(quiet.taken_from("board=tech&body=x").id, first);
}

#[test]
fn only_so_many_resends_are_remembered() {
    let limits = nejiboard::intake::Limits { resends_max: 2, ..quick() };
    let quiet = Quiet::with_limits(Fake::default(), limits);
    let ids = |body: &str| quiet.taken_from(&format!("board=tech&body={body}")).id;
    let (a, b) = (ids("a"), ids("b"));
    let c = ids("c");
    assert_eq!(ids("c"), c);
    assert_ne!(ids("a"), a);
    assert_ne!(ids("b"), b);
}
