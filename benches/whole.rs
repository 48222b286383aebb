//! The whole program against the disk: a clean build beside two ways to put the same files there, a reply from POST to
//! visible beside one "new file, fsync, rename, fsync folder", the start of `serve`, and many posters at once.
//!
//! `cargo bench --bench whole -- [--posts N] [--replies N] [--clients N] [--seconds N] [--runs N] [--corpus FILE.jsonl]`.
//! Without a corpus it writes one of its own. With `--crowd` it measures many posters alone, with `--flat` replies alone,
//! on this site and on a small one in turns: `--flat [--small N]`, with `--refused N` what it costs to refuse a post, N
//! of each kind. What counts are the ratios: machines differ, and so
//! do their moments.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rayon::prelude::*;

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/measure.rs"]
mod measure;
#[path = "support/program.rs"]
#[allow(dead_code)]
mod program;
#[path = "support/refused.rs"]
mod refused;

use crowd::Manner;
use measure::{Attic, median, milliseconds, time};
use program::{Server, connect, is_bench, post_until_taken, run};

/// No limit of replies: a crowd would soon be at it. What stands in a thread is then bounded by the time alone.
const SETTINGS: &str = "title: Bench\ndefaults:\n  reply_limit: 0\n";

fn main() {
    if !is_bench() {
        return;
    }
    let options = Options::parse();
    let folder = tempfile::Builder::new().prefix("nejiboard-bench").tempdir_in("target").expect("target/ is there");
    let corpus = options.corpus.clone().unwrap_or_else(|| corpus::write(folder.path(), options.posts));
    let root = import(folder.path(), "site", &corpus);
    if let Some(count) = options.refused {
        run(&root, &["build"]);
        return refused::measure(&root, count);
    }
    if options.flat {
        return flat(folder.path(), &root, &options);
    }
    if options.crowd {
        run(&root, &["build"]);
        return crowds(&root, &options);
    }
    builds(folder.path(), &root, options.runs);
    start(&root);

    let [replies] = replies([&root], options.replies);
    report("one durable file", replies.file);
    report("reply, median", replies.median);
    ratio("reply / durable file", replies.median, replies.file);
    ratio("reply, 99th of 100 / median", replies.p99, replies.median);

    crowds(&root, &options);
}

fn crowds(root: &Path, options: &Options) {
    let long = Duration::from_secs(options.seconds);
    for manner in [Manner::Waiting, Manner::Hurried] {
        tell_crowd(&crowd::come(root, &latest_threads(root), options.clients, long, manner), options.clients, manner);
    }
}

struct Options {
    posts: usize,
    replies: usize,
    corpus: Option<PathBuf>,
    clients: usize,
    seconds: u64,
    runs: usize,
    flat: bool,
    small: usize,
    crowd: bool,
    refused: Option<usize>,
}

impl Options {
    fn parse() -> Options {
        let mut options = Options {
            posts: 100_000,
            replies: 300,
            corpus: None,
            clients: 64,
            seconds: 5,
            runs: 5,
            flat: false,
            small: 1_000,
            crowd: false,
            refused: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
            match argument.as_str() {
                "--posts" => options.posts = value().parse().expect("a number of posts"),
                "--replies" => options.replies = value().parse().expect("a number of replies"),
                "--clients" => options.clients = value().parse().expect("a number of clients"),
                "--seconds" => options.seconds = value().parse().expect("a number of seconds"),
                "--runs" => options.runs = value().parse().expect("a number of runs"),
                "--corpus" => options.corpus = Some(value().into()),
                "--flat" => options.flat = true,
                "--refused" => options.refused = Some(value().parse().expect("a number of posts")),
                "--crowd" => options.crowd = true,
                "--small" => options.small = value().parse().expect("a number of posts"),
                // What cargo itself adds.
                "--bench" => {}
                other => panic!("unknown option {other}"),
            }
        }
        options
    }
}

/// Makes a site of the corpus, not built yet.
fn import(folder: &Path, name: &str, corpus: &Path) -> PathBuf {
    let root = folder.join(name);
    fs::create_dir_all(root.join("content")).expect("a fresh folder takes folders");
    fs::write(root.join("content/site.yaml"), SETTINGS).expect("a fresh folder takes files");
    let corpus = corpus.to_str().expect("the path is UTF-8");
    report(&format!("import of the {name}"), run(&root, &["import", "jsonl", corpus]).took);
    root
}

