//! Lists of spammers' addresses: asked by DNS, and whatever goes wrong there, posts go on.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::guard::{outcome, post_from, reply_from, site};
use super::holding::moderate;
use super::sandbox::Sandbox;
use super::sandbox::running::Running;

/// How a name server behaves.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// It has the addresses that end in `.66`, and no other.
    Honest,
    /// It says nothing.
    Silent,
    /// It sends what is no answer, and nothing else.
    Hostile,
    /// It says that it cannot tell.
    Failing,
}

/// A name server of this machine, until the test ends.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(manner: Manner) -> Server {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 600];
            while let Ok((bytes, from)) = socket.recv_from(&mut buffer) {
                let question = &buffer[..bytes];
                let name = name(question);
                for answer in answers(manner, question, &name) {
                    socket.send_to(&answer, from).unwrap();
                }
                heard.lock().unwrap().push(name);
            }
        });
        Server { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// A site that asks it, with more settings.
    fn site(&self, settings: &str) -> Sandbox {
        site(&format!("dnsbl: [bl.example.org]\ndnsbl_server: 127.0.0.1:{}\n{settings}", self.port))
    }
}

fn name(question: &[u8]) -> String {
    let (mut at, mut labels) = (12, Vec::new());
    while question[at] != 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8(question[at + 1..end].to_vec()).unwrap());
        at = end;
    }
    labels.join(".")
}

fn answers(manner: Manner, question: &[u8], name: &str) -> Vec<Vec<u8>> {
    let with = |code: u8, records: u8, rest: &[u8]| {
        let mut message = question.to_vec();
        (message[2], message[3], message[7]) = (0x81, 0x80 | code, records);
        message.extend(rest);
        message
    };
    let listed = [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 2];
    match manner {
        Manner::Honest if name.starts_with("66.") => vec![with(0, 1, &listed)],
        Manner::Honest => vec![with(3, 0, &[])],
        Manner::Silent => Vec::new(),
        Manner::Failing => vec![with(2, 0, &[])],
        Manner::Hostile => {
            let mut wrong_id = with(0, 1, &listed);
            wrong_id[0] ^= 0xFF;
            let mut wrong_name = with(0, 1, &listed);
            wrong_name[13] ^= 1;
            let huge = with(0, 255, &listed.repeat(2_000));
            vec![Vec::new(), vec![0xC0; 12], wrong_id, wrong_name, huge, question.to_vec()]
        }
    }
}

#[test]
fn who_is_on_a_list_is_held_and_others_are_not() {
    let server = Server::start(Manner::Honest);
    let site = server.site("");
    let door = Running::start(site.root());
    assert_eq!(outcome(&reply_from(&door, "203.0.113.66", "buy this")), "202");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "hello")), "201");
    assert!(moderate(&site, &["held"], 0).contains("buy this (its sender's address is on the list at bl.example.org)"));
    assert_eq!(server.asked(), ["66.113.0.203.bl.example.org", "9.113.0.203.bl.example.org"]);
    // What is known is not asked for again.
    assert_eq!(outcome(&reply_from(&door, "203.0.113.66", "buy that")), "202");
    assert_eq!(outcome(&reply_from(&door, "203.0.113.9", "once more")), "201");
    assert_eq!(outcome(&reply_from(&door, "2001:db8::1", "hello")), "201");
    let six = format!("1.{}8.b.d.0.1.0.0.2.bl.example.org", "0.".repeat(23));
    assert_eq!(server.asked()[2..], [six]);
}

#[test]
fn who_is_on_a_list_can_be_refused_and_is_told_whose_list_it_is() {
    let server = Server::start(Manner::Honest);
    let site = server.site("dnsbl_action: reject\n");
    site.write("content/tech/board.yaml", "title: Tech\nthreads_per_hour_max: 1\n");
    let door = Running::start(site.root());
    let thread = |address, body| post_from(&door, address, &[("board", "tech"), ("body", body)]);
    let refused = thread("203.0.113.66", "buy this");
    assert_eq!((refused.status, outcome(&refused).as_str()), (403, "listed"), "{refused:?}");
    assert!(refused.body.contains("on the list of spammers at bl.example.org"), "{refused:?}");
    // It takes no room from others.
    assert_eq!(outcome(&thread("203.0.113.9", "a thread")), "201");
    // Reports are taken from everybody.
    let report = [("task", "report"), ("board", "tech"), ("no", "1"), ("reason", "bad")];
    assert_eq!(post_from(&door, "203.0.113.66", &report).status, 200);
    for file in ["held", "log"] {
        assert!(!moderate(&site, &[file], 0).contains("203.0.113"), "{file}");
    }
    assert!(!door.told().contains("203.0.113"), "{}", door.told());
}

#[test]
fn nobody_is_asked_about_the_machine_itself_about_networks_of_ones_own_or_for_what_is_refused() {
    let server = Server::start(Manner::Honest);
    let site = server.site("dnsbl_action: reject\n");
    let door = Running::start(site.root());
    assert_eq!(door.post(&[("board", "tech"), ("thread", "1"), ("body", "from here")]).status, 303);
    for address in ["10.0.0.66", "192.168.1.66", "fd00::66", "127.0.0.66"] {
        assert_eq!(outcome(&reply_from(&door, address, "from within")), "201");
    }
    assert_eq!(outcome(&reply_from(&door, "203.0.113.66", " ")), "empty");
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[test]
fn whatever_is_wrong_with_the_list_posts_go_on() {
    for manner in [Manner::Silent, Manner::Hostile, Manner::Failing] {
        let server = Server::start(manner);
        let site = server.site("dnsbl_action: reject\n");
        let door = Running::start(site.root());
        let began = Instant::now();
        assert_eq!(outcome(&reply_from(&door, "203.0.113.66", "hello")), "201");
        assert!(!server.asked().is_empty());
        // The next ones do not wait.
        let asked = server.asked().len();
        let more: Vec<String> = (1..9).map(|n| outcome(&reply_from(&door, &format!("198.51.{n}.66"), "hi"))).collect();
        assert!(more.iter().all(|outcome| outcome == "201"), "{more:?}");
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        assert_eq!(server.asked().len(), asked, "nobody is asked for a while");
        assert!(door.told().contains("no list of spammers' addresses has answered in time"), "{}", door.told());
        assert!(!door.told().contains("panicked"), "{}", door.told());
    }
}

#[test]
fn many_at_once_wait_no_longer_than_one() {
    let server = Server::start(Manner::Silent);
    let site = server.site("");
    let door = Running::start(site.root());
    let (began, taken) = (Instant::now(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for n in 0..60 {
            let (door, taken) = (&door, &taken);
            scope.spawn(move || {
                let sent = reply_from(door, &format!("198.51.{n}.66"), "hello");
                taken.fetch_add(usize::from(outcome(&sent) == "201"), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(taken.into_inner(), 60);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    // So many are asked about at a time, each of them twice.
    assert!(server.asked().len() <= 32, "{:?}", server.asked());
}
