//! How cost grows: three shapes of site, each at one, two and four times a size.
//!
//! `cargo bench --bench scale -- [--posts N] [--boards N] [--threads N] [--runs N] [--replies N]`. `--posts` are those
//! of the longest thread, `--boards` and `--threads` the most boards and the most threads of one board; a shape whose
//! size is 0 is left out. For each measure it prints the three values, the ratio of each to the one before, and the
//! base-2 logarithm of that: 0 does not grow with the site, 1 grows with it, 2 grows with its square.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};

#[path = "support/measure.rs"]
mod measure;
#[path = "support/program.rs"]
#[allow(dead_code)]
mod program;

use measure::{Attic, median, milliseconds, time};
use program::{Server, connect, is_bench, post_until_taken, run};

/// No limit of replies, as one thread is to hold them all. A reply bumps as always.
const SETTINGS: &str = "title: Bench\ndefaults:\n  reply_limit: 0\n  bump_limit: 0\n";

fn main() {
    if !is_bench() {
        return;
    }
    let options = Options::parse();
    let folder = tempfile::Builder::new().prefix("nejiboard-bench").tempdir_in("target").expect("target/ is there");
    let mut attic = Attic::new(folder.path());
    for shape in [Shape::LongThread, Shape::ManyBoards, Shape::ManyThreads] {
        let most = options.most(shape);
        if most == 0 {
            continue;
        }
        let sizes = [most / 4, most / 2, most];
        println!("\n{}: {} / {} / {}", shape.title(), sizes[0], sizes[1], sizes[2]);
        let measured = sizes.map(|size| measure(folder.path(), shape, size, &options, &mut attic));
        tell(&measured);
    }
}

struct Options {
    posts: u64,
    boards: u64,
    threads: u64,
    runs: Option<usize>,
    replies: usize,
}

impl Options {
    fn parse() -> Options {
        let mut options = Options { posts: 50_000, boards: 500, threads: 100_000, runs: None, replies: 9 };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
            match argument.as_str() {
                "--posts" => options.posts = value().parse().expect("a number of posts"),
                "--boards" => options.boards = value().parse().expect("a number of boards"),
                "--threads" => options.threads = value().parse().expect("a number of threads"),
                "--runs" => options.runs = Some(value().parse().expect("a number of runs")),
                "--replies" => options.replies = value().parse().expect("a number of replies"),
                // What cargo itself adds.
                "--bench" => {}
                other => panic!("unknown option {other}"),
            }
        }
        options
    }

    /// How many builds of each size. One is enough where each writes tens of thousands of files.
    fn runs_of(&self, shape: Shape) -> usize {
        self.runs.unwrap_or(if shape == Shape::ManyThreads { 1 } else { 3 })
    }

    fn most(&self, shape: Shape) -> u64 {
        match shape {
            Shape::LongThread => self.posts,
            Shape::ManyBoards => self.boards,
            Shape::ManyThreads => self.threads,
        }
    }
}

/// What there is much of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One thread, whose posts quote a few others of it.
    LongThread,
    /// Boards of four threads.
    ManyBoards,
    /// One board, whose threads have two posts.
    ManyThreads,
}

impl Shape {
    fn title(self) -> &'static str {
        match self {
            Shape::LongThread => "posts of one thread",
            Shape::ManyBoards => "boards of four threads",
            Shape::ManyThreads => "threads of one board",
        }
    }

    /// Boards, threads of each, posts of each.
    fn counts(self, size: u64) -> (u64, u64, u64) {
        match self {
            Shape::LongThread => (1, 1, size),
            Shape::ManyBoards => (size, 4, 5),
            Shape::ManyThreads => (1, size, 2),
        }
    }
}

/// A value of one size: what it is, how much, and in what.
struct Measure {
    what: &'static str,
    value: f64,
    unit: &'static str,
}

fn measure(folder: &Path, shape: Shape, size: u64, options: &Options, attic: &mut Attic) -> Vec<Measure> {
    let root = folder.join("site");
    attic.take(&root);
    write_site(&root, shape, size);
    // A file that was written a moment before it is read is read once more by the next build.
    std::thread::sleep(Duration::from_millis(100));
    let mut measures = Measures::default();
    let (mut clean, mut unchanged) = (Vec::new(), Vec::new());
    for _ in 0..options.runs_of(shape) {
        attic.take(&root.join("public"));
        clean.push(run(&root, &["build", "--clean"]));
        unchanged.push(run(&root, &["build"]));
    }
    measures.time("clean build", clean.iter().map(|run| run.took).collect());
    measures.memory("its peak memory", clean.iter().map(|run| run.peak).max());
    measures.0.push(Measure { what: "its output", value: bytes_below(&root.join("public")) as f64 / 1e6, unit: "MB" });
    measures.time("build, nothing changed", unchanged.iter().map(|run| run.took).collect());
    measures.memory("its peak memory", unchanged.iter().map(|run| run.peak).max());
    serve(&root, shape, size, options.replies, &mut measures);
    measures.0
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.and_then(|entry| entry.metadata()));
    let files = entries.map(|meta| meta.expect("it can be looked at")).filter(|meta| meta.is_file());
    files.map(|meta| meta.len()).sum()
}