/// A clean build, `cp -r` of what it made, and the same files from memory, in turns; then medians.
fn builds(folder: &Path, root: &Path, runs: usize) {
    let (public, copy, written) = (root.join("public"), folder.join("copy"), folder.join("written"));
    let mut attic = Attic::new(folder);
    let mut files = Vec::new();
    let [mut clean, mut unchanged, mut cp, mut memory] = [(); 4].map(|()| Vec::new());
    let (mut peak, mut peak_unchanged) = (0, 0);
    for _ in 0..runs {
        [&public, &copy, &written].into_iter().for_each(|path| attic.take(path));
        settle();
        let build = run(root, &["build", "--clean"]);
        (peak, clean) = (peak.max(build.peak), with(clean, build.took));
        let build = run(root, &["build"]);
        (peak_unchanged, unchanged) = (peak_unchanged.max(build.peak), with(unchanged, build.took));
        if files.is_empty() {
            files = read_all(&public);
        }
        settle();
        cp.push(time(|| copy_with_cp(&public, &copy)));
        settle();
        memory.push(time(|| write_all(&written, &files)));
    }
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("{:<40} {:>10} files, {:.1} MB", "the output", files.len(), bytes as f64 / 1e6);
    report("cp -r of the output", median(cp.clone()));
    report("the same files written from memory", median(memory.clone()));
    report("clean build", median(clean.clone()));
    ratios("clean build / cp -r", &clean, &cp);
    ratios("clean build / written from memory", &clean, &memory);
    report("build, nothing changed", median(unchanged.clone()));
    ratios("nothing changed / clean", &unchanged, &clean);
    println!("{:<40} {:>10} KiB", "peak memory of a clean build", peak);
    println!("{:<40} {:>10} KiB", "peak memory, nothing changed", peak_unchanged);
}

fn with(mut times: Vec<Duration>, took: Duration) -> Vec<Duration> {
    times.push(took);
    times
}

/// So that nobody pays for what another one has left to the disk.
fn settle() {
    assert!(Command::new("sync").status().expect("sync is there").success());
}

fn copy_with_cp(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().expect("cp is there").success());
}

/// All files below a folder, by their path in it.
fn read_all(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(|entry| entry.expect("it is read"));
    let files = entries.filter(|entry| entry.file_type().is_file());
    let below = |path: &Path| path.strip_prefix(folder).expect("it is below").to_owned();
    files.map(|entry| (below(entry.path()), fs::read(entry.path()).expect("it is read"))).collect()
}

/// The least that a clean build must do for the disk: folders, and each file created, written and closed. By as many
/// threads as the build has.
fn write_all(folder: &Path, files: &[(PathBuf, Vec<u8>)]) {
    let mut made = PathBuf::new();
    for (path, _) in files {
        let parent = folder.join(path.parent().expect("it has a folder"));
        if made != parent {
            fs::create_dir_all(&parent).expect("the disk takes folders");
            made = parent;
        }
    }
    files.par_iter().for_each(|(path, bytes)| {
        let mut file = File::create(folder.join(path)).expect("the disk takes a file");
        file.write_all(bytes).expect("the disk takes it");
    });
}

/// From the start of `serve` until its door is open, with all pages as they should be; and what it holds at rest.
fn start(root: &Path) {
    let mut opened = Vec::new();
    let mut at_rest = 0;
    for _ in 0..3 {
        let server = Server::start(root);
        opened.push(server.opened_after);
        std::thread::sleep(Duration::from_secs(2));
        at_rest = server.memory();
    }
    report("start of serve, until the door is open", median(opened));
    println!("{:<40} {:>10} KiB", "memory of serve at rest", at_rest);
}

struct Replies {
    file: Duration,
    median: Duration,
    p99: Duration,
}

/// Posts replies to the latest threads of each site, one at a time, the sites in turns, and writes a durable file
/// after each.
fn replies<const N: usize>(roots: [&Path; N], count: usize) -> [Replies; N] {
    let servers = roots.map(Server::start);
    let mut connections = servers.each_ref().map(|server| connect(&server.address));
    let threads = roots.map(latest_threads);
    let mut took: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
    let mut files = took.clone();
    for number in 0..count + 20 {
        for site in 0..N {
            let (board, thread) = &threads[site][number % threads[site].len()];
            let body = format!("board={board}&thread={thread}&body=Reply+number+{number}+of+the+bench.");
            let began = Instant::now();
            let answer = post_until_taken(&mut connections[site], &body);
            let elapsed = began.elapsed();
            assert_eq!(answer.status, 201, "{}", answer.text);
            let file = time(|| durable_file(roots[site], number));
            // The first ones warm caches.
            if 20 <= number {
                took[site].push(elapsed);
                files[site].push(file);
            }
        }
    }
    std::array::from_fn(|site| {
        took[site].sort();
        let p99 = took[site][took[site].len() * 99 / 100];
        Replies { file: median(files[site].clone()), median: median(took[site].clone()), p99 }
    })
}

