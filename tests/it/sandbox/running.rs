//! The real program as a child process, and a small client for its door.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Nothing in these tests should take longer than this.
pub const LONG: Duration = Duration::from_secs(20);

/// Runs a command to its end, in `folder`, with an empty environment.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// The same with something `prepared` first, such as its environment.
pub fn run_with(folder: &Path, arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Output {
    let mut command = command(folder, arguments);
    prepare(&mut command);
    command.output().unwrap()
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nejiboard"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// A running `serve`. It is killed when this is dropped.
pub struct Running {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    told: Arc<Mutex<String>>,
}

impl Running {
    /// Starts `serve` on a port that is free, and waits until it listens.
    pub fn start(root: &Path) -> Running {
        Running::start_with(root, &[])
    }

    /// The same with more arguments.
    pub fn start_with(root: &Path, more: &[&str]) -> Running {
        Running::start_in(root, more, &[])
    }

    /// The same with an environment that is not empty.
    pub fn start_in(root: &Path, more: &[&str], environment: &[(&str, &Path)]) -> Running {
        let prepare = |command: &mut Command| {
            command.envs(environment.iter().copied());
        };
        Running::launch(root, more, prepare).unwrap_or_else(|told| panic!("serve ended: {told}"))
    }

    /// The same at this address.
    pub fn start_at(root: &Path, address: &str, more: &[&str]) -> Running {
        Running::start_with(root, &[&["--listen", address], more].concat())
    }

    /// The same for a command that is `prepared` first; what it told, if it ends before it listens.
    pub fn launch(root: &Path, more: &[&str], prepare: impl FnOnce(&mut Command)) -> Result<Running, String> {
        let mut arguments = vec!["serve"];
        if !more.contains(&"--listen") {
            arguments.extend(["--listen", "127.0.0.1:0"]);
        }
        arguments.extend(more);
        let mut command = command(root, &arguments);
        prepare(&mut command);
        Running::watch(command)
    }

    /// The same where the process may open no more than so many files.
    pub fn start_limited(root: &Path, files: usize, more: &[&str]) -> Running {
        let program = env!("CARGO_BIN_EXE_nejiboard");
        let limit = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &limit, program, "serve", "--listen", "127.0.0.1:0"]).args(more);
        command.current_dir(root).env_clear().stdin(Stdio::null());
        Running::watch(command).unwrap_or_else(|told| panic!("serve ended: {told}"))
    }

    fn watch(mut command: Command) -> Result<Running, String> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let told = Arc::new(Mutex::new(String::new()));
        let mut before = String::new();
        let address = loop {
            let Some(Ok(line)) = lines.next() else {
                let _ = child.wait();
                return Err(before);
            };
            if let Some(rest) = line.split("http://").nth(1).filter(|_| line.contains("serving")) {
                break rest.split('/').next().unwrap().parse().unwrap();
            }
            before += &format!("{line}\n");
        };
        let heard = told.clone();
        // What it tells must be read, or it would wait for a full pipe.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut told = heard.lock().unwrap();
                told.push_str(&line);
                told.push('\n');
            }
        });
        Ok(Running { child, address, told })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What it has told on standard error since it listens.
    pub fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }

    /// Fetches a path.
    pub fn get(&self, path: &str) -> Reply {
        get(self.address, path)
    }

    /// Sends a form.
    pub fn post(&self, fields: &[(&str, &str)]) -> Reply {
        post(self.address, fields, "text/html").unwrap()
    }

    /// Sends a form and asks for JSON.
    pub fn post_for_json(&self, fields: &[(&str, &str)]) -> Reply {
        post(self.address, fields, "application/json").unwrap()
    }

    /// Sends a form with these headers beside those that it needs.
    pub fn post_with(&self, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Reply {
        post_with(self.address, headers, fields).unwrap()
    }

    /// Waits until the page at `path` has this text.
    pub fn wait_for(&self, path: &str, text: &str) {
        wait_until(&format!("{path} has {text:?}; told: {}", self.told()), || self.get(path).body.contains(text));
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub fn terminate(self) -> ExitStatus {
        self.ask_to_end();
        self.wait()
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < LONG, "serve does not end: {}", self.told());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    pub fn ask_to_end(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits, for a bounded time, until something is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LONG, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An answer of the door.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The lines above the body.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Reply {
    /// The value of a header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let fits = |line: &&str| line.split(':').next().is_some_and(|key| key.eq_ignore_ascii_case(name));
        let line = self.head.lines().find(fits).unwrap_or_default();
        line.split_once(':').map_or("", |(_, value)| value.trim())
    }
}

/// Fetches a path.
pub fn get(address: SocketAddr, path: &str) -> Reply {
    try_get(address, path).unwrap()
}

/// The same; an error if the connection breaks.
pub fn try_get(address: SocketAddr, path: &str) -> std::io::Result<Reply> {
    request(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
}

/// Sends a form; an error if the connection breaks, as it does when the server is killed.
pub fn post(address: SocketAddr, fields: &[(&str, &str)], accept: &str) -> std::io::Result<Reply> {
    post_with(address, &[("Accept", accept)], fields)
}

fn post_with(address: SocketAddr, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> std::io::Result<Reply> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
    let body = pairs.join("&");
    let head = format!(
        "POST /post HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    request(address, &(head + &body))
}

fn percent(text: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._~".contains(b);
    text.bytes().map(|b| if plain(&b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Sends a request as it stands; an error if the connection breaks.
pub fn request(address: SocketAddr, text: &str) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect_timeout(&address, LONG)?;
    stream.set_read_timeout(Some(LONG))?;
    stream.write_all(text.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let broken = || std::io::Error::other(format!("no whole answer: {text:?}"));
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
    Ok(Reply { status, head: head.to_owned(), body: body.to_owned() })
}
