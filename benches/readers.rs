//! Many readers: all that are connected ask together while posts are taken and built, few ask again and again, and most
//! say nothing. Beside it nginx, over the same files in the same run.
//!
//! `cargo bench --bench readers -- [--connections N] [--idle N] [--runs N] [--seconds N] [--posts N]`, where the last is
//! a second. `--only burst|again|idle` measures one of the three. `--hostile` measures instead how a reader and a poster
//! fare among as many hostile clients as `--idle` says, of each kind (of one with `--only SlowBody`), also where the
//! server may open 256 files. Without nginx only our own figures are told. It needs as many open files as connections
//! (`ulimit -n`), and so does the server.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[path = "support/load.rs"]
mod load;
#[path = "support/measure.rs"]
#[allow(dead_code)]
mod measure;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/program.rs"]
#[allow(dead_code)]
mod program;
#[path = "support/siege.rs"]
mod siege;

use load::{Burst, Readers};
use measure::{median, milliseconds};
use nginx::Nginx;
use program::{Server, connect, is_bench, post_until_taken, processor_time, run};
use siege::{MANNERS, Siege, serve_me};

/// The page that all ask for, in bytes: what the page of a middling thread has.
const PAGE_BYTES: usize = 17_500;

/// Connections that ask again and again.
const BUSY: usize = 64;

fn main() {
    if !is_bench() {
        return;
    }
    let options = Options::parse();
    let folder = tempfile::Builder::new().prefix("nejiboard-bench").tempdir_in("target").expect("target/ is there");
    let site = site(folder.path());
    if options.hostile {
        return hostile(&site, &options);
    }
    let server = start(&site, &options);
    let nginx = Nginx::start(folder.path(), &site.join("public"));
    if nginx.is_none() {
        println!("nginx is not installed: only our own figures follow");
    }
    let bytes = fs::metadata(site.join("public/quiet/thread/1.html")).expect("it is built").len();
    println!("the page has {bytes} bytes");
    if options.wants("again") {
        again(&server, nginx.as_ref(), &options);
    }
    drop((server, nginx));

    if options.wants("burst") {
        // Fresh ones, so that the peak of memory is that of the burst.
        let server = start(&site, &options);
        let nginx = Nginx::start(folder.path(), &site.join("public"));
        burst(&server, nginx.as_ref(), &options);
    }
    if options.wants("idle") {
        let server = start(&site, &options);
        let nginx = Nginx::start(folder.path(), &site.join("public"));
        idle("ours", server.address.parse().expect("an address"), &options, || server.memory());
        if let Some(nginx) = &nginx {
            idle("nginx", nginx.address, &options, || nginx.memory());
        }
    }
}

struct Options {
    connections: usize,
    idle: usize,
    runs: usize,
    seconds: u64,
    posts: u64,
    only: Option<String>,
    hostile: bool,
}

impl Options {
    fn parse() -> Options {
        let mut options =
            Options { connections: 19_500, idle: 19_000, runs: 5, seconds: 3, posts: 50, only: None, hostile: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
            match argument.as_str() {
                "--connections" => options.connections = value().parse().expect("a number of connections"),
                "--idle" => options.idle = value().parse().expect("a number of connections"),
                "--runs" => options.runs = value().parse().expect("a number of runs"),
                "--seconds" => options.seconds = value().parse().expect("a number of seconds"),
                "--posts" => options.posts = value().parse().expect("a number of posts a second"),
                "--hostile" => options.hostile = true,
                "--only" => options.only = Some(value()),
                // What cargo itself adds.
                "--bench" => {}
                other => panic!("unknown option {other}"),
            }
        }
        options
    }

    fn wants(&self, what: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == what)
    }
}

/// Where both servers listen.
struct Both {
    ours: SocketAddr,
    nginx: Option<SocketAddr>,
}

impl Both {
    fn each(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        [("ours", Some(self.ours)), ("nginx", self.nginx)]
            .into_iter()
            .filter_map(|(name, address)| Some((name, address?)))
    }
}

fn start(site: &Path, options: &Options) -> Server {
    let connections = options.connections.max(options.idle) + 100;
    let connections = connections.to_string();
    Server::start_with(site, &["--connections", &connections, "--connections-from-here", &connections])
}

