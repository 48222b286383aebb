//! Connections: how many, how long, and how the door closes.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::setup::{Fake, Open, Outcome, quick, read_to_close};
use nejiboard::intake::{self, DoorOptions, Limits, Purpose};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: board.test\r\n\r\n";
const LAST_GET: &[u8] = b"GET / HTTP/1.1\r\nHost: board.test\r\nConnection: close\r\n\r\n";
const POST: &[u8] = b"POST /post HTTP/1.1\r\nHost: board.test\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                      Content-Length: 21\r\n\r\nboard=tech&body=hello";

/// Times that play no part.
fn patient() -> Limits {
    let long = Duration::from_secs(20);
    Limits { head_time: long, stop_time: long, hurry_time: long, ..quick() }
}

/// Reads one answer, whose body has `body_bytes`.
fn one_answer(stream: &mut TcpStream, body_bytes: usize) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let mut body = vec![0; body_bytes];
    stream.read_exact(&mut body).unwrap();
    bytes.extend(body);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_connection_serves_many_requests_and_ends_when_idle() {
    let door = Open::new(Fake::default(), quick());
    let mut stream = door.connect();
    for _ in 0..3 {
        stream.write_all(GET).unwrap();
        assert!(one_answer(&mut stream, 4).ends_with("\r\n\r\nhome"));
    }
    let idle_from = Instant::now();
    assert_eq!(read_to_close(&mut stream), "");
    assert!(Duration::from_millis(400) < idle_from.elapsed());
}

#[test]
fn a_connection_that_says_nothing_is_dropped() {
    let door = Open::new(Fake::default(), Limits { first_byte_time: Duration::from_millis(100), ..quick() });
    assert_eq!(read_to_close(&mut door.connect()), "");
}

#[test]
fn head_and_not_modified_have_no_body_on_the_wire() {
    let door = Open::new(Fake::default(), quick());
    let answer = door.send("HEAD / HTTP/1.1\r\nHost: board.test\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("content-length: 4\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    let request = "GET / HTTP/1.1\r\nHost: board.test\r\nIf-None-Match: *\r\nConnection: close\r\n\r\n";
    let answer = door.send(request);
    assert!(answer.starts_with("HTTP/1.1 304 Not Modified\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(!answer.contains("content-length: 0"), "{answer}");
}

#[test]
fn old_clients_and_whole_urls_are_served() {
    let door = Open::new(Fake::default(), quick());
    for request in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET http://board.test/ HTTP/1.1\r\nHost: board.test\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: BOARD.test:8080\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: close\r\n\r\n",
    ] {
        let answer = door.send(request);
        assert!(answer.contains(" 200 OK\r\n") && answer.ends_with("home"), "{request}: {answer}");
    }
}

#[test]
fn one_address_gets_so_many_connections() {
    let door = Open::new(Fake::default(), Limits { connections_per_loopback_max: 3, ..patient() });
    let mut kept: Vec<TcpStream> = (0..3).map(|_| door.connect()).collect();
    for stream in &mut kept {
        stream.write_all(GET).unwrap();
        one_answer(stream, 4);
    }
    let mut one_more = door.connect();
    let _ = one_more.write_all(GET);
    assert_eq!(read_to_close(&mut one_more), "");
    // A place that is given back can be taken again.
    drop(kept.pop());
    let served = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        door.send(LAST_GET).ends_with("home")
    });
    assert!(served);
}

#[test]
fn connections_beyond_the_bound_wait_for_their_turn() {
    let door = Open::new(Fake::default(), Limits { connections_max: 2, ..patient() });
    let mut kept: Vec<TcpStream> = (0..2).map(|_| door.connect()).collect();
    for stream in &mut kept {
        stream.write_all(GET).unwrap();
        one_answer(stream, 4);
    }
    let mut waiting = door.connect();
    waiting.write_all(LAST_GET).unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(waiting.read(&mut [0]).is_err());
    waiting.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    drop(kept);
    assert!(read_to_close(&mut waiting).ends_with("home"));
}

#[test]
fn who_only_waits_makes_room_for_who_asks() {
    let long = Duration::from_secs(60);
    let times = Limits { first_byte_time: long, head_time: long, body_time: long, write_stall_time: long, ..quick() };
    let door = Open::new(Fake::default(), Limits { connections_max: 4, ..times });
    fs::write(door.public.path().join("large.dat"), vec![b'x'; 32 << 20]).unwrap();
    let half_post = &POST[..POST.len() - 5];
    for waits in
        [b"".as_slice(), b"GET / HT", half_post, GET, POST, b"GET /large.dat HTTP/1.1\r\nHost: board.test\r\n\r\n"]
    {
        let waiting: Vec<TcpStream> = (0..20)
            .map(|_| {
                let mut stream = door.connect();
                stream.write_all(waits).unwrap();
                stream
            })
            .collect();
        assert!(door.send(LAST_GET).ends_with("home"), "{}", String::from_utf8_lossy(waits));
        drop(waiting);
    }
    door.serves_a_normal_client();
}

