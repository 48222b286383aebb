//! The whole program against the disk: a clean build beside `cp -r` of its output, and a reply from POST to visible
//! beside one "new file, fsync, rename, fsync folder"; then many posters at once.
//!
//! `cargo bench --bench whole -- [--posts N] [--replies N] [--clients N] [--seconds N] [--corpus FILE.jsonl]`. Without a corpus it writes one of its
//! own. All figures are medians of one run, and what counts are the ratios: machines differ, and so do their moments.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_nejiboard");

fn main() {
    let options = Options::parse();
    let folder = tempfile::Builder::new().prefix("nejiboard-bench").tempdir_in("target").expect("target/ is there");
    let root = folder.path().join("site");
    fs::create_dir_all(root.join("content")).expect("a fresh folder takes folders");
    fs::write(root.join("content/site.yaml"), "title: Bench\n").expect("a fresh folder takes files");
    let corpus = options.corpus.clone().unwrap_or_else(|| write_corpus(folder.path(), options.posts));
    let corpus = corpus.to_str().expect("the path is UTF-8").to_owned();
    report("import", time(|| run(&root, &["import", "jsonl", &corpus])));

    let copy = folder.path().join("copy");
    let (mut clean, mut unchanged, mut cp, mut memory) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..5 {
        remove(&root.join("public"));
        clean.push(time(|| memory = memory.max(run(&root, &["build", "--clean"]))));
        unchanged.push(time(|| run(&root, &["build"])));
        remove(&copy);
        cp.push(time(|| copy_with_cp(&root.join("public"), &copy)));
    }
    let (clean, unchanged, cp) = (median(clean), median(unchanged), median(cp));
    report("cp -r of the output", cp);
    report("clean build", clean);
    ratio("clean build / cp -r", clean, cp);
    report("build, nothing changed", unchanged);
    ratio("nothing changed / clean", unchanged, clean);
    println!("{:<40} {:>10} KiB", "peak memory of a clean build", memory);

    let replies = replies(&root, options.replies);
    report("one durable file", replies.file);
    report("reply, median", replies.median);
    ratio("reply / durable file", replies.median, replies.file);
    ratio("reply, 99th of 100 / median", replies.p99, replies.median);

    crowd(&root, options.clients, Duration::from_secs(options.seconds));
}

struct Options {
    posts: usize,
    replies: usize,
    corpus: Option<PathBuf>,
    clients: usize,
    seconds: u64,
}

impl Options {
    fn parse() -> Options {
        let mut options = Options { posts: 100_000, replies: 300, corpus: None, clients: 64, seconds: 5 };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
            match argument.as_str() {
                "--posts" => options.posts = value().parse().expect("a number of posts"),
                "--replies" => options.replies = value().parse().expect("a number of replies"),
                "--clients" => options.clients = value().parse().expect("a number of clients"),
                "--seconds" => options.seconds = value().parse().expect("a number of seconds"),
                "--corpus" => options.corpus = Some(value().into()),
                // What cargo itself adds.
                "--bench" => {}
                other => panic!("unknown option {other}"),
            }
        }
        options
    }
}

struct Replies {
    file: Duration,
    median: Duration,
    p99: Duration,
}

/// Posts replies to the latest threads, one at a time, and writes a durable file between them.
fn replies(root: &Path, count: usize) -> Replies {
    let mut server = Server::start(root);
    let threads = latest_threads(root);
    let (mut took, mut files) = (Vec::new(), Vec::new());
    for number in 0..count + 20 {
        let (board, thread) = &threads[number % threads.len()];
        let body = format!("board={board}&thread={thread}&body=Reply+number+{number}+of+the+bench.");
        let began = Instant::now();
        server.post(&body);
        let elapsed = began.elapsed();
        let file = time(|| durable_file(root, number));
        // The first ones warm caches.
        if 20 <= number {
            took.push(elapsed);
            files.push(file);
        }
    }
    took.sort();
    let p99 = took[took.len() * 99 / 100];
    Replies { file: median(files), median: median(took), p99 }
}