/// What a reply costs on this site, over what it costs on a small one. The lists of one that is smaller than its index
/// are not full, and so cheaper to draw: `--small` says how small.
fn flat(folder: &Path, large: &Path, options: &Options) {
    let small = import(folder, "small site", &corpus::write(folder, options.small));
    for root in [&small, large] {
        run(root, &["build"]);
    }
    let [small, large] = replies([&small, large], options.replies);
    report("one durable file, between", median(vec![small.file, large.file]));
    report(&format!("reply on {} posts, median", options.small), small.median);
    report("reply on the site, median", large.median);
    ratio("the site / the small one", large.median, small.median);
    ratio("the same of the 99th of 100", large.p99, small.p99);
}

/// The first threads of each board's index.
fn latest_threads(root: &Path) -> Vec<(String, String)> {
    let mut threads = Vec::new();
    for board in fs::read_dir(root.join("content")).expect("there is content").flatten() {
        let name = board.file_name().into_string().expect("boards are ASCII");
        let Ok(index) = fs::read_to_string(root.join("public").join(&name).join("index.html")) else { continue };
        let before = format!("/{name}/thread/");
        let links = index.split(before.as_str()).skip(1).filter_map(|rest| rest.split_once(".html"));
        let mut numbers: Vec<String> = Vec::new();
        for (no, _) in links {
            // A long thread is linked twice: whole, and its tail as `12-tail`.
            if no.bytes().all(|b| b.is_ascii_digit()) && !numbers.iter().any(|other| other == no) {
                numbers.push(no.to_owned());
            }
        }
        threads.extend(numbers.into_iter().take(3).map(|no| (name.clone(), no)));
    }
    threads
}

fn durable_file(root: &Path, number: usize) {
    let (draft, path) = (root.join(".bench-draft"), root.join(format!("bench-{}", number % 8)));
    let mut file = File::create(&draft).expect("the disk takes a file");
    file.write_all(&[b'x'; 20_000]).expect("the disk takes 20 KB");
    file.sync_data().expect("the disk syncs");
    fs::rename(&draft, &path).expect("a rename in one folder");
    File::open(root).and_then(|folder| folder.sync_all()).expect("the folder syncs");
}

fn tell_crowd(outcome: &crowd::Outcome, clients: usize, manner: Manner) {
    let rate = |posts: usize, time: Duration| posts as f64 / time.as_secs_f64();
    let line = |what: &str, rate: f64| println!("{what:<40} {rate:>10.0} a second");
    match manner {
        Manner::Waiting => println!("{clients} clients that wait for their page"),
        Manner::Hurried => println!("{clients} clients with `Prefer: respond-async`"),
    }
    line("  accepted", rate(outcome.accepted(), outcome.came));
    line("  of these answered as visible", rate(outcome.at_once, outcome.came));
    line("  told to come back", rate(outcome.busy, outcome.came));
    line("  visible, until the last one was", rate(outcome.on_pages, outcome.all_visible));
    report("  that took, after the last answer", outcome.all_visible.saturating_sub(outcome.came));
    println!("{:<40} {:>10} KiB", "  peak memory of serve", outcome.peak);
    let processors = |what: &str, took: Duration| {
        println!("{what:<40} {:>10.2} processors", took.as_secs_f64() / outcome.came.as_secs_f64());
    };
    processors("  busy with serve, while they came", outcome.served_by);
    processors("  busy with the clients", outcome.sent_by);
    if 0 < outcome.refused {
        println!("{:<40} {:>10} posts", "  refused", outcome.refused);
    }
    if outcome.on_pages != outcome.accepted() || outcome.in_content != outcome.accepted() {
        let (accepted, content, pages) = (outcome.accepted(), outcome.in_content, outcome.on_pages);
        println!("  WRONG: {accepted} posts accepted, {content} in content, {pages} on pages");
    }
}

fn report(what: &str, took: Duration) {
    println!("{what:<40} {:>10.3} ms", milliseconds(took));
}

fn ratio(what: &str, a: Duration, b: Duration) {
    println!("{what:<40} {:>10.2}", a.as_secs_f64() / b.as_secs_f64());
}

/// The median of the ratios of each run: what disturbed the machine for a while disturbed both.
fn ratios(what: &str, a: &[Duration], b: &[Duration]) {
    let each = a.iter().zip(b).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64());
    println!("{what:<40} {:>10.2}", median(each.collect()));
}
