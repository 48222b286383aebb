//! Forms that are not well: each is refused for the right reason, and no post comes of it.

use super::setup::{Answer, Fake, Quiet, quick, request};
use nejiboard::intake::Limits;

const FORM: &str = "application/x-www-form-urlencoded";

/// The form is refused with this status and code, as a program and as a person see it.
fn check(body: impl AsRef<[u8]>, status: u16, code: &str) {
    check_as(FORM, body, status, code);
}

fn check_as(media_type: &str, body: impl AsRef<[u8]>, status: u16, code: &str) {
    let quiet = Quiet::new(Fake::default());
    let start: String = String::from_utf8_lossy(body.as_ref()).chars().take(80).collect();
    let page = quiet.post_as(media_type, body.as_ref());
    assert_eq!(page.status, status, "{start}: {}", page.text());
    assert!(page.text().contains(&format!("<h1>{code}</h1>")), "{start}: {}", page.text());
    let headers = [("content-type", media_type), ("accept", "application/json")];
    let json = quiet.ask(request("POST", "/post", &headers, body)).json();
    assert_eq!(json["error"]["code"], code, "{start}");
    assert_eq!(quiet.backend.taken(), [], "{start}");
}

fn multipart(body: impl AsRef<[u8]>, status: u16, code: &str) {
    check_as("multipart/form-data; boundary=XX", body, status, code);
}

/// A part with this name, after the fields that every good form has.
fn part(head: &str, value: &str) -> String {
    format!(
        "--XX\r\nContent-Disposition: form-data; name=\"board\"\r\n\r\ntech\r\n\
         --XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n--XX--\r\n"
    )
}

#[test]
fn an_empty_form_names_no_board() {
    check("", 404, "no_such_board");
    check("&&=&&=x&", 404, "no_such_board");
}

#[test]
fn nothing_but_white_space_is_no_post() {
    for body in ["", "+++", "%0D%0A%0D%0A", "%E3%80%80%E3%80%80", "%E2%80%8B", "%EF%BB%BF+%E2%A0%80", "%E2%80%AE%07"] {
        check(format!("board=tech&body={body}"), 422, "empty");
    }
    check("board=tech", 422, "empty");
}

#[test]
fn ten_megabytes_are_too_many() {
    check(format!("board=tech&body={}", "x".repeat(10 << 20)), 413, "too_large");
}

#[test]
fn a_million_lines_are_too_many() {
    check(format!("board=tech&body=x{}x", "%0A".repeat(1_000_000)), 413, "too_large");
    check(format!("board=tech&body=x{}x", "\n".repeat(1_000_000)), 422, "too_long");
    multipart(part("name=\"body\"", &format!("x{}x", "\n".repeat(1_000_000))), 422, "too_long");
}

#[test]
fn a_line_of_50_000_characters_is_too_long() {
    check(format!("board=tech&body={}", "x".repeat(50_000)), 422, "too_long");
    check(format!("board=tech&body={}", "%F0%9F%8D%A5".repeat(50_000)), 422, "too_long");
}

#[test]
fn nul_is_no_text() {
    check("board=tech&body=a%00b", 400, "bad_text");
    check("board=tech&body=a\0b", 400, "bad_text");
    check("board=tech&nonce=%00&body=x", 400, "bad_text");
    check("board=tech&bo%00dy=x", 400, "bad_form");
    multipart(part("name=\"body\"", "a\0b"), 400, "bad_text");
}

#[test]
fn only_utf_8_is_text() {
    let lone_surrogates = ["%ED%A0%80", "%ED%BF%BF", "%ED%A0%BD%ED%B8%80"];
    let overlong = ["%C0%AF", "%C1%BF", "%E0%80%AF", "%F0%80%80%AF", "%C0%80"];
    let broken = ["%FF", "%80", "%E2%82", "%F5%80%80%80", "%F4%90%80%80", "caf%E9"];
    for text in lone_surrogates.into_iter().chain(overlong).chain(broken) {
        check(format!("board=tech&body=x{text}"), 400, "bad_text");
        check(format!("board=tech&body=x&subject={text}"), 400, "bad_text");
    }
    check(b"board=tech&body=\xC0\xAF", 400, "bad_text");
    check("board=tech&body=x&%FF=y", 400, "bad_form");
}

