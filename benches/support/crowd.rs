//! Many posters at once: how many posts are accepted, and how many get onto their pages.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::program::{Server, connect, post};

/// What the clients of a crowd do after a post.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// They wait until their post is on its page.
    Waiting,
    /// They are content to know that it is safe (RFC 7240), and send the next one.
    Hurried,
}

impl Manner {
    /// How each of their posts begins.
    fn marker(self) -> &'static str {
        match self {
            Manner::Waiting => "waiting-client",
            Manner::Hurried => "hurried-client",
        }
    }

    fn head(self) -> &'static str {
        match self {
            Manner::Waiting => "",
            Manner::Hurried => "Prefer: respond-async\r\n",
        }
    }
}

/// What came of a crowd's posts.
pub struct Outcome {
    /// Posts that were answered as visible, while the clients came.
    pub at_once: usize,
    /// Posts that were answered as safe.
    pub safe: usize,
    /// Posts that were told to come back.
    pub busy: usize,
    /// Posts that got any other answer.
    pub refused: usize,
    /// How long the clients came.
    pub came: Duration,
    /// From their first post until the last one was on its page.
    pub all_visible: Duration,
    /// Accepted posts that were found on the pages.
    pub on_pages: usize,
    /// Accepted posts that were found in the thread files.
    pub in_content: usize,
    /// The most memory that `serve` had, in KiB.
    pub peak: u64,
}

impl Outcome {
    /// Posts that were accepted.
    pub fn accepted(&self) -> usize {
        self.at_once + self.safe
    }
}

/// Should posts be lost, the bench ends all the same.
const PATIENCE: Duration = Duration::from_secs(120);

/// One client's posts; those accepted by thread.
#[derive(Clone)]
struct Tally {
    by_thread: Vec<usize>,
    at_once: usize,
    safe: usize,
    busy: usize,
    refused: usize,
}

/// Posts replies to `threads` over many connections, as fast as they are answered, for so long; then waits until all
/// that was accepted can be read.
pub fn come(root: &Path, threads: &[(String, String)], clients: usize, long: Duration, manner: Manner) -> Outcome {
    let server = Server::start(root);
    let began = Instant::now();
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let start = |number| {
            let address = &server.address;
            scope.spawn(move || client(number, address, threads, began + long, manner))
        };
        let running: Vec<_> = (0..clients).map(start).collect();
        running.into_iter().map(|client| client.join().expect("a client ends well")).collect()
    });
    let came = began.elapsed();
    let accepted: Vec<usize> =
        (0..threads.len()).map(|thread| tallies.iter().map(|tally| tally.by_thread[thread]).sum()).collect();
    let pages = threads.iter().map(|(board, no)| root.join(format!("public/{board}/thread/{no}.html")));
    let on_pages = pages.zip(&accepted).map(|(page, posts)| wait_for(&page, manner.marker(), *posts)).sum();
    let all_visible = began.elapsed();
    let files = threads.iter().map(|(board, no)| root.join(format!("content/{board}/{no}.md")));
    let in_content = files.map(|file| count(&file, &format!("}}\n{}", manner.marker()))).sum();
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum();
    Outcome {
        at_once: sum(|tally| tally.at_once),
        safe: sum(|tally| tally.safe),
        busy: sum(|tally| tally.busy),
        refused: sum(|tally| tally.refused),
        came,
        all_visible,
        on_pages,
        in_content,
        peak: server.peak_memory(),
    }
}

fn client(number: usize, address: &str, threads: &[(String, String)], until: Instant, manner: Manner) -> Tally {
    let mut connection = connect(address);
    let mut tally = Tally { by_thread: vec![0; threads.len()], at_once: 0, safe: 0, busy: 0, refused: 0 };
    let mut nth = 0;
    while Instant::now() < until {
        let place = (number + nth) % threads.len();
        let (board, thread) = &threads[place];
        let body = format!("board={board}&thread={thread}&body={}+{number}+post+{nth}", manner.marker());
        nth += 1;
        let answer = post(&mut connection, &body, manner.head());
        match answer.status {
            201 => tally.at_once += 1,
            202 => tally.safe += 1,
            503 => {
                tally.busy += 1;
                std::thread::sleep(answer.pause.min(until.saturating_duration_since(Instant::now())));
            }
            _ => tally.refused += 1,
        }
        tally.by_thread[place] += usize::from(matches!(answer.status, 201 | 202));
    }
    tally
}

/// Waits until a file holds so many posts of the crowd, and tells how many it holds then.
fn wait_for(file: &Path, marker: &str, posts: usize) -> usize {
    let began = Instant::now();
    let mut seen = None;
    let mut held = 0;
    while held < posts && began.elapsed() < PATIENCE {
        let looks = fs::metadata(file).ok().and_then(|meta| Some((meta.len(), meta.modified().ok()?)));
        if looks == seen {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        }
        seen = looks;
        held = count(file, marker);
    }
    held
}

fn count(file: &Path, what: &str) -> usize {
    let bytes = fs::read(file).unwrap_or_default();
    memchr::memmem::find_iter(&bytes, what).count()
}
