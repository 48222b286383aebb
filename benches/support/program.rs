//! The program as a user runs it: commands, and the door over a socket.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_nejiboard");

/// Whether `cargo bench` runs this, and not `cargo test --benches`, which only wants to see that it starts.
pub fn is_bench() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// What a command took.
#[derive(Clone, Copy)]
pub struct Run {
    /// From its start to its end.
    pub took: Duration,
    /// The most memory that it had, in KiB.
    pub peak: u64,
}

/// Runs a command of the program.
pub fn run(root: &Path, arguments: &[&str]) -> Run {
    let began = Instant::now();
    let mut child = Command::new(BINARY)
        .args(["--quiet", "--root", root.to_str().expect("the path is UTF-8")])
        .args(arguments)
        .spawn()
        .expect("the program starts");
    let (process, peak, ended) = (child.id(), AtomicU64::new(0), AtomicBool::new(false));
    let took = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(2));
                peak.fetch_max(memory(process, "VmHWM:"), Ordering::Relaxed);
            }
        });
        let status = child.wait().expect("it can be waited for");
        let took = began.elapsed();
        ended.store(true, Ordering::Relaxed);
        assert!(status.success(), "{arguments:?}: {status}");
        took
    });
    Run { took, peak: peak.into_inner() }
}

/// What the system tells of a process's memory under this name, in KiB; 0 once it has ended.
pub fn memory(process: u32, name: &str) -> u64 {
    let Ok(text) = fs::read_to_string(format!("/proc/{process}/status")) else { return 0 };
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// The time of processors that a process has taken, with all its threads.
pub fn processor_time(process: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).expect("it is running");
    // The name in front of them may have spaces; user and system time, in hundredths of a second.
    let fields = text.rsplit_once(") ").expect("the name is in brackets").1.split(' ');
    let hundredths = fields.skip(11).take(2).map(|field| field.parse::<u64>().expect("a number"));
    Duration::from_millis(10 * hundredths.sum::<u64>())
}

/// `serve`, on a port of its own, until this is dropped.
pub struct Server {
    /// Where it listens.
    pub address: String,
    /// From its start until it said that the door is open.
    pub opened_after: Duration,
    child: Child,
}

impl Server {
    /// Starts it, and waits until it is open.
    pub fn start(root: &Path) -> Server {
        Server::start_with(root, &[])
    }

    /// The same with more arguments.
    pub fn start_with(root: &Path, more: &[&str]) -> Server {
        Server::watch(root, Command::new(BINARY), more)
    }

    /// The same where the process may open no more than so many files.
    pub fn start_limited(root: &Path, files: usize) -> Server {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\""), BINARY]);
        Server::watch(root, command, &[])
    }

    fn watch(root: &Path, mut command: Command, more: &[&str]) -> Server {
        let began = Instant::now();
        let mut child = command
            .args(["--root", root.to_str().expect("the path is UTF-8"), "serve", "--listen", "127.0.0.1:0"])
            .args(more)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let address = lines
            .find_map(|line| line.ok()?.strip_prefix("serving http://")?.split('/').next().map(str::to_owned))
            .expect("it says where it serves");
        let opened_after = began.elapsed();
        std::thread::spawn(move || lines.for_each(drop));
        Server { address, opened_after, child }
    }

    /// The memory that it has now, in KiB.
    pub fn memory(&self) -> u64 {
        memory(self.id(), "VmRSS:")
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it had, in KiB.
    pub fn peak_memory(&self) -> u64 {
        memory(self.id(), "VmHWM:")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that sends small requests at once.
pub fn connect(address: &str) -> BufReader<TcpStream> {
    let connection = TcpStream::connect(address).expect("it listens");
    connection.set_nodelay(true).expect("a socket option");
    BufReader::new(connection)
}

/// The longest that a client waits before it comes back, whatever it is told, so that a bench ends.
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// What the door said.
pub struct Answer {
    /// 201 is visible, 202 is safe, 503 is to come back.
    pub status: u16,
    /// How long to wait before coming back.
    pub pause: Duration,
    /// The JSON that came with it.
    pub text: String,
}

/// Sends a form, again if the door is busy, until it is taken.
pub fn post_until_taken(connection: &mut BufReader<TcpStream>, body: &str) -> Answer {
    loop {
        let answer = post(connection, body);
        match answer.status {
            201 | 202 => return answer,
            503 => std::thread::sleep(answer.pause),
            status => panic!("{status}: {}", answer.text),
        }
    }
}

/// Sends a form.
fn post(connection: &mut BufReader<TcpStream>, body: &str) -> Answer {
    post_from(connection, "127.0.0.1", body)
}

/// Sends a form from an address, if the door believes that.
pub fn post_from(connection: &mut BufReader<TcpStream>, address: &str, body: &str) -> Answer {
    let request = format!(
        "POST /post HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\nX-Forwarded-For: {address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.get_mut().write_all(request.as_bytes()).expect("it reads");
    let mut status = String::new();
    connection.read_line(&mut status).expect("it answers");
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an answer has a status");
    let (mut length, mut pause) = (0, PAUSE_MAX);
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).expect("it answers whole");
        match line.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().expect("a length"),
            Some(("retry-after", value)) => {
                pause = pause.min(Duration::from_secs(value.parse().expect("a number of seconds")));
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut text = vec![0; length];
    connection.read_exact(&mut text).expect("it answers whole");
    Answer { status, pause, text: String::from_utf8(text).expect("it answers in UTF-8") }
}