#[test]
fn a_form_in_utf_16_is_refused() {
    let text = "board=tech&body=hello";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    check(&little, 400, "bad_form");
    check(&big, 400, "bad_form");
    check([b"\xFF\xFE", &little[..]].concat(), 400, "bad_form");
    check_as("application/x-www-form-urlencoded; charset=utf-16", &little, 400, "bad_form");
    check_as("application/x-www-form-urlencoded; charset=Shift_JIS", text, 400, "bad_form");
    check("_charset_=UTF-16&board=tech&body=x", 400, "bad_form");
    check("board=tech&body=x&_charset_=windows-1252", 400, "bad_form");
    let shift_jis = part("name=\"body\"\r\nContent-Type: text/plain; charset=Shift_JIS", "x");
    multipart(shift_jis, 400, "bad_form");
}

#[test]
fn a_form_that_says_it_is_utf_8_is_taken() {
    let quiet = Quiet::new(Fake::default());
    for (media_type, body) in [
        ("application/x-www-form-urlencoded; charset=UTF-8", "board=tech&body=x&_charset_=UTF-8".to_owned()),
        ("Application/X-WWW-Form-Urlencoded;charset=\"utf-8\"", "board=tech&body=x".to_owned()),
        ("multipart/form-data; boundary=\"XX\"", part("name=\"body\"\r\nContent-Type: text/plain; charset=utf-8", "x")),
    ] {
        assert_eq!(quiet.post_as(media_type, body).status, 303, "{media_type}");
    }
}

#[test]
fn a_multipart_form_needs_its_boundary() {
    for media_type in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\""] {
        check_as(media_type, part("name=\"body\"", "x"), 400, "bad_form");
    }
    check_as(&format!("multipart/form-data; boundary={}", "X".repeat(71)), part("name=\"body\"", "x"), 400, "bad_form");
    check_as("multipart/form-data; boundary=YY", part("name=\"body\"", "x"), 400, "bad_form");
}

#[test]
fn broken_parts_are_refused() {
    let whole = part("name=\"body\"", "hello");
    for cut in ["--XX--\r\n", "hello\r\n--XX--\r\n", "\r\n\r\nhello\r\n--XX--\r\n"] {
        multipart(whole.strip_suffix(cut).unwrap(), 400, "bad_form");
    }
    multipart(part("", "x"), 400, "bad_form");
    multipart("", 400, "bad_form");
    multipart("board=tech&body=x", 400, "bad_form");
    let headers = "X-A: b\r\n".repeat(100);
    multipart(part(&format!("name=\"body\"\r\n{headers}X-B: c"), "x"), 400, "bad_form");
}

#[test]
fn parts_have_no_parts() {
    let inner = "--YY\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\nx\r\n--YY--";
    multipart(part("name=\"body\"\r\nContent-Type: multipart/mixed; boundary=YY", inner), 400, "bad_form");
}

#[test]
fn files_are_refused() {
    for head in [
        "name=\"upload\"; filename=\"a.png\"\r\nContent-Type: image/png",
        "name=\"body\"; filename=\"a.txt\"\r\nContent-Type: text/plain",
        "name=\"upload\"; filename=\"\"",
    ] {
        multipart(part(head, "bytes"), 400, "bad_form");
    }
}

#[test]
fn ten_thousand_fields_are_too_many() {
    check(format!("board=tech&body=x&{}", "a=1&".repeat(10_000)), 400, "bad_form");
    let field = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    multipart(format!("{}{}", field.repeat(10_000), part("name=\"body\"", "x")), 400, "bad_form");
    let quiet = Quiet::with_limits(Fake::default(), Limits { fields_max: 4, ..quick() });
    assert_eq!(quiet.post("board=tech&body=x&a=1&b=2").status, 303);
    assert_eq!(quiet.post("board=tech&body=x&a=1&b=2&c=3").status, 400);
}

#[test]
fn no_field_comes_twice() {
    for name in ["board", "thread", "name", "options", "subject", "body", "password", "nonce"] {
        check(format!("board=tech&body=x&{name}=1&{name}=1"), 400, "field_twice");
    }
    check("body=x&%62oard=tech&board=tech", 400, "field_twice");
    multipart(part("name=\"board\"", "tech"), 400, "field_twice");
}

