//! Requests that no browser sends. Each is answered by an error or a closed connection, none becomes a post, and
//! afterwards a normal client is served as if nothing had been.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use super::setup::{Fake, Open, end_of_writing, quick, read_to_close};
use nejiboard::intake::Limits;

/// A post that would be accepted, were it not for `headers` and `body`.
fn post(headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /post HTTP/1.1\r\nHost: board.test\r\nContent-Type: application/x-www-form-urlencoded\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// A `GET` of what would be a page, with this line after its host.
fn get(line: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: board.test\r\n{line}\r\n\r\n").into_bytes()
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

const FORM: &str = "board=tech&body=hello";

/// What is sent, by name. The connection is left open afterwards, so that the door has to end it.
fn attacks() -> Vec<(&'static str, Vec<u8>)> {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let whole_chunk = format!("15\r\n{FORM}\r\n0\r\n\r\n");
    vec![
        ("a length that is no number", post("Content-Length: many\r\n", FORM)),
        ("a negative length", post("Content-Length: -21\r\n", FORM)),
        ("a length with a sign", post("Content-Length: +21\r\n", FORM)),
        ("a length in hexadecimal", post("Content-Length: 0x15\r\n", FORM)),
        ("an empty length", post("Content-Length: \r\n", FORM)),
        ("a list of lengths", post("Content-Length: 21, 21\r\n", FORM)),
        ("two lengths", post("Content-Length: 21\r\nContent-Length: 5\r\n", FORM)),
        ("two lengths, the small one first", post("Content-Length: 5\r\nContent-Length: 21\r\n", FORM)),
        ("a hundred terabytes", post("Content-Length: 100000000000000\r\n", FORM)),
        ("a hundred terabytes to read", get("Content-Length: 100000000000000")),
        ("more than 64 bits of length", post("Content-Length: 99999999999999999999999\r\n", FORM)),
        ("the largest length", post("Content-Length: 18446744073709551615\r\n", FORM)),
        ("less body than declared", post("Content-Length: 500\r\n", FORM)),
        ("a length and a coding", post(&format!("Content-Length: 21\r\n{chunked}"), &whole_chunk)),
        ("a coding and a length", post(&format!("{chunked}Content-Length: 21\r\n"), &whole_chunk)),
        ("a coding and a length of zero", post(&format!("{chunked}Content-Length: 0\r\n"), &whole_chunk)),
        ("a chunk size that is no number", post(chunked, &format!("zz\r\n{FORM}\r\n0\r\n\r\n"))),
        ("a chunk that is cut", post(chunked, "15\r\nboard=tech&")),
        ("a chunk longer than it says", post(chunked, &format!("4\r\n{FORM}\r\n0\r\n\r\n"))),
        ("a huge chunk", post(chunked, &format!("ffffffffffffffff\r\n{FORM}"))),
        ("a chunk without its end", post(chunked, &format!("15\r\n{FORM}\r\n"))),
        ("endless chunk extensions", post(chunked, &format!("15;{}\r\n{FORM}\r\n", "a=b;".repeat(50_000)))),
        ("a coding that nobody knows", post("Transfer-Encoding: xchunked\r\n", &whole_chunk)),
        ("a coding in disguise", post("Transfer-Encoding : chunked\r\nContent-Length: 21\r\n", FORM)),
        ("a coding of HTTP/1.0", bytes("POST /post HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        ("a header that never ends", get(&format!("X-A: {}", "a".repeat(1 << 20)))),
        ("ten thousand headers", get(&"X-A: b\r\n".repeat(10_000))),
        ("a thousand short headers", get(&"A:\r\n".repeat(1_000))),
        ("a header without a colon", get("nonsense")),
        ("a header with a space in its name", get("X A: b")),
        ("a header with no name", get(": b")),
        ("a folded header", get("X-A: b\r\n c")),
        ("NUL in a header", get("X-A: b\0c")),
        ("NUL in the name of a header", get("X\0A: b")),
        ("NUL in the path", bytes("GET /\0 HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("an escape in a header", get("X-A: \x1b[2J\x07")),
        ("a bare carriage return in a header", get("X-A: b\rX-B: c")),
        ("bare carriage returns", bytes("GET / HTTP/1.1\rHost: board.test\r\r")),
        ("a space before the version", bytes("GET /  HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("a tab for a space", bytes("GET\t/\tHTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("traversal", bytes("GET /../../../etc/passwd HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("traversal with escapes", bytes("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("traversal with escaped slashes", bytes("GET /..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("traversal escaped twice", bytes("GET /%252e%252e/etc/passwd HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("traversal overlong", bytes("GET /%c0%ae%c0%ae/etc/passwd HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("traversal with backslashes", bytes("GET /..\\..\\etc\\passwd HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("traversal from an absolute path", bytes("GET //etc/passwd HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("the URL of another host", bytes("GET http://other.test/ HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("a file's URL", bytes("GET file:///etc/passwd HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("a host for a path", bytes("GET board.test:80 HTTP/1.1\r\nHost: board.test:80\r\n\r\n")),
        ("no path", bytes("GET HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("a path without a slash", bytes("GET index.html HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("a star for a path", bytes("GET * HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("no host", bytes("GET / HTTP/1.1\r\n\r\n")),
        ("two hosts", get("Host: other.test")),
        ("an empty host", bytes("GET / HTTP/1.1\r\nHost: \r\n\r\n")),
        ("a host that is a path", bytes("GET / HTTP/1.1\r\nHost: board.test/../\r\n\r\n")),
        ("a host with a user", bytes("GET / HTTP/1.1\r\nHost: a@board.test\r\n\r\n")),
        ("HTTP/0.9", bytes("GET /\r\n")),
        ("HTTP/1.2", bytes("GET / HTTP/1.2\r\nHost: board.test\r\n\r\n")),
        ("HTTP/3.0", bytes("GET / HTTP/3.0\r\nHost: board.test\r\n\r\n")),
        ("the preface of HTTP/2", bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")),
        ("the hello of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x9a\xbc\xde".to_vec()),
        (
            "a websocket",
            bytes("GET /ws HTTP/1.1\r\nHost: board.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        ),
        ("a tunnel", bytes("CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n")),
        ("a trace", bytes("TRACE / HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("a method that nobody knows", bytes("BREW / HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("a method without end", "G".repeat(1 << 20).into_bytes()),
        ("an empty method", bytes(" / HTTP/1.1\r\nHost: board.test\r\n\r\n")),
        ("a body that waits to be asked for", post("Content-Length: 21\r\nExpect: 100-continue\r\n", "")),
        ("an expectation that nobody knows", post("Content-Length: 5\r\nExpect: wonders\r\n", FORM)),
        ("a URL of a megabyte", format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1 << 20)).into_bytes()),
        ("empty lines for ever", "\r\n".repeat(100_000).into_bytes()),
        ("noise", (0..20_000_u32).map(|no| (no.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
        ("NULs", vec![0; 100_000]),
        ("part of a head", bytes("POST /post HTTP/1.1\r\nHost: board.test\r\nContent-")),
    ]
}

fn door() -> Open {
    Open::new(Fake::default(), Limits { connections_per_loopback_max: 1_000, ..quick() })
}

#[test]
fn hostile_requests_get_an_error_or_nothing() {
    let door = door();
    let attacks = attacks();
    assert!(39 <= attacks.len());
    // Together, since several of them are only ended by a time-out.
    std::thread::scope(|scope| {
        for (name, attack) in &attacks {
            let door = &door;
            scope.spawn(move || {
                let answer = door.send(attack);
                let status = answer.split(' ').nth(1).unwrap_or("closed");
                let refused = status == "closed" || status.starts_with('4') || status.starts_with('5');
                // Asked to go on, the client did not.
                let asked = answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 ");
                assert!(refused || asked, "{name}: {answer}");
                assert!(!answer.contains("root:"), "{name}: {answer}");
                assert!(!answer.contains("HTTP/1.1 2") && !answer.contains("HTTP/1.1 3"), "{name}: {answer}");
            });
        }
    });
    assert_eq!(door.backend.taken(), []);
    door.serves_a_normal_client();
}

#[test]
fn a_request_smuggled_behind_another_is_not_answered() {
    let door = door();
    let inner = String::from_utf8(post("Content-Length: 21\r\n", FORM)).unwrap();
    for headers in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", inner.len() + 5),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", inner.len() + 5),
    ] {
        let answer = door.send(post(&headers, &format!("0\r\n\r\n{inner}")));
        assert!(answer.starts_with("HTTP/1.1 411 "), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
    assert_eq!(door.backend.taken(), []);
}

#[test]
fn garbage_behind_a_request_spoils_only_itself() {
    let door = door();
    let answer = door.send([get("X-A: b"), vec![0xFF; 5_000]].concat());
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    door.serves_a_normal_client();
}

#[test]
fn a_thousand_requests_at_once_are_answered_in_order() {
    let door = door();
    let mut requests = get("X-A: b").repeat(999);
    requests.extend(get("Connection: close"));
    let mut stream = door.connect();
    let mut writer = stream.try_clone().unwrap();
    let writing = std::thread::spawn(move || writer.write_all(&requests).unwrap());
    let answers = read_to_close(&mut stream);
    writing.join().unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 1_000);
}

/// Writes one byte at a time, slower than the time-out as a whole but never silent for long.
fn drip(mut stream: TcpStream, bytes: &[u8]) -> String {
    for byte in bytes {
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    read_to_close(&mut stream)
}

#[test]
fn a_slow_head_is_not_waited_for() {
    let door = door();
    let answer = drip(door.connect(), &get(&format!("X-A: {}", "a".repeat(100))));
    assert_eq!(answer, "");
    door.serves_a_normal_client();
}

#[test]
fn a_slow_body_is_not_waited_for() {
    let door = door();
    let mut stream = door.connect();
    stream.write_all(&post("Content-Length: 221\r\n", FORM)).unwrap();
    let answer = drip(stream, &[b'x'; 200]);
    // The answer may be lost where the client goes on sending to a closed connection.
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(door.backend.taken(), []);
    door.serves_a_normal_client();
}

#[test]
fn half_closed_and_reset_connections_leave_nothing_behind() {
    let door = door();
    for cut in [1, 10, 100] {
        let whole = post("Content-Length: 21\r\n", FORM);
        let mut stream = door.connect();
        stream.write_all(&whole[..whole.len() - cut]).unwrap();
        end_of_writing(&stream);
        assert!(!read_to_close(&mut stream).contains("HTTP/1.1 3"));

        let mut stream = door.connect();
        stream.write_all(&whole[..whole.len() - cut]).unwrap();
        // With nothing to linger for, closing sends a reset.
        let socket = socket2::Socket::from(stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        drop(socket);
    }
    assert_eq!(door.backend.taken(), []);
    door.serves_a_normal_client();
}

#[test]
fn three_hundred_half_requests_keep_nobody_out() {
    let door = door();
    let idle: Vec<TcpStream> = (0..300)
        .map(|no| {
            let mut stream = door.connect();
            let said = ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: board.test\r\n"][no % 4];
            stream.write_all(said.as_bytes()).unwrap();
            stream
        })
        .collect();
    door.serves_a_normal_client();
    // None of them gets anything, and all are let go.
    for mut stream in idle {
        assert_eq!(read_to_close(&mut stream), "");
    }
    door.serves_a_normal_client();
}

#[test]
fn a_large_body_that_is_refused_gets_its_answer() {
    let door = door();
    let body = "x".repeat(10 << 20);
    let mut stream = door.connect();
    // Browsers that cannot send all of it tell of a broken connection and not of the answer.
    stream.write_all(&post(&format!("Content-Length: {}\r\n", body.len()), &body)).unwrap();
    let answer = read_to_close(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("<h1>too_large</h1>"), "{answer}");
}