/// A site with a thread whose page has as many bytes as it should, and another one that takes posts.
fn site(folder: &Path) -> PathBuf {
    let root = folder.join("site");
    fs::create_dir_all(root.join("content/quiet")).expect("a fresh folder takes folders");
    fs::create_dir_all(root.join("content/busy")).expect("a fresh folder takes folders");
    fs::write(root.join("content/site.yaml"), "title: Bench\ndefaults:\n  reply_limit: 0\n").expect("it takes files");
    fs::write(root.join("content/busy/1.md"), "--- {\"no\": 1}\nfirst\n").expect("it takes files");
    let page = root.join("public/quiet/thread/1.html");
    let mut last = 0;
    // Each letter of the last post is one byte of the page, so the second time it is right.
    for _ in 0..2 {
        let mut thread = fs::File::create(root.join("content/quiet/1.md")).expect("it takes files");
        for no in 1..=20 {
            writeln!(thread, "--- {{\"no\": {no}}}\n{}\n", "some words ".repeat(25).trim_end()).expect("it takes it");
        }
        writeln!(thread, "--- {{\"no\": 21}}\n{}\n", "x".repeat(last + 1)).expect("it takes it");
        drop(thread);
        run(&root, &["build"]);
        let bytes = fs::metadata(&page).expect("it is built").len() as usize;
        last += PAGE_BYTES.saturating_sub(bytes);
    }
    root
}

fn request(address: SocketAddr) -> Vec<u8> {
    format!(
        "GET /quiet/thread/1.html HTTP/1.1\r\nHost: {address}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0)\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\n\r\n"
    )
    .into_bytes()
}

/// Few connections that ask again and again, in turns with nginx.
fn again(server: &Server, nginx: Option<&Nginx>, options: &Options) {
    let both = Both { ours: server.address.parse().expect("an address"), nginx: nginx.map(|nginx| nginx.address) };
    let (mut rates, mut costs) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let taken = |place: usize| match (place, nginx) {
        (1, Some(nginx)) => nginx.processor_time(),
        _ => processor_time(server.id()),
    };
    for _ in 0..options.runs {
        for (place, (name, address)) in both.each().enumerate() {
            let mut readers = Readers::connect(address, BUSY);
            let before = taken(place);
            let outcome = readers.ask_again(&request(address), Duration::from_secs(options.seconds));
            let cost = (taken(place) - before).as_secs_f64() * 1e6 / outcome.answered.max(1) as f64;
            let rate = outcome.answered as f64 / outcome.took.as_secs_f64();
            println!(
                "{BUSY} connections that ask again and again, {name}: {rate:.0} answers/s, {cost:.1} us of processor each, \
                 {} failed",
                outcome.failed
            );
            rates[place].push(rate);
            costs[place].push(cost);
        }
    }
    tell_ratio("again and again: ours / nginx", rates);
    tell_ratio("processor for an answer: ours / nginx", costs);
}

/// All ask together while posts come in, in turns with nginx.
fn burst(server: &Server, nginx: Option<&Nginx>, options: &Options) {
    let both = Both { ours: server.address.parse().expect("an address"), nginx: nginx.map(|nginx| nginx.address) };
    let mut times = [Vec::new(), Vec::new()];
    let before = server.memory();
    for _ in 0..options.runs {
        for (place, (name, address)) in both.each().enumerate() {
            let mut readers = Readers::connect(address, options.connections);
            let (outcome, posts) =
                while_posting(&server.address, options.posts, || readers.ask_together(&request(address)));
            tell_burst(name, &outcome, &posts);
            times[place].push(outcome.took.as_secs_f64());
        }
    }
    println!("memory, ours: {} KiB before, {} KiB at the peak", before, server.peak_memory());
    if let Some(nginx) = nginx {
        println!("memory, nginx: {} KiB at the peak", nginx.peak_memory());
    }
    tell_ratio("together: ours / nginx", times);
}

fn tell_burst(name: &str, outcome: &Burst, posts: &Posts) {
    println!(
        "together, {name}: {} answered, {} failed, {:.0} ms; {} posts meanwhile and {:.1} s around it, {} refused, the slowest {:.0} ms",
        outcome.answered,
        outcome.failed,
        milliseconds(outcome.took),
        posts.taken,
        AROUND.as_secs_f64(),
        posts.refused,
        milliseconds(posts.slowest),
    );
}

fn tell_ratio(what: &str, [ours, nginx]: [Vec<f64>; 2]) {
    if !nginx.is_empty() {
        println!("{what}: {:.2}", median(ours) / median(nginx));
    }
}

/// Connections that have asked once, and then say nothing.
fn idle(name: &str, address: SocketAddr, options: &Options, memory: impl Fn() -> u64) {
    // Once before, so that what is made for the first connection is there.
    Readers::connect(address, 10).ask_together(&request(address));
    let before = memory();
    let mut readers = Readers::connect(address, options.idle);
    let silent = memory();
    let outcome = readers.ask_together(&request(address));
    std::thread::sleep(Duration::from_secs(2));
    let asked = memory();
    let each = |kib: u64| kib.saturating_sub(before) as f64 * 1024.0 / options.idle as f64;
    println!(
        "{} idle connections, {name}: {:.0} bytes each before they asked, {:.0} after ({} answered)",
        options.idle,
        each(silent),
        each(asked),
        outcome.answered
    );
}

