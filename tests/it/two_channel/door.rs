//! `bbs.cgi` at the door: what becomes of its fields, and what clients are told.

use std::net::IpAddr;

use encoding_rs::SHIFT_JIS;
use nejiboard::model::settings::BaseUrl;
use nejiboard::model::{BoardSettings, Format, Formats, Refusal, SiteSettings};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::super::door::setup::{Answer, Fake, Outcome, Quiet, number, request};
use super::reader::text;

const FORM: &str = "application/x-www-form-urlencoded";

fn with_formats(backend: Fake) -> Fake {
    let mut formats = Formats::NONE;
    formats.insert(Format::TwoChannel);
    Fake { site: SiteSettings { formats, ..backend.site }, ..backend }
}

fn quiet() -> Quiet {
    Quiet::new(with_formats(Fake::default()))
}

/// A field's value as clients write it: each byte in Shift_JIS escaped, references for what that lacks.
pub fn escaped(text: &str) -> String {
    SHIFT_JIS.encode(text).0.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// A form as JDim sends it.
pub fn form(thread: &str, name: &str, mail: &str, message: &str) -> String {
    let [name, mail, message] = [name, mail, message].map(escaped);
    let submit = escaped("書き込む");
    format!("FROM={name}&mail={mail}&MESSAGE={message}&bbs=tech&key={thread}&time=1740910830&submit={submit}")
}

fn send_as(quiet: &Quiet, media_type: &str, form: &str) -> Answer {
    quiet.ask(request("POST", "/test/bbs.cgi", &[("content-type", media_type)], form))
}

fn send(quiet: &Quiet, form: &str) -> Answer {
    send_as(quiet, FORM, form)
}

#[track_caller]
fn is_taken(answer: &Answer) {
    let page = text(&answer.body);
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=Shift_JIS"), "{page}");
    assert!(page.contains("<title>書きこみました。</title>") && page.contains("<!-- 2ch_X:true -->"), "{page}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[track_caller]
fn is_refused(answer: &Answer, status: u16, why: &str) {
    let page = text(&answer.body);
    assert_eq!((answer.status, answer.header("content-type")), (status, "text/html; charset=Shift_JIS"), "{page}");
    assert!(page.contains("<title>ＥＲＲＯＲ！</title>") && page.contains("<!-- 2ch_X:error -->"), "{page}");
    assert!(page.contains(&format!("<b>{why}</b>")), "{why}: {page}");
}

#[test]
fn a_form_in_shift_jis_becomes_a_submission() {
    let quiet = quiet();
    is_taken(&send(&quiet, &form("1", "ねじ#key", "sage", "表示\r\n&#9829; ～ ￠ \\ ｱ 🍥")));
    let post = quiet.backend.taken().pop().unwrap();
    assert_eq!((post.board.as_str(), post.thread), ("tech", Some(number(1))));
    assert_eq!((post.name.as_str(), post.trip.as_str(), post.sage), ("ねじ", "!key", true));
    assert_eq!(post.body, "表示\n♥ ～ ￠ \\ ｱ 🍥");
    assert_eq!((post.subject.as_str(), post.password.as_str()), ("", ""));
}

#[test]
fn a_form_without_a_key_opens_a_thread() {
    let quiet = quiet();
    let submit = escaped("新規スレッド作成");
    let form = format!("bbs=tech&subject={}&time=1&submit={submit}&FROM=&mail=sage&MESSAGE=x", escaped("題名 <é>"));
    is_taken(&send(&quiet, &form));
    let post = quiet.backend.taken().pop().unwrap();
    assert_eq!((post.thread, post.subject.as_str(), post.sage), (None, "題名 <é>", false));
}

/// Half-width letters are as good as others in UTF-8, so nothing is guessed.
#[test]
fn a_form_is_in_utf_8_only_if_it_says_so() {
    let taken = |media_type: &str, message: &str| {
        let quiet = quiet();
        is_taken(&send_as(&quiet, media_type, &format!("bbs=tech&key=1&MESSAGE={message}")));
        quiet.backend.taken().pop().unwrap().body
    };
    assert_eq!(taken(FORM, "%C3%BD"), "ﾃｽ");
    for named in ["utf-8", "UTF8", "\"utf-8\""] {
        assert_eq!(taken(&format!("{FORM}; charset={named}"), "%C3%BD+%26%239829%3B"), "ý &#9829;", "{named}");
    }
    for named in ["Shift_JIS", "x-sjis", "MS_Kanji", "Windows-31J"] {
        assert_eq!(taken(&format!("{FORM}; charset={named}"), "%C3%BD"), "ﾃｽ", "{named}");
    }
    for named in ["euc-jp", "iso-2022-jp", "none"] {
        let answer = send_as(&quiet(), &format!("{FORM}; charset={named}"), "bbs=tech&key=1&MESSAGE=x");
        assert_eq!(answer.status, 200);
        assert!(text(&answer.body).contains("2ch_X:error"), "{named}");
    }
}

/// Others were typed.
#[test]
fn references_are_read_for_what_shift_jis_lacks() {
    for (sent, taken) in [
        ("&#9829;&#x2665;&#X2665;", "♥♥♥"),
        ("&#165;&#8254;&#8722;&#12316;", "¥‾−〜"),
        ("&#127845;", "🍥"),
        ("&#65; &#60;b&#62; &#38;#65; &#12354;", "&#65; &#60;b&#62; &#38;#65; &#12354;"),
        (
            "&#0; &#10; &#128; &#xD800; &#x110000; &#99999999999;",
            "&#0; &#10; &#128; &#xD800; &#x110000; &#99999999999;",
        ),
        ("&# &#; &#x; &#-1; &#+9829; &#9829 &&#9829;", "&# &#; &#x; &#-1; &#+9829; &#9829 &♥"),
        ("&#表; &#あ9829;", "&#表; &#あ9829;"),
        ("&amp; &lt;", "&amp; &lt;"),
        ("x&#", "x&#"),
    ] {
        let quiet = quiet();
        is_taken(&send(&quiet, &form("1", "", "", sent)));
        assert_eq!(quiet.backend.taken().pop().unwrap().body, taken, "{sent}");
    }
}

/// Who reads 2ch counts lines, and posts here have numbers of their own.
#[test]
fn quotes_of_lines_become_quotes_of_posts() {
    for (sent, taken) in [
        (">>1 >>2>>3", ">>1 >>4>>9"),
        ("a>>2b\n>>3.", "a>>4b\n>>9."),
        (">>2-3 >>1,2,3 >>2- >>2,x", ">>4->>9 >>1,>>4,>>9 >>4- >>4,x"),
        (">>4 >>0 >>99999999999999999999 >>1-9", ">> 4 >> 0 >> 99999999999999999999 >>1->> 9"),
        (">>No.77 >>No.x >>No.", ">>77 >>No.x >>No."),
        (">2 >>>/tech/2 >>>2 >> 2 >>", ">2 >>>/tech/2 >>>2 >> 2 >>"),
    ] {
        let quiet = quiet();
        is_taken(&send(&quiet, &form("1", "", "", sent)));
        assert_eq!(quiet.backend.taken().pop().unwrap().body, taken, "{sent}");
    }
    let quiet = quiet();
    is_taken(&send(&quiet, "bbs=tech&subject=s&MESSAGE=%3E%3E1"));
    assert_eq!(quiet.backend.taken().pop().unwrap().body, ">> 1", "a new thread has no lines yet");
}

#[test]
fn a_refusal_is_told_with_a_status_that_clients_look_at() {
    let board = BoardSettings { body_chars_max: 3, ..BoardSettings::default() };
    let quiet = Quiet::new(with_formats(Fake { board, ..Fake::default() }));
    let no_thread = "There is no such thread. It may have been removed.";
    for (sent, why) in [
        (form("1", "", "", "four"), "The body is too long: 4 of at most 3 characters."),
        (form("1", "", "", " "), "A post needs some text."),
        (form("2", "", "", "x"), "This thread is locked."),
        (form("3", "", "", "x"), "This thread is full. Start a new one."),
        (form("4", "", "", "x"), "That is a reply, not a thread: it stands in thread 1."),
        (form("99", "", "", "x"), no_thread),
        (form("x", "", "", "x"), no_thread),
        ("bbs=none&key=1&MESSAGE=x".to_owned(), "There is no such board."),
        (String::from("key=1&MESSAGE=x"), "There is no such board."),
        (form("1", "", "", "x") + "&MESSAGE=y", "The field “body” came twice."),
        ("bbs=tech&key=1&MESSAGE=%80%FF".to_owned(), "The field “body” is not plain UTF-8 text."),
        ("bbs=tech&key=1&MESSAGE=a%00b".to_owned(), "The field “body” is not plain UTF-8 text."),
        ("bbs=tech&key=1&MESSAGE=%95".to_owned(), "The field “body” is not plain UTF-8 text."),
    ] {
        // The quotes of the sentence are in Shift_JIS too.
        is_refused(&send(&quiet, &sent), 200, why);
    }
    assert_eq!(quiet.backend.taken().len(), 0);
    let spam = Quiet::new(with_formats(Fake { outcome: Outcome::Refused(Refusal::TooFast(7)), ..Fake::default() }));
    let answer = send(&spam, &form("1", "", "", "x"));
    is_refused(&answer, 200, "You are too fast. Try again in 7 seconds.");
    assert_eq!(answer.header("retry-after"), "7");
}

#[test]
fn what_is_no_form_is_refused_as_such() {
    let quiet = quiet();
    let why = "Send the form as `application/x-www-form-urlencoded` or `multipart/form-data`.";
    is_refused(&send_as(&quiet, "multipart/form-data; boundary=x", "--x--"), 415, why);
    is_refused(&send_as(&quiet, "text/plain", "x"), 415, why);
    let huge = "x".repeat(2 << 20);
    let answer = send(&quiet, &format!("bbs=tech&MESSAGE={huge}"));
    assert_eq!((answer.status, answer.header("connection")), (413, "close"));
    let many = "a=1&".repeat(1_000);
    assert!(text(&send(&quiet, &many).body).contains("2ch_X:error"));
    let get = quiet.get("/test/bbs.cgi");
    assert_eq!((get.status, get.header("allow")), (405, "POST, OPTIONS"));
}

#[test]
fn a_form_that_is_sent_twice_is_one_post() {
    let quiet = quiet();
    let sent = form("1", "", "", "once");
    (0..2).for_each(|_| is_taken(&send(&quiet, &sent)));
    is_taken(&send(&quiet, &form("1", "", "", "again")));
    let other: IpAddr = "198.51.100.7".parse().unwrap();
    is_taken(&quiet.ask_from(other, request("POST", "/test/bbs.cgi", &[("content-type", FORM)], &sent)));
    let ids: Vec<_> = quiet.backend.taken().into_iter().map(|post| post.id).collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
}

#[test]
fn a_post_that_is_not_on_its_page_yet_is_taken_all_the_same() {
    let quiet = Quiet::new(with_formats(Fake { outcome: Outcome::Safe, ..Fake::default() }));
    is_taken(&send(&quiet, &form("1", "", "", "x")));
}

#[test]
fn there_is_no_such_address_unless_the_site_is_written_that_way() {
    let quiet = Quiet::new(Fake::default());
    assert_eq!(send(&quiet, &form("1", "", "", "x")).status, 405, "as for any file");
    for path in ["/test/bbs.cgi", "/test/read.cgi/tech/1/"] {
        assert_eq!(quiet.get(path).status, 404, "{path}");
    }
    let base_url = BaseUrl::parse("https://board.test/boards/").unwrap();
    let site = SiteSettings { base_url, ..SiteSettings::default() };
    let quiet = Quiet::new(with_formats(Fake { site, ..Fake::default() }));
    let below = request("POST", "/boards/test/bbs.cgi", &[("content-type", FORM)], form("1", "", "", "x"));
    is_taken(&quiet.ask(below));
    assert_eq!(send(&quiet, &form("1", "", "", "x")).status, 405);
}

#[test]
fn its_fields_are_those_of_the_form_and_no_others() {
    let quiet = quiet();
    let more = "&name=other&body=other&website=trap&message=trap&nonce=n&task=delete&no=1&password=p";
    is_taken(&send(&quiet, &(form("1", "A", "", "x") + more)));
    let post = quiet.backend.taken().pop().unwrap();
    assert_eq!((post.name.as_str(), post.body.as_str(), post.password.as_str()), ("A", "x", ""));
}

#[test]
fn files_have_the_type_that_clients_read_them_by() {
    let quiet = quiet();
    for (path, media_type) in [
        ("tech/dat/1.dat", "text/plain; charset=Shift_JIS"),
        ("tech/subject.txt", "text/plain; charset=Shift_JIS"),
        ("tech/SETTING.TXT", "text/plain; charset=Shift_JIS"),
        ("bbsmenu.html", "text/html; charset=Shift_JIS"),
        ("tech/index.html", "text/html; charset=utf-8"),
        ("robots.txt", "text/plain; charset=utf-8"),
    ] {
        quiet.file(path, "x");
        assert_eq!(quiet.get(&format!("/{path}")).header("content-type"), media_type, "{path}");
    }
}

/// A panic would be a 500.
#[test]
fn whatever_comes_is_taken_or_refused() {
    let quiet = quiet();
    let pieces = prop_oneof![
        Just(b"&#".to_vec()),
        Just(b">>".to_vec()),
        Just(b"No.".to_vec()),
        Just(b"&#x".to_vec()),
        Just("表～".as_bytes().to_vec()),
        "[0-9;,-]{1,12}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(pieces, 0..12), |pieces| {
            let message: String = pieces.concat().iter().map(|byte| format!("%{byte:02X}")).collect();
            for charset in ["", "; charset=utf-8"] {
                let sent = format!("bbs=tech&key=1&FROM={message}&mail={message}&MESSAGE=x{message}");
                prop_assert_eq!(send_as(&quiet, &format!("{FORM}{charset}"), &sent).status, 200);
            }
            Ok(())
        })
        .unwrap();
}