/// The first threads of each board's index.
fn latest_threads(root: &Path) -> Vec<(String, String)> {
    let mut threads = Vec::new();
    for board in fs::read_dir(root.join("content")).expect("there is content").flatten() {
        let name = board.file_name().into_string().expect("boards are ASCII");
        let Ok(index) = fs::read_to_string(root.join("public").join(&name).join("index.html")) else { continue };
        let before = format!("/{name}/thread/");
        let links = index.split(before.as_str()).skip(1).filter_map(|rest| rest.split_once(".html"));
        let mut numbers: Vec<String> = links.map(|(no, _)| no.to_owned()).collect();
        numbers.dedup();
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

/// Posts replies over many connections as fast as they are answered, for so long, and says what came of it.
fn crowd(root: &Path, clients: usize, long: Duration) {
    let server = Server::start(root);
    let threads = latest_threads(root);
    let began = Instant::now();
    let counts: Vec<Crowd> = std::thread::scope(|scope| {
        let client = |number: usize| {
            let (address, threads) = (server.address.clone(), &threads);
            scope.spawn(move || {
                let mut connection = connect(&address);
                let mut crowd = Crowd::default();
                while began.elapsed() < long {
                    let (board, thread) = &threads[(number + crowd.posts()) % threads.len()];
                    let nth = crowd.posts();
                    let body = format!("board={board}&thread={thread}&body=Client+{number}+post+{nth}");
                    match post(&mut connection, &body) {
                        201 => crowd.visible += 1,
                        202 => crowd.safe += 1,
                        _ => crowd.refused += 1,
                    }
                }
                crowd
            })
        };
        let running: Vec<_> = (0..clients).map(client).collect();
        running.into_iter().map(|client| client.join().expect("a client ends well")).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let rate = |count: fn(&Crowd) -> usize| counts.iter().map(count).sum::<usize>() as f64 / seconds;
    println!("{:<40} {:>10.0} a second", format!("{clients} clients, visible at once"), rate(|crowd| crowd.visible));
    println!("{:<40} {:>10.0} a second", "safe, visible later", rate(|crowd| crowd.safe));
    println!("{:<40} {:>10.0} a second", "told to come back", rate(|crowd| crowd.refused));
    println!("{:<40} {:>10} KiB", "peak memory of serve", peak_memory(server.child.id()));
}

/// What became of a client's posts.
#[derive(Default)]
struct Crowd {
    visible: usize,
    safe: usize,
    refused: usize,
}

impl Crowd {
    fn posts(&self) -> usize {
        self.visible + self.safe + self.refused
    }
}

struct Server {
    address: String,
    child: Child,
    connection: BufReader<TcpStream>,
}

impl Server {
    fn start(root: &Path) -> Server {
        let mut child = Command::new(BINARY)
            .args(["--root", root.to_str().expect("the path is UTF-8"), "serve", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let address = lines
            .find_map(|line| line.ok()?.strip_prefix("serving http://")?.split('/').next().map(str::to_owned))
            .expect("it says where it serves");
        std::thread::spawn(move || lines.for_each(drop));
        let connection = connect(&address);
        Server { address, child, connection }
    }

    fn post(&mut self, body: &str) {
        assert_eq!(post(&mut self.connection, body), 201);
    }
}

fn connect(address: &str) -> BufReader<TcpStream> {
    let connection = TcpStream::connect(address).expect("it listens");
    connection.set_nodelay(true).expect("a socket option");
    BufReader::new(connection)
}

/// Sends a form and gives the status of the answer.
fn post(connection: &mut BufReader<TcpStream>, body: &str) -> u16 {
    let request = format!(
        "POST /post HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.get_mut().write_all(request.as_bytes()).expect("it reads");
    let mut length = 0;
    let mut status = String::new();
    connection.read_line(&mut status).expect("it answers");
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).expect("it answers whole");
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut answer = vec![0; length];
    connection.read_exact(&mut answer).expect("it answers whole");
    status.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an answer has a status")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of the program, and gives its peak memory in KiB.
fn run(root: &Path, arguments: &[&str]) -> u64 {
    let mut child = Command::new(BINARY)
        .args(["--quiet", "--root", root.to_str().expect("the path is UTF-8")])
        .args(arguments)
        .spawn()
        .expect("the program starts");
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_memory(child.id()));
        match child.try_wait().expect("it can be waited for") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    assert!(status.success(), "{arguments:?}: {status}");
    peak
}

/// The most memory that a process has had so far, in KiB; 0 once it has ended.
fn peak_memory(process: u32) -> u64 {
    let Ok(text) = fs::read_to_string(format!("/proc/{process}/status")) else { return 0 };
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

fn copy_with_cp(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().expect("cp is there").success());
}

fn remove(path: &Path) {
    if path.exists() {
        fs::remove_dir_all(path).expect("our own folder can go");
    }
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn report(what: &str, took: Duration) {
    println!("{what:<40} {:>10.3} ms", took.as_secs_f64() * 1e3);
}

fn ratio(what: &str, a: Duration, b: Duration) {
    println!("{what:<40} {:>10.2}", a.as_secs_f64() / b.as_secs_f64());
}

/// A corpus of made-up posts on ten boards, about 25 posts a thread and 300 bytes a post.
fn write_corpus(folder: &Path, posts: usize) -> PathBuf {
    let path = folder.join("corpus.jsonl");
    let mut out = std::io::BufWriter::new(File::create(&path).expect("a fresh folder takes files"));
    let mut random: u64 = 1;
    let mut next = move |below: u64| {
        // SplitMix64, so that every run has the same posts.
        random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)) % below
    };
    let words = ["board", "thread", "**bold**", "plain", "file", "page", "`code`", "reader", "static", "quick"];
    let per_board = posts / 10;
    for board in 0..10 {
        let (mut no, mut thread) = (0, 0);
        while no < per_board {
            no += 1;
            if thread == 0 || next(25) == 0 {
                thread = no;
                writeln!(
                    out,
                    r#"{{"kind":"thread","board":"b{board}","thread":{thread},"subject":"Thread {thread}"}}"#
                )
                .expect("the disk takes it");
            }
            let mut body = if thread < no {
                format!(">>{}\\n", thread + next((no - thread) as u64) as usize)
            } else {
                String::new()
            };
            let length = 20 + next(80);
            for _ in 0..length {
                body.push_str(words[next(10) as usize]);
                body.push_str(if next(30) == 0 { "\\n" } else { " " });
            }
            let time = 1_600_000_000 + no * 60;
            writeln!(
                out,
                r#"{{"kind":"post","board":"b{board}","thread":{thread},"no":{no},"time":{time},"name":"","trip":"","email":"","body":"{}"}}"#,
                body.trim_end()
            )
            .expect("the disk takes it");
        }
    }
    out.flush().expect("the disk takes it");
    path
}