#[test]
fn other_types_are_refused() {
    for media_type in ["application/json", "text/plain", "multipart/mixed; boundary=XX", "", "x"] {
        check_as(media_type, "board=tech&body=x", 415, "bad_type");
    }
    let quiet = Quiet::new(Fake::default());
    assert_eq!(quiet.ask(request("POST", "/post", &[], "board=tech&body=x")).status, 415);
    let twice = [("content-type", FORM), ("content-type", FORM)];
    assert_eq!(quiet.ask(request("POST", "/post", &twice, "board=tech&body=x")).status, 415);
    let packed = [("content-type", FORM), ("content-encoding", "gzip")];
    assert_eq!(quiet.ask(request("POST", "/post", &packed, "board=tech&body=x")).status, 415);
    assert_eq!(quiet.backend.taken(), []);
}

#[test]
fn there_must_be_such_a_board() {
    for board in
        ["nope", "../x", "..%2f", "..%2Ftech", ".git", "TECH", "tech%2f", "tech+", "post", "", "%2e%2e", "t%C3%A9ch"]
    {
        check(format!("board={board}&body=x"), 404, "no_such_board");
    }
}

#[test]
fn there_must_be_such_a_thread() {
    let numbers =
        ["0", "-1", "9223372036854775808", "00001", "%D9%A1", "%EF%BC%91", "1.0", "1e0", "+1", "x", "%201", "999"];
    for thread in numbers.into_iter().chain(["18446744073709551617", "340282366920938463463374607431768211457"]) {
        check(format!("board=tech&thread={thread}&body=x"), 404, "no_such_thread");
    }
    check("board=tech&thread=2&body=x", 403, "locked");
    check("board=tech&thread=3&body=x", 403, "full");
    check("board=tech&thread=4&body=x", 404, "not_a_thread");
}

#[test]
fn what_was_typed_comes_back_with_the_refusal() {
    let quiet = Quiet::new(Fake::default());
    let answer = quiet.post("board=tech&thread=2&body=my+long+thoughts");
    assert!(answer.text().contains("<textarea>my long thoughts</textarea>"), "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[test]
fn all_bodies_together_have_a_bound() {
    let limits = Limits { small_body_bytes: 500, small_bodies_bytes_max: 500, large_bodies_bytes_max: 500, ..quick() };
    let quiet = Quiet::with_limits(Fake::default(), limits);
    let answer = quiet.post(format!("board=tech&body={}", "x".repeat(2_000)));
    assert_eq!((answer.status, answer.header("retry-after")), (503, "2"));
    // What was taken is given back.
    for _ in 0..5 {
        assert_eq!(quiet.post(format!("board=tech&body={}", "x".repeat(900))).status, 303);
    }
}

#[test]
fn an_escape_that_is_none_is_text() {
    let quiet = Quiet::new(Fake::default());
    assert_eq!(quiet.taken_from("board=tech&body=100%+%4+%zz+%").body, "100% %4 %zz %");
}

#[test]
fn other_methods_are_refused_with_those_that_work() {
    let quiet = Quiet::new(Fake::default());
    let allowed = |answer: &Answer| (answer.status, answer.header("allow").to_owned());
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW"] {
        let answer = quiet.ask(request(method, "/post", &[], ""));
        assert_eq!(allowed(&answer), (405, "POST, OPTIONS".to_owned()), "{method}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
        let body = if method == "POST" { "x" } else { "" };
        let answer = quiet.ask(request(method, "/tech/", &[], body));
        assert_eq!(allowed(&answer), (405, "GET, HEAD, OPTIONS".to_owned()), "{method}");
    }
    assert_eq!(quiet.ask(request("GET", "/tech/", &[], "x")).status, 400);
    assert_eq!(allowed(&quiet.ask(request("OPTIONS", "/post", &[], ""))), (204, "POST, OPTIONS".to_owned()));
    assert_eq!(allowed(&quiet.ask(request("OPTIONS", "/tech/", &[], ""))), (204, "GET, HEAD, OPTIONS".to_owned()));
}
