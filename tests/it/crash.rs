//! `kill -9` at any moment: what was answered is there, nothing is there twice, no number is left out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use nejiboard::store::thread_file;

use super::sandbox::Sandbox;
use super::sandbox::running::{self, Running};

/// How often the program is killed.
const CRASHES: usize = 50;

/// How many posts are sent, and by how many clients.
const POSTS: usize = 2_000;
const CLIENTS: usize = 8;

/// Nothing here should take longer.
const AT_MOST: Duration = Duration::from_secs(300);

/// A post that was answered: its nonce in the text, and where it was said to stand, if that was said.
type Answered = BTreeMap<String, Option<(String, u64)>>;

#[test]
fn fifty_crashes_lose_no_post_and_double_none() {
    let site = Sandbox::new("==> content/a/board.yaml\ntitle: A\n==> content/b/board.yaml\ntitle: B\n");
    let door = RwLock::new(None);
    let (answered, sent, done) = (Mutex::new(Answered::new()), AtomicUsize::new(0), AtomicBool::new(false));
    let crashes = std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| send_posts(&door, &answered, &sent, &done));
        }
        let crashes = crash_and_come_back(&site, &door, &answered);
        done.store(true, Ordering::Relaxed);
        crashes
    });
    let answered = answered.into_inner().unwrap();
    assert_eq!(answered.len(), POSTS);
    assert!(CRASHES <= crashes, "only {crashes} crashes: the posts were through before");
    for board in ["a", "b"] {
        check_board(&site, board, &answered);
    }
    assert_eq!(std::fs::read_dir(site.path("posts-inbox")).unwrap().count(), 0, "the inbox is not empty");
    let verified = running::run(site.root(), &["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// Starts the program again and again, and kills it while posts come in; at last lets it end in peace.
fn crash_and_come_back(site: &Sandbox, door: &RwLock<Option<SocketAddr>>, answered: &Mutex<Answered>) -> usize {
    let began = Instant::now();
    let mut crashes = 0;
    loop {
        let running = Running::start(site.root());
        *door.write().unwrap() = Some(running.address);
        let goal = (crashes + 1) * POSTS / (CRASHES + 2);
        // So many posts later, and then a moment that no step of the work is bound to.
        while answered.lock().unwrap().len() < goal && began.elapsed() < AT_MOST {
            std::thread::sleep(Duration::from_millis(1));
        }
        if crashes == CRASHES {
            while answered.lock().unwrap().len() < POSTS && began.elapsed() < AT_MOST {
                std::thread::sleep(Duration::from_millis(5));
            }
            assert!(running.terminate().success());
            return crashes;
        }
        std::thread::sleep(Duration::from_micros((crashes as u64 * 7_919) % 9_000));
        *door.write().unwrap() = None;
        running.kill();
        crashes += 1;
    }
}

/// Sends posts until all are answered; one that was not answered is sent again, with the same nonce.
fn send_posts(door: &RwLock<Option<SocketAddr>>, answered: &Mutex<Answered>, sent: &AtomicUsize, done: &AtomicBool) {
    loop {
        let nth = sent.fetch_add(1, Ordering::Relaxed);
        if POSTS <= nth {
            return;
        }
        let nonce = format!("nonce{nth}");
        let board = ["a", "b"][nth % 2];
        // The first posts open threads, and one in twenty later on; number 1 is there once its post was answered.
        let opened = answered.lock().unwrap().values().flatten().any(|(on, no)| on == board && *no == 1);
        let thread = if nth % 20 < 2 || !opened { "" } else { "1" };
        let body = format!("text of {nonce}");
        let fields = [("board", board), ("thread", thread), ("body", &body), ("nonce", &nonce)];
        while !done.load(Ordering::Relaxed) {
            let address = *door.read().unwrap();
            let reply = address.and_then(|address| running::post(address, &fields, "application/json").ok());
            match reply.map(|reply| (reply.status, reply.body)) {
                Some((201, body)) => {
                    let no = body.split("\"no\":").nth(1).and_then(digits);
                    answered.lock().unwrap().insert(nonce.clone(), no.map(|no| (board.to_owned(), no)));
                    break;
                }
                Some((202, _)) => {
                    answered.lock().unwrap().insert(nonce.clone(), None);
                    break;
                }
                Some((503, _)) | None => std::thread::sleep(Duration::from_millis(3)),
                Some(other) => panic!("{other:?}"),
            }
        }
    }
}

fn digits(text: &str) -> Option<u64> {
    let text = text.trim_start();
    text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())].parse().ok()
}

/// Every answered post of the board stands there once, under the number that was told, and the numbers have no gap.
fn check_board(site: &Sandbox, board: &str, answered: &Answered) {
    let mut numbers: BTreeMap<u64, String> = BTreeMap::new();
    let mut by_nonce: BTreeMap<String, u64> = BTreeMap::new();
    for entry in std::fs::read_dir(site.path("content").join(board)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "md") {
            assert!(path.ends_with("board.yaml"), "left behind: {}", path.display());
            continue;
        }
        let reading = thread_file::read(&path, &std::fs::read(&path).unwrap());
        assert!(reading.problems.is_empty(), "{:?}", reading.problems);
        for post in reading.thread.unwrap().posts {
            let nonce = post.body.trim_start_matches("text of ").to_owned();
            assert!(numbers.insert(post.no.get(), nonce.clone()).is_none(), "number {} twice", post.no);
            assert!(by_nonce.insert(nonce.clone(), post.no.get()).is_none(), "{nonce} twice");
        }
    }
    let wanted: Vec<u64> = (1..=numbers.len() as u64).collect();
    assert_eq!(numbers.keys().copied().collect::<Vec<_>>(), wanted, "numbers of {board} have a gap");
    for (nonce, told) in
        answered.iter().filter(|(nonce, _)| digits(&nonce[5..]).unwrap() % 2 == u64::from(board == "b"))
    {
        let there = by_nonce.get(nonce);
        assert!(there.is_some(), "{nonce} was answered and is lost");
        if let Some((_, no)) = told {
            assert_eq!(there, Some(no), "{nonce} stands elsewhere than it was told");
        }
    }
}
