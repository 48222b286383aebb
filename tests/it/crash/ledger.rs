//! Which posts were answered, and whether they are where they were said to be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use nejiboard::store::thread_file;

use super::super::packed::wrong_siblings;
use super::super::sandbox::links::dead_links;
use super::super::sandbox::{files_below, running};

/// Posts that were answered, by the nonce that is in their text.
#[derive(Clone, Default, Debug)]
pub struct Ledger(pub BTreeMap<String, Told>);

/// What a poster was told: on which board the post is, and its number if it was on its page already.
#[derive(Clone, Debug)]
pub struct Told {
    pub board: String,
    pub no: Option<u64>,
}

/// The text by which a post is known again.
pub fn text_of(nonce: &str) -> String {
    format!("text of {nonce}")
}

/// When a poster wants the answer.
#[derive(Clone, Copy, PartialEq)]
pub enum Wanted {
    /// When the post is on its page, if that is soon.
    OnceVisible,
    /// When it is safe. Whatever happens after that, nobody sends it again.
    OnceSafe,
}

/// Sends a post with this nonce. `None` if it was not answered, or is to be sent again.
pub fn send(address: SocketAddr, board: &str, thread: &str, nonce: &str, wanted: Wanted) -> Option<Told> {
    let body = text_of(nonce);
    let fields = [("board", board), ("thread", thread), ("body", &body), ("nonce", nonce)];
    let accept = match wanted {
        Wanted::OnceVisible => "application/json",
        Wanted::OnceSafe => "application/json\r\nPrefer: respond-async",
    };
    let reply = running::post(address, &fields, accept).ok()?;
    let no = match reply.status {
        201 => Some(reply.body.split("\"no\":").nth(1).and_then(digits).expect("a number in the answer")),
        202 => None,
        503 => return None,
        _ => panic!("{reply:?}"),
    };
    Some(Told { board: board.to_owned(), no })
}

/// The number that a text begins with.
pub fn digits(text: &str) -> Option<u64> {
    let text = text.trim_start();
    text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())].parse().ok()
}

impl Ledger {
    /// Notes an answer.
    pub fn note(&mut self, nonce: &str, told: Told) {
        self.0.insert(nonce.to_owned(), told);
    }

    /// Every post stands on its board once, under the number that was told; the numbers of these boards have no gap,
    /// and nothing else lies in their folders.
    pub fn check_content(&self, root: &Path, boards: &[&str]) {
        for board in boards {
            let numbers: Vec<u64> = self.check_posts(root, board).into_iter().collect();
            let wanted: Vec<u64> = (1..=numbers.len() as u64).collect();
            assert_eq!(numbers, wanted, "numbers of {board} have a gap");
        }
    }

    /// The same for the posts of one board; gives the numbers that are used.
    pub fn check_posts(&self, root: &Path, board: &str) -> BTreeSet<u64> {
        let by_nonce = posts_of(root, board);
        for (nonce, told) in self.0.iter().filter(|(_, told)| told.board == board) {
            let there = by_nonce.get(nonce);
            assert!(there.is_some(), "{nonce} was answered and is lost");
            if told.no.is_some() {
                assert_eq!(there, told.no.as_ref(), "{nonce} stands elsewhere than it was told");
            }
        }
        by_nonce.into_values().collect()
    }

    /// All of that, once the program has ended in peace: and besides, the inbox is empty, nothing temporary is left, no
    /// link leads nowhere, and the pages are those of a clean build.
    pub fn check_site(&self, root: &Path, boards: &[&str]) {
        self.check_content(root, boards);
        let waiting: Vec<_> = fs::read_dir(root.join("posts-inbox")).unwrap().flatten().collect();
        assert!(waiting.iter().all(|entry| entry.file_name() == "rejected"), "the inbox is not empty: {waiting:?}");
        assert_eq!(leftovers(root), [""; 0]);
        assert_eq!(dead_links(&root.join("public"), "/"), [""; 0]);
        // A program that is told to end leaves to the next one what it cannot pack within seconds.
        assert!(running::run(root, &["build"]).status.success());
        for arguments in [&["verify"][..], &["verify", "--content"]] {
            let verified = running::run(root, arguments);
            assert!(verified.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&verified.stderr));
        }
    }
}

/// The posts of a board: their nonces and numbers. Fails if one is there twice.
pub fn posts_of(root: &Path, board: &str) -> BTreeMap<String, u64> {
    let mut numbers: BTreeMap<u64, String> = BTreeMap::new();
    let mut by_nonce: BTreeMap<String, u64> = BTreeMap::new();
    for entry in fs::read_dir(root.join("content").join(board)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "md") {
            assert!(path.ends_with("board.yaml"), "left behind: {}", path.display());
            continue;
        }
        let reading = thread_file::read(&path, &fs::read(&path).unwrap());
        assert!(reading.problems.is_empty(), "{:?}", reading.problems);
        for post in reading.thread.unwrap().posts {
            let nonce = match post.deleted {
                true => format!("deleted {}", post.no),
                false => post.body.trim_start_matches("text of ").to_owned(),
            };
            assert!(numbers.insert(post.no.get(), nonce.clone()).is_none(), "number {} twice", post.no);
            assert!(by_nonce.insert(nonce.clone(), post.no.get()).is_none(), "{nonce} twice");
        }
    }
    by_nonce
}

/// Files and folders that should not outlive a crash.
fn leftovers(root: &Path) -> Vec<String> {
    let temporary = |path: &str| {
        let mut names = path.split('/');
        names.any(|name| name.ends_with(".draft") || [".public.new", ".public.old"].contains(&name))
            || path.starts_with(".nejiboard/verify")
    };
    files_below(root).into_keys().filter(|path| temporary(path)).collect()
}

/// What a reader meets while the program is dead: each page is whole, its packed siblings hold what it holds, and each
/// link leads to a page.
pub fn check_pages_of_a_dead_program(root: &Path) {
    let public = root.join("public");
    let pages = files_below(&public);
    let shown = |path: &str| !path.rsplit('/').next().unwrap().starts_with('.');
    for (path, bytes) in pages.iter().filter(|(path, _)| path.ends_with(".html") && shown(path)) {
        assert!(String::from_utf8_lossy(bytes).trim_end().ends_with("</html>"), "{path} is half a page");
    }
    assert_eq!(wrong_siblings(&public), [""; 0]);
    let dead: Vec<String> = dead_links(&public, "/")
        .into_iter()
        .filter(|dead| {
            let (page, link) = dead.split_once(": ").unwrap();
            // A reader who follows a link to a post that its page does not show yet still comes to the page.
            let target = link.split('#').next().unwrap().trim_start_matches('/');
            shown(page) && !(target.is_empty() || pages.contains_key(target))
        })
        .collect();
    assert_eq!(dead, [""; 0]);
}