/// The page that hostile clients ask for, and the others too.
const BESIEGED: &str = "/busy/thread/1.html";

/// Hostile clients where files are few: eight for each place.
const FEW: usize = 1_000;

/// Readers and posters are served within this, whoever else there is.
const SERVED_WITHIN: Duration = Duration::from_secs(1);

/// Besieges a server in each manner, where files are many and where they are few.
fn hostile(site: &Path, options: &Options) {
    let mut all_well = true;
    for files in ["as many", "256"] {
        let server = if files == "256" { Server::start_limited(site, 256) } else { Server::start(site) };
        let address = server.address.parse().expect("an address");
        let clients = if files == "256" { options.idle.min(FEW) } else { options.idle };
        serve_me(address, 5, BESIEGED);
        let before = server.memory();
        for manner in MANNERS.into_iter().filter(|manner| options.wants(&format!("{manner:?}"))) {
            let siege = Siege::begin(address, manner, clients, BESIEGED);
            // Thousands that come in one moment fill the system's queue of new connections. Who finds it full tries again
            // after a second, whatever the server does, so that time is told and not judged.
            let coming = serve_me(address, 20, BESIEGED);
            let during = serve_me(address, 40 * options.seconds as usize, BESIEGED);
            let came = siege.end();
            let after = serve_me(address, 10, BESIEGED);
            for (when, [reader, poster]) in [("as they come", coming), ("during", during), ("after", after)] {
                let slowest = reader.slowest.max(poster.slowest);
                let in_time = slowest < SERVED_WITHIN || when == "as they come";
                let well = reader.failed + poster.failed == 0 && in_time;
                all_well &= well;
                println!(
                    "{files} files, {clients} x {manner:?} ({came} connections), {when}: {} read, {} posted, {} failed, the slowest {:.0} ms{}",
                    reader.served,
                    poster.served,
                    reader.failed + poster.failed,
                    milliseconds(slowest),
                    if well { "" } else { " - NOT WELL" }
                );
            }
            println!("{files} files: {} KiB at the peak so far, {} KiB now", server.peak_memory(), server.memory());
        }
        println!(
            "{files} files: {} KiB before, {} KiB at the peak, {} KiB now",
            before,
            server.peak_memory(),
            server.memory()
        );
    }
    assert!(all_well, "somebody was not served within {SERVED_WITHIN:?}");
}

/// What came of the posts of [`while_posting`].
struct Posts {
    taken: usize,
    refused: usize,
    slowest: Duration,
}

/// Posts are sent so long before and after, too.
const AROUND: Duration = Duration::from_millis(500);

/// Posters, each with a connection of its own.
const POSTERS: u64 = 10;

/// Does `work` while so many posts a second come in; each waits until it is on its page.
fn while_posting<T>(address: &str, posts: u64, work: impl FnOnce() -> T) -> (T, Posts) {
    let ended = AtomicBool::new(posts == 0);
    let (taken, refused, slowest) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Duration::ZERO));
    let outcome = std::thread::scope(|scope| {
        for poster in 0..POSTERS {
            let (ended, taken, refused, slowest) = (&ended, &taken, &refused, &slowest);
            scope.spawn(move || {
                let mut connection = connect(address);
                let pause = Duration::from_secs(POSTERS) / posts.max(1) as u32;
                let mut next = Instant::now() + pause * poster as u32 / POSTERS as u32;
                let mut number = 0;
                while !ended.load(Ordering::Relaxed) {
                    std::thread::sleep(next.saturating_duration_since(Instant::now()));
                    next += pause;
                    let sent = Instant::now();
                    let answer = post_until_taken(
                        &mut connection,
                        &format!("board=busy&thread=1&body=poster+{poster}+{number}"),
                    );
                    let counted = if answer.status == 201 { taken } else { refused };
                    counted.fetch_add(1, Ordering::Relaxed);
                    let mut slowest = slowest.lock().expect("no poster panics");
                    *slowest = sent.elapsed().max(*slowest);
                    number += 1;
                }
            });
        }
        std::thread::sleep(AROUND);
        let outcome = work();
        std::thread::sleep(AROUND);
        ended.store(true, Ordering::Relaxed);
        outcome
    });
    let slowest = *slowest.lock().expect("no poster panics");
    (outcome, Posts { taken: taken.into_inner(), refused: refused.into_inner(), slowest })
}