/// Each of them gets less time than those before it, or who comes last would wait for the sum of it all.
#[test]
fn many_who_stall_are_gone_sooner_than_few() {
    let hurry_time = Duration::from_millis(400);
    let door = Open::new(Fake::default(), Limits { connections_max: 4, hurry_time, ..patient() });
    fs::write(door.public.path().join("large.dat"), vec![b'x'; 8 << 20]).unwrap();
    let half_post = &POST[..POST.len() - 5];
    let get = "GET /large.dat HTTP/1.1\r\nHost: board.test\r\n";
    let (plain, by_hyper) = (format!("{get}\r\n"), format!("{get}Connection: close\r\n\r\n"));
    for says in [half_post, plain.as_bytes(), by_hyper.as_bytes()] {
        let stalled: Vec<TcpStream> = (0..40)
            .map(|_| {
                let mut stream = door.connect();
                stream.write_all(says).unwrap();
                stream
            })
            .collect();
        let from = Instant::now();
        assert!(door.send(LAST_GET).ends_with("home"));
        let took = from.elapsed();
        // Ten times four of them, for the whole time each, are four seconds; for the least time one.
        assert!(took < Duration::from_millis(2500), "{took:?}: {}", String::from_utf8_lossy(says));
        drop(stalled);
    }
}