/// Replies to a thread in the middle of what a board's index shows, and new threads.
fn serve(root: &Path, shape: Shape, size: u64, count: usize, measures: &mut Measures) {
    let server = Server::start(root);
    measures.time("start of serve", vec![server.opened_after]);
    std::thread::sleep(Duration::from_millis(500));
    measures.memory("its memory at rest", Some(server.memory()));
    let mut connection = connect(&server.address);
    let (boards, threads, posts) = shape.counts(size);
    let board = board_name(boards / 2);
    let mut replies = Vec::new();
    for nth in 0..=count as u64 {
        let back = (threads / 2).min(50);
        let thread = 1 + (threads - 1 - (back + nth).min(threads - 1)) * posts;
        let page = root.join(format!("public/{board}/thread/{thread}.html"));
        let marker = format!("reply-{nth}-of-the-bench");
        let body = format!("board={board}&thread={thread}&body={marker}");
        replies.push(time(|| {
            // One that takes long is answered before it can be read.
            if post_until_taken(&mut connection, &body).status == 202 {
                wait_for(&page, &marker);
            }
        }));
    }
    // The first one finds everything cold.
    measures.time("first reply", vec![replies.remove(0)]);
    measures.time("reply", replies);
    if shape == Shape::LongThread {
        let page = root.join(format!("public/{board}/thread/1.html"));
        let bytes = fs::metadata(page).expect("it has a page").len();
        measures.0.push(Measure { what: "size of its page", value: bytes as f64 / 1e6, unit: "MB" });
    } else {
        let index = root.join(format!("public/{board}/index.html"));
        let new_thread = |nth: usize| {
            let marker = format!("new-thread-{nth}-of-the-bench");
            let body = format!("board={board}&subject={marker}&body=It+says+nothing.");
            time(|| {
                if post_until_taken(&mut connection, &body).status == 202 {
                    wait_for(&index, &marker);
                }
            })
        };
        let took: Vec<Duration> = (0..=count).map(new_thread).skip(1).collect();
        measures.time("new thread", took);
    }
    measures.memory("peak memory of serve", Some(server.peak_memory()));
}

fn wait_for(page: &Path, marker: &str) {
    let began = Instant::now();
    while !fs::read(page).is_ok_and(|bytes| memchr::memmem::find(&bytes, marker.as_bytes()).is_some()) {
        assert!(began.elapsed() < Duration::from_secs(60), "a reply did not become visible");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[derive(Default)]
struct Measures(Vec<Measure>);

impl Measures {
    fn time(&mut self, what: &'static str, took: Vec<Duration>) {
        if !took.is_empty() {
            self.0.push(Measure { what, value: milliseconds(median(took)), unit: "ms" });
        }
    }

    fn memory(&mut self, what: &'static str, kib: Option<u64>) {
        self.0.extend(kib.map(|kib| Measure { what, value: kib as f64 / 1024.0, unit: "MiB" }));
    }
}

fn tell(sizes: &[Vec<Measure>; 3]) {
    println!("{:<24} {:>12} {:>12} {:>12}     {:>15}    slopes", "", "1x", "2x", "4x", "ratios");
    for ((one, two), four) in sizes[0].iter().zip(&sizes[1]).zip(&sizes[2]) {
        let Measure { what, unit, .. } = one;
        let [one, two, four] = [one, two, four].map(|measure| measure.value);
        let (first, second) = (two / one, four / two);
        println!(
            "{what:<24} {one:>12.2} {two:>12.2} {four:>12.2} {unit:<3} {first:>7.2} {second:>7.2}  {:>5.2} {:>5.2}",
            first.log2(),
            second.log2()
        );
    }
}

fn board_name(number: u64) -> String {
    format!("b{number}")
}

fn write_site(root: &Path, shape: Shape, size: u64) {
    let (boards, threads, posts) = shape.counts(size);
    for board in 0..boards {
        let folder = root.join("content").join(board_name(board));
        fs::create_dir_all(&folder).expect("a fresh folder takes folders");
        for thread in 0..threads {
            write_thread(&folder, 1 + thread * posts, posts);
        }
    }
    fs::write(root.join("content/site.yaml"), SETTINGS).expect("a fresh folder takes files");
}

/// Writes a thread file. Replies quote the post before them, the opening post, and two in between.
fn write_thread(folder: &Path, op: u64, posts: u64) {
    let path: PathBuf = folder.join(format!("{op}.md"));
    let mut text = String::new();
    for no in op..op + posts {
        let at = (DateTime::UNIX_EPOCH + TimeDelta::minutes(26_000_000 + no as i64)).format("%Y-%m-%dT%H:%M:%SZ");
        let gap = if no == op { "" } else { "\n" };
        let _ = writeln!(text, "{gap}--- {{\"no\": {no}, \"at\": \"{at}\"}}");
        if op < no {
            // Some of the posts between, the same ones in every run.
            let within = |prime: u64| op + no.wrapping_mul(prime) % (no - op);
            let _ = writeln!(text, ">>{}\n>>{op} >>{} >>{}", no - 1, within(7_919), within(104_729));
        }
        let _ =
            writeln!(text, "This is post **{no}** of a thread that begins with {op}, and it has `a few` more words.");
        let _ = writeln!(text, ">to be or not to be\nThat is no question here, see https://example.org/{no} for more.");
    }
    fs::write(path, text).expect("a fresh folder takes files");
}
