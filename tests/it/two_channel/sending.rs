//! The running program: a client of 2ch fetches what came since it looked last, and posts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::super::sandbox::Sandbox;
use super::super::sandbox::running::{LONG, Running, run, wait_until};
use super::door::{escaped, form};
use super::reader::{lines, text};

const THREADS: &str = "
==> content/site.yaml
title: T
formats: 2ch
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, subject: First}
the first post
";

/// An answer, with its body as bytes.
#[derive(Debug)]
pub struct Fetched {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Fetched {
    pub fn header(&self, name: &str) -> &str {
        let fits = |line: &&str| line.split(':').next().is_some_and(|key| key.eq_ignore_ascii_case(name));
        self.head.lines().find(fits).and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }
}

pub fn ask(address: SocketAddr, head: &str, body: &str) -> Fetched {
    let mut stream = TcpStream::connect_timeout(&address, LONG).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.write_all(format!("{head}Host: localhost\r\nConnection: close\r\n\r\n{body}").as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    Fetched { status: head[9..12].parse().unwrap(), head, body: bytes[end + 4..].to_vec() }
}

pub fn fetch(address: SocketAddr, path: &str, headers: &str) -> Fetched {
    ask(address, &format!("GET {path} HTTP/1.1\r\n{headers}"), "")
}

pub fn send(address: SocketAddr, path: &str, form: &str) -> String {
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let head = format!("POST {path} HTTP/1.1\r\n{kind}\r\nContent-Length: {}\r\n", form.len());
    let told = ask(address, &head, form);
    assert_eq!(told.status, 200, "{}", told.head);
    text(&told.body)
}

#[track_caller]
pub fn is_taken(told: &str) {
    assert!(told.contains("<title>書きこみました。</title>"), "{told}");
}

#[test]
fn a_client_posts_and_fetches_what_is_new() {
    let site = Sandbox::new(THREADS);
    let door = Running::start(site.root());
    let first = fetch(door.address, "/tech/dat/1.dat", "Accept-Encoding: gzip\r\n");
    assert_eq!((first.status, first.header("content-type")), (200, "text/plain; charset=Shift_JIS"));
    let whole = fetch(door.address, "/tech/dat/1.dat", "").body;
    assert_eq!(text(&fetch(door.address, "/tech/subject.txt", "").body), "1.dat<>First (1)\n");

    let modified = first.header("last-modified").to_owned();
    // With one byte that it has, to see that the file is still the same.
    let conditions = |from: usize| format!("If-Modified-Since: {modified}\r\nRange: bytes={from}-\r\n");
    for more in ["", "Accept-Encoding: gzip\r\n"] {
        assert_eq!(fetch(door.address, "/tech/dat/1.dat", &(conditions(whole.len() - 1) + more)).status, 304);
        assert_eq!(fetch(door.address, "/tech/dat/1.dat", &(conditions(whole.len()) + more)).status, 304);
    }

    is_taken(&send(door.address, "/test/bbs.cgi", &form("1", "ねじ#key", "sage", ">>1\r\n♥ 表")));
    let now = fetch(door.address, "/tech/dat/1.dat", "").body;
    assert!(now.starts_with(&whole) && whole.len() < now.len());
    for more in ["", "Accept-Encoding: gzip\r\n"] {
        let rest = fetch(door.address, "/tech/dat/1.dat", &(conditions(whole.len() - 1) + more));
        assert_eq!((rest.status, rest.header("content-encoding")), (206, ""), "{}", rest.head);
        let range = format!("bytes {}-{}/{}", whole.len() - 1, now.len() - 1, now.len());
        assert_eq!(rest.header("content-range"), range);
        assert_eq!([&whole[..whole.len() - 1], &rest.body].concat(), now);
        let behind = fetch(door.address, "/tech/dat/1.dat", &(conditions(now.len()) + more));
        assert_eq!((behind.status, behind.header("content-range")), (416, format!("bytes */{}", now.len()).as_str()));
    }
    let line = lines(&now).pop().unwrap();
    assert_eq!(line.name.split('◆').next(), Some("ねじ "));
    assert_eq!((line.mail.as_str(), line.body), ("sage", vec![">>1".to_owned(), "♥ 表".to_owned()]));
    assert_eq!(text(&fetch(door.address, "/tech/subject.txt", "").body), "1.dat<>First (2)\n");
    assert!(site.read("content/tech/1.md").contains("\n>>1\n♥ 表\n"));

    let submit = escaped("新規スレッド作成");
    is_taken(&send(
        door.address,
        "/test/bbs.cgi",
        &format!("bbs=tech&subject={}&FROM=&mail=&MESSAGE=x&submit={submit}", escaped("螺子")),
    ));
    assert!(text(&fetch(door.address, "/tech/subject.txt", "").body).contains("3.dat<>螺子 (1)\n"));
    // The first line of that thread is post 3.
    is_taken(&send(door.address, "/test/bbs.cgi", &form("3", "", "", ">>1 y")));
    assert!(site.read("content/tech/3.md").ends_with("\n>>3 y\n"), "{}", site.read("content/tech/3.md"));
    let dat = fetch(door.address, "/tech/dat/3.dat", "").body;
    assert_eq!(lines(&dat).pop().unwrap().body, [">>1 y"]);
    assert!(door.terminate().success());
}

#[test]
fn what_speaks_against_a_post_speaks_against_it_here_too() {
    let site = Sandbox::new(THREADS);
    site.write("content/held/board.yaml", "title: Held\nmoderation: all\n");
    site.write("content/work/board.yaml", "title: Work\nproof_of_work: always\n");
    let door = Running::start(site.root());
    let held = send(door.address, "/test/bbs.cgi", "bbs=held&subject=s&FROM=&mail=&MESSAGE=look+at+me");
    assert!(held.contains("<!-- 2ch_X:false -->") && !held.contains("書きこみました"), "{held}");
    assert!(held.contains("<b>Somebody will look at it before it is shown. There is no need to send it again.</b>"));
    assert_eq!(text(&fetch(door.address, "/held/subject.txt", "").body), "");
    let list = run(site.root(), &["mod", "held"]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("look at me"), "{list:?}");
    // Where a proof of work is asked for, no client of 2ch has one.
    let unproven = send(door.address, "/test/bbs.cgi", "bbs=work&subject=s&FROM=&mail=&MESSAGE=x");
    assert!(unproven.contains("<!-- 2ch_X:false -->"), "{unproven}");
    let posture = run(site.root(), &["mod", "posture", "closed"]);
    assert!(posture.status.success(), "{posture:?}");
    wait_until("no posts are taken", || {
        send(door.address, "/test/bbs.cgi", &form("1", "", "", "x"))
            .contains("<b>No posts are taken at the moment. Try again later.</b>")
    });
}

#[test]
fn addresses_of_2ch_lead_to_pages() {
    let site = Sandbox::new(THREADS);
    let mut long: String = "--- {no: 4}\nlong\n--- {no: 5, deleted: true}\n".to_owned();
    (6..120).for_each(|no| long += &format!("--- {{no: {no}}}\nx\n"));
    site.write("content/tech/4.md", long);
    let door = Running::start(site.root());
    for (path, page) in [
        ("tech/1", "tech/thread/1.html"),
        ("tech/1/", "tech/thread/1.html"),
        ("tech/1/l50", "tech/thread/1.html"),
        ("tech/1/1", "tech/thread/1.html#p1"),
        ("tech/1/2", "tech/thread/1.html"),
        ("tech/4/l50", "tech/thread/4-tail.html"),
        ("tech/4/2", "tech/thread/4.html#p5"),
        ("tech/4/3-20", "tech/thread/4.html#p6"),
        ("tech/4/116", "tech/thread/4.html#p119"),
        ("tech/4/117", "tech/thread/4.html"),
        ("tech/4/0", "tech/thread/4.html"),
    ] {
        let answer = fetch(door.address, &format!("/test/read.cgi/{path}"), "");
        assert_eq!((answer.status, answer.header("location")), (302, format!("/{page}").as_str()), "{path}");
    }
    for path in ["", "tech", "tech/", "tech/5/", "tech/99/", "none/1/", "tech/1/2/3", "..%2F..", "tech/%31/"] {
        assert_eq!(fetch(door.address, &format!("/test/read.cgi/{path}"), "").status, 404, "{path}");
    }
    let posted = ask(door.address, "POST /test/read.cgi/tech/1/ HTTP/1.1\r\nContent-Length: 0\r\n", "");
    assert_eq!(posted.status, 405);
}

#[test]
fn an_address_of_2ch_follows_a_thread_that_was_moved() {
    let site = Sandbox::new(THREADS);
    site.write("content/tech/4.md", "--- {no: 4, id: a4}\nx\n\n--- {no: 5, id: a5}\n>>4\n");
    site.write("content/art/9.md", "--- {no: 9}\n>>>/tech/5\n");
    let moved = run(site.root(), &["mod", "--by", "neji", "move", "tech", "4", "--to", "art"]);
    assert!(moved.status.success(), "{moved:?}");
    let door = Running::start(site.root());
    for (path, page) in [
        ("tech/4/", "art/thread/10.html"),
        ("tech/4/l50", "art/thread/10.html"),
        ("tech/4/2", "art/thread/10.html#p11"),
    ] {
        let answer = fetch(door.address, &format!("/test/read.cgi/{path}"), "");
        assert_eq!((answer.status, answer.header("location")), (302, format!("/{page}").as_str()), "{path}");
    }
    let bodies = |path: &str| lines(&fetch(door.address, path, "").body).pop().unwrap().body;
    assert_eq!(
        (bodies("/art/dat/10.dat"), bodies("/art/dat/9.dat")),
        (vec![">>1".to_owned()], vec!["/test/read.cgi/art/10/2".to_owned()],)
    );
    assert_eq!(fetch(door.address, "/tech/dat/4.dat", "").status, 404);
}