#[test]
fn nobody_has_to_go_while_there_is_room() {
    let door = Open::new(Fake::default(), Limits { connections_max: 4, hurry_time: Duration::ZERO, ..patient() });
    // Also when there is none left, until somebody wants it.
    let mut kept: Vec<TcpStream> = (0..4).map(|_| door.connect()).collect();
    for _ in 0..2 {
        for stream in &mut kept {
            stream.write_all(GET).unwrap();
            assert!(!one_answer(stream, 4).contains("connection: close"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn slow_large_posts_keep_no_small_ones_out() {
    let limits = Limits { small_body_bytes: 1_000, large_bodies_bytes_max: 100_000, ..quick() };
    let door = Open::new(Fake::default(), Limits { body_time: Duration::from_secs(20), ..limits });
    let head = "POST /post HTTP/1.1\r\nHost: board.test\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Length: 90000\r\n\r\nboard=tech&body=";
    let slow: Vec<TcpStream> = (0..3)
        .map(|_| {
            let mut stream = door.connect();
            stream.write_all(format!("{head}{}", "x".repeat(50_000)).as_bytes()).unwrap();
            stream
        })
        .collect();
    // Once the slow ones are read, there is no room for another large one. On a busy machine that takes its time.
    let full = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        let answer = door.send(format!("{head}{}", "x".repeat(90_000 - 16)));
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 2\r\n")
    });
    assert!(full);
    door.serves_a_normal_client();
    drop(slow);
}

#[test]
fn a_client_that_stops_reading_is_let_go() {
    let limits = Limits { connections_max: 1, hurry_time: Duration::from_millis(600), ..quick() };
    let door = Open::new(Fake::default(), limits);
    fs::write(door.public.path().join("large.dat"), vec![b'x'; 32 << 20]).unwrap();
    let mut stuck = door.connect();
    stuck.write_all(b"GET /large.dat HTTP/1.1\r\nHost: board.test\r\n\r\n").unwrap();
    // Until it is, there is no place for anybody else. It has a quarter of the time at least.
    let from = Instant::now();
    assert!(door.send(LAST_GET).ends_with("home"));
    assert!(Duration::from_millis(120) < from.elapsed());
    let mut rest = Vec::new();
    let _ = stuck.read_to_end(&mut rest);
    assert!(rest.len() < 32 << 20, "the whole file came through");
}

#[test]
fn a_large_file_reaches_a_client_that_reads() {
    let door = Open::new(Fake::default(), quick());
    fs::write(door.public.path().join("large.dat"), vec![b'x'; 8 << 20]).unwrap();
    let answer = door.send("GET /large.dat HTTP/1.1\r\nHost: board.test\r\nConnection: close\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: 8388608"), "{head}");
    assert_eq!(body.len(), 8 << 20);
}

#[test]
fn a_post_that_runs_when_the_door_closes_is_answered() {
    let mut door =
        Open::new(Fake { outcome: Outcome::After(Duration::from_millis(300)), ..Fake::default() }, patient());
    let mut stream = door.connect();
    stream.write_all(POST).unwrap();
    while door.backend.taken().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut idle = door.connect();
    idle.write_all(GET).unwrap();
    one_answer(&mut idle, 4);
    door.tell_to_stop();
    assert!(read_to_close(&mut stream).starts_with("HTTP/1.1 303 See Other\r\n"));
    assert_eq!(read_to_close(&mut idle), "");
    door.wait();
    assert!(TcpStream::connect(door.address).is_err());
}

#[test]
fn closing_does_not_wait_without_end() {
    let limits = Limits { accept_time: Duration::from_secs(60), ..quick() };
    let mut door = Open::new(Fake { outcome: Outcome::Never, ..Fake::default() }, limits);
    let mut stream = door.connect();
    stream.write_all(POST).unwrap();
    while door.backend.taken().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let from = Instant::now();
    door.tell_to_stop();
    door.wait();
    assert!(from.elapsed() < Duration::from_secs(20), "{:?}", from.elapsed());
}

#[test]
fn a_panic_costs_one_request_and_not_the_connection() {
    let door = Open::new(Fake { outcome: Outcome::Panic, ..Fake::default() }, quick());
    let mut stream = door.connect();
    stream.write_all(POST).unwrap();
    stream.write_all(LAST_GET).unwrap();
    let answers = read_to_close(&mut stream);
    assert!(answers.starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{answers}");
    assert!(answers.ends_with("home"), "{answers}");
}

#[test]
fn a_door_that_is_told_to_stop_at_once_never_opens() {
    let listener = intake::listen("127.0.0.1:0".parse::<SocketAddr>().unwrap()).unwrap();
    let options = DoorOptions { public: "nowhere".into(), limits: quick(), purpose: Purpose::Site };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(intake::serve(listener, options, Arc::new(Fake::default()), async {})).unwrap();
}

/// An answer without its body: the status, and then the headers in the order of the alphabet.
fn head_of(answer: &str) -> Vec<String> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let mut lines: Vec<String> = head.lines().map(str::to_lowercase).collect();
    lines[1..].sort();
    lines.retain(|line| line != "connection: close" && !line.starts_with("date: "));
    lines
}

/// Plain requests are answered without hyper, and others with it.
#[test]
fn both_ways_to_an_answer_give_the_same() {
    let door = Open::new(Fake::default(), Limits { head_time: Duration::from_millis(100), ..quick() });
    fs::write(door.public.path().join("404.html"), "not here").unwrap();
    fs::write(door.public.path().join("large.dat"), vec![b'x'; 2 << 20]).unwrap();
    for (path, header) in [
        ("/", "A: b"),
        ("/", "If-None-Match: *"),
        ("/", "If-Match: \"other\""),
        ("/", "Range: bytes=1-2"),
        ("/", "Range: bytes=9-"),
        ("/", "Accept-Encoding: gzip"),
        ("/large.dat", "A: b"),
        ("/large.dat", "Range: bytes=5-1048576"),
        ("/nothing", "A: b"),
        ("/nothing", "Accept: application/json"),
        ("/healthz", "A: b"),
        ("/post", "A: b"),
        ("/%00", "A: b"),
        ("/", "Host: other.test"),
    ] {
        let request = |more: &str| format!("GET {path} HTTP/1.1\r\nHost: board.test\r\n{header}\r\n{more}\r\n");
        let by_hyper = door.send(request("Connection: close\r\n"));
        let mut stream = door.connect();
        stream.write_all(request("").as_bytes()).unwrap();
        let plain = read_to_close(&mut stream);
        assert_eq!(head_of(&plain), head_of(&by_hyper), "{path} {header}");
        let body = |answer: &str| answer.split_once("\r\n\r\n").unwrap().1.to_owned();
        assert_eq!(body(&plain), body(&by_hyper), "{path} {header}");
    }
}

#[test]
fn a_head_may_come_in_pieces_and_with_the_next_one() {
    let door = Open::new(Fake::default(), patient());
    let both = [GET, LAST_GET].concat();
    for cut in 1..both.len() {
        let mut stream = door.connect();
        stream.write_all(&both[..cut]).unwrap();
        if cut % 7 == 0 {
            std::thread::sleep(Duration::from_millis(3));
        }
        stream.write_all(&both[cut..]).unwrap();
        let answers = read_to_close(&mut stream);
        assert_eq!(answers.matches("\r\n\r\nhome").count(), 2, "{cut}: {answers}");
    }
}
