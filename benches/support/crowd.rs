//! Many posters at once: how many posts are accepted, and how many get onto their pages.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::program::{Server, processor_time};

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
    /// The time of processors that `serve` took while the clients came.
    pub served_by: Duration,
    /// The same of the clients, who share the machine with it.
    pub sent_by: Duration,
}

impl Outcome {
    /// Posts that were accepted.
    pub fn accepted(&self) -> usize {
        self.at_once + self.safe
    }
}

/// The longest that a client waits before it comes back, whatever it is told, so that a bench ends.
const PAUSE_MAX: Duration = Duration::from_millis(200);

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
    let (served_before, sent_before) = (processor_time(server.id()), processor_time(std::process::id()));
    let tallies = crowd(&server.address, threads, clients, began + long, manner);
    let came = began.elapsed();
    let served_by = processor_time(server.id()) - served_before;
    let sent_by = processor_time(std::process::id()) - sent_before;
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
        served_by,
        sent_by,
    }
}

/// All clients, on one thread: they share the machine with `serve`, so they should take as little of it as they can.
fn crowd(address: &str, threads: &[(String, String)], clients: usize, until: Instant, manner: Manner) -> Vec<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let mut running = JoinSet::new();
    for number in 0..clients {
        let requests = threads.iter().map(|thread| Request::new(number, thread, manner)).collect();
        running.spawn_on(client(number, address.to_owned(), requests, until), runtime.handle());
    }
    runtime.block_on(running.join_all())
}

async fn client(number: usize, address: String, mut requests: Vec<Request>, until: Instant) -> Tally {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    connection.set_nodelay(true).expect("a socket option");
    let mut tally = Tally { by_thread: vec![0; requests.len()], at_once: 0, safe: 0, busy: 0, refused: 0 };
    let mut answer = Vec::with_capacity(4 << 10);
    let mut nth = 0;
    while Instant::now() < until {
        let place = (number + nth) % requests.len();
        connection.write_all(requests[place].bytes(nth)).await.expect("it reads");
        nth += 1;
        let head = read_answer(&mut connection, &mut answer).await;
        match status(head) {
            201 => tally.at_once += 1,
            202 => tally.safe += 1,
            503 => {
                tally.busy += 1;
                let seconds = value(head, "\r\nretry-after: ").map_or(PAUSE_MAX, Duration::from_secs);
                let left = until.saturating_duration_since(Instant::now());
                tokio::time::sleep(seconds.min(PAUSE_MAX).min(left)).await;
            }
            _ => tally.refused += 1,
        }
        tally.by_thread[place] += usize::from(matches!(status(head), 201 | 202));
    }
    tally
}

/// A client's posts to one thread, all but the number of the post ready to be sent.
struct Request(Vec<u8>);

/// Digits that end a request.
const DIGITS: usize = 7;

impl Request {
    fn new(number: usize, (board, thread): &(String, String), manner: Manner) -> Request {
        let (marker, head) = (manner.marker(), manner.head());
        let body = format!("board={board}&thread={thread}&body={marker}+{number}+post+{:0DIGITS$}", 0);
        let length = body.len();
        let request = format!(
            "POST /post HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n{head}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        Request(request.into_bytes())
    }

    /// The bytes of the `nth` post.
    fn bytes(&mut self, mut nth: usize) -> &[u8] {
        for digit in self.0.iter_mut().rev().take(DIGITS) {
            *digit = b'0' + (nth % 10) as u8;
            nth /= 10;
        }
        &self.0
    }
}

/// Reads a whole answer, and gives its head.
async fn read_answer<'a>(connection: &mut TcpStream, answer: &'a mut Vec<u8>) -> &'a [u8] {
    answer.clear();
    loop {
        assert_ne!(connection.read_buf(answer).await.expect("it answers"), 0, "it answers whole");
        let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n") else { continue };
        let length = value(&answer[..end], "\r\ncontent-length: ").unwrap_or(0) as usize;
        if end + 4 + length <= answer.len() {
            return &answer[..end];
        }
    }
}

fn status(head: &[u8]) -> u64 {
    value(head, "HTTP/1.1 ").expect("an answer has a status")
}

/// The number that stands after this in the head of an answer.
fn value(head: &[u8], before: &str) -> Option<u64> {
    let from = memchr::memmem::find(head, before.as_bytes())? + before.len();
    let digits = head[from..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
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
