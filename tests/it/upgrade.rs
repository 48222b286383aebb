//! A newer program takes the place of a running one: no request fails, no post is lost, none is there twice.
//!
//! `NEJIBOARD_UPGRADES` is the number of upgrades under load; three if it is not set.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};

use nejiboard::intake::{self, DoorOptions, Farewell, Limits, Purpose};

use super::door::setup::{Fake, quick};
use super::sandbox::running::{self, LONG, get, post, wait_until};
use super::sandbox::{Sandbox, files_below};

const SITE: &str = "
==> content/tech/board.yaml
title: Technology
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, subject: First}
the first post
";

/// A program that can be exchanged while it runs, started at a socket that the test keeps. All processes are ended when
/// this is dropped.
struct Program {
    site: Sandbox,
    path: PathBuf,
    child: Child,
    address: SocketAddr,
    told: Arc<Mutex<String>>,
    /// With it the socket stays open for as long as the test.
    _socket: TcpListener,
}

impl Program {
    fn start(site: Sandbox, arguments: &[&str]) -> Program {
        let path = site.path("nejiboard");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nejiboard"), &path).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut command = Command::new(&path);
        command.args(arguments).current_dir(site.root()).env_clear().env("LISTEN_FDS", "1").stdin(Stdio::null());
        let mapping = FdMapping { parent_fd: socket.try_clone().unwrap().into(), child_fd: 3 };
        command.fd_mappings(vec![mapping]).unwrap();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let told = Arc::new(Mutex::new(String::new()));
        let (heard, mut pipe) = (told.clone(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(length @ 1..) = pipe.read(&mut bytes) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        });
        let address = socket.local_addr().unwrap();
        let program = Program { site, path, child, address, told, _socket: socket };
        wait_until("it serves", || program.told().contains("serving "));
        program
    }

    fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }

    /// The process that builds now.
    fn builder(&self) -> i32 {
        fs::read_to_string(self.site.path(".nejiboard/lock")).unwrap().trim().parse().unwrap_or_default()
    }

    fn signal(process: i32, signal: rustix::process::Signal) {
        if let Some(pid) = rustix::process::Pid::from_raw(process) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    fn hang_up(&self) {
        Program::signal(self.builder(), rustix::process::Signal::HUP);
    }

    /// Upgrades once, and waits until the old process has ended.
    fn upgrade(&mut self) {
        let (old, ready) = (self.builder(), self.told().matches("the new process is ready").count());
        self.hang_up();
        wait_until("the new process is ready", || self.told().matches("the new process is ready").count() == ready + 1);
        wait_until("the old one has ended", || self.has_ended(old));
        assert_ne!(self.builder(), old);
    }

    fn has_ended(&mut self, process: i32) -> bool {
        let _ = self.child.try_wait();
        !is_running(process)
    }

    /// Ends the process that serves now in order, and checks that it is over.
    fn terminate(&mut self) {
        let last = self.builder();
        Program::signal(last, rustix::process::Signal::TERM);
        wait_until("it has ended", || self.has_ended(last));
    }

    fn post(&self, body: &str) -> u16 {
        post(self.address, &[("board", "tech"), ("thread", "1"), ("body", body)], "text/html").unwrap().status
    }

    /// Puts another program at the path of this one, as an installation does.
    fn exchange(&self, text: &str) {
        let new = self.site.path("new-program");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&new, &self.path).unwrap();
    }

    fn put_back(&self) {
        let new = self.site.path("new-program");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nejiboard"), &new).unwrap();
        fs::rename(&new, &self.path).unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Ok(lock) = fs::read_to_string(self.site.path(".nejiboard/lock")) {
            let process: i32 = lock.trim().parse().unwrap_or_default();
            // It may have ended in order, and its number be another's by now.
            if is_ours(process, self.site.root()) {
                Program::signal(process, rustix::process::Signal::KILL);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn is_running(process: i32) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

fn is_ours(process: i32, root: &Path) -> bool {
    fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|folder| folder == root.canonicalize().unwrap())
}

/// What a load found.
#[derive(Default)]
struct Found {
    reads: AtomicUsize,
    /// Connections that were closed while idle, before the client had sent a whole request.
    closed_idle: AtomicUsize,
    /// What failed, in words.
    failures: Mutex<Vec<String>>,
    /// Posts that were answered, with their number where it was told.
    posts: Mutex<BTreeMap<String, Option<u64>>>,
}

const READERS: usize = 8;
const POSTERS: usize = 4;

#[test]
fn upgrades_under_load_fail_no_request_and_lose_no_post() {
    let upgrades = std::env::var("NEJIBOARD_UPGRADES").map_or(3, |text| text.parse().unwrap());
    let mut program = Program::start(Sandbox::new(SITE), &["serve"]);
    let (found, done) = (Found::default(), AtomicBool::new(false));
    let began = Instant::now();
    std::thread::scope(|scope| {
        let address = program.address;
        let (found, done) = (&found, &done);
        for nth in 0..READERS {
            scope.spawn(move || read_all_the_while(address, nth % 2 == 0, found, done));
        }
        for nth in 0..POSTERS {
            scope.spawn(move || post_all_the_while(address, nth, found, done));
        }
        std::thread::sleep(Duration::from_millis(500));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..upgrades {
                program.upgrade();
                std::thread::sleep(Duration::from_millis(300));
            }
        }));
        done.store(true, Ordering::Relaxed);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    let seconds = began.elapsed().as_secs_f64();
    let posts = found.posts.into_inner().unwrap();
    let reads = found.reads.into_inner();
    println!(
        "{upgrades} upgrades in {seconds:.1} s: {reads} reads ({:.0}/s), {} posts ({:.0}/s, {} told their number), {} idle connections closed, {} failures",
        reads as f64 / seconds,
        posts.len(),
        posts.len() as f64 / seconds,
        posts.values().flatten().count(),
        found.closed_idle.into_inner(),
        found.failures.lock().unwrap().len(),
    );
    let failures = found.failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} failures: {:?}\n{}",
        failures.len(),
        &failures[..failures.len().min(9)],
        program.told()
    );
    program.terminate();
    assert!(!program.told().contains("ERROR"), "{}", program.told());
    let thread = program.site.read("content/tech/1.md");
    for (body, no) in &posts {
        assert_eq!(thread.matches(&format!("{body}\n")).count(), 1, "{body}");
        if let Some(no) = no {
            let before = thread.split(&format!("{body}\n")).next().unwrap();
            let header = before.rsplit("--- ").next().unwrap();
            assert!(
                header.contains(&format!("\"no\":{no},")) || header.contains(&format!("\"no\": {no},")),
                "{body}: {header}"
            );
        }
    }
    assert_eq!(thread.matches("--- {").count(), posts.len() + 1, "no post too many");
    assert_eq!(fs::read_dir(program.site.path("posts-inbox")).unwrap().count(), 0);
    let verified = running::run(program.site.root(), &["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// 25 reads a second, on one connection as long as it lasts, or on a new one each.
fn read_all_the_while(address: SocketAddr, keep: bool, found: &Found, done: &AtomicBool) {
    let mut kept: Option<TcpStream> = None;
    while !done.load(Ordering::Relaxed) {
        let connection = if keep { "keep-alive" } else { "close" };
        let request =
            format!("GET /tech/thread/1.html HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\r\n");
        let outcome = match kept.take() {
            // A connection that the server has closed while it was idle is no failure: every client asks anew then.
            Some(stream) => read_once(stream, &request).or_else(|_| {
                found.closed_idle.fetch_add(1, Ordering::Relaxed);
                connect(address).and_then(|stream| read_once(stream, &request))
            }),
            None => connect(address).and_then(|stream| read_once(stream, &request)),
        };
        match outcome {
            Ok(stream) => {
                found.reads.fetch_add(1, Ordering::Relaxed);
                kept = stream.filter(|_| keep);
            }
            Err(error) => found.failures.lock().unwrap().push(format!("a read: {error}")),
        }
        std::thread::sleep(Duration::from_millis(38));
    }
}

fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, LONG)?;
    stream.set_read_timeout(Some(LONG))?;
    Ok(stream)
}

/// Sends a request and reads the whole answer; gives the connection back if it stays open.
fn read_once(mut stream: TcpStream, request: &str) -> std::io::Result<Option<TcpStream>> {
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let mut piece = [0; 16_384];
    loop {
        let length = stream.read(&mut piece)?;
        bytes.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n").filter(|_| 0 < length) else {
            match length {
                0 => return Err(std::io::Error::other(format!("it broke off after {} bytes", bytes.len()))),
                _ => continue,
            }
        };
        let head = head.to_ascii_lowercase();
        let wanted = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
        if wanted.is_some_and(|wanted| body.len() < wanted) {
            continue;
        }
        let whole = head.starts_with("http/1.1 200") && body.contains("the first post") && body.contains("</html>");
        return match whole {
            true => Ok(Some(stream).filter(|_| !head.contains("connection: close"))),
            false => Err(std::io::Error::other(format!("no whole page: {head}"))),
        };
    }
}

/// Five posts a second.
fn post_all_the_while(address: SocketAddr, poster: usize, found: &Found, done: &AtomicBool) {
    for nth in 0.. {
        if done.load(Ordering::Relaxed) {
            return;
        }
        let began = Instant::now();
        let body = format!("post {nth} of poster {poster}.");
        match post(address, &[("board", "tech"), ("thread", "1"), ("body", &body)], "application/json") {
            Ok(reply) if [201, 202].contains(&reply.status) => {
                let told: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
                found.posts.lock().unwrap().insert(body, told["no"].as_u64());
            }
            other => found.failures.lock().unwrap().push(format!("a post: {other:?}")),
        }
        std::thread::sleep(Duration::from_millis(200).saturating_sub(began.elapsed()));
    }
}

#[test]
fn a_program_that_does_not_start_is_found_out_before_anything_is_done() {
    let program = Program::start(Sandbox::new(SITE), &["serve"]);
    let before = program.builder();
    for text in ["no program at all", "#!/bin/sh\nexit 1\n", "#!/bin/sh\necho something else\n"] {
        let failures = program.told().matches("the upgrade failed").count();
        program.exchange(text);
        program.hang_up();
        wait_until("the failure is told", || program.told().matches("the upgrade failed").count() == failures + 1);
        assert_eq!((program.builder(), program.post(&format!("posts go on after {text:?}"))), (before, 303));
    }
    assert!(!program.told().contains("upgrading to"), "{}", program.told());
    program.put_back();
    program.hang_up();
    wait_until("the next one is well", || program.told().contains("the new process is ready"));
}

#[test]
fn a_program_that_fails_later_is_ended_and_the_old_one_builds_again() {
    let program = Program::start(Sandbox::new(SITE), &["serve"]);
    let before = program.builder();
    let stages = [
        // It ends at once.
        "exit 7",
        // It takes the lock and the posts, and ends before it is ready.
        "env -u LISTEN_FDS timeout -s KILL 0.5 REAL build --watch",
    ];
    for (nth, stage) in stages.into_iter().enumerate() {
        let stage = stage.replace("REAL", env!("CARGO_BIN_EXE_nejiboard"));
        let version = "case \"$1\" in --version) echo nejiboard 9.9.9; exit 0;; esac";
        program.exchange(&format!("#!/bin/sh\n{version}\nsleep 0.3\n{stage}\nexit 7\n"));
        program.hang_up();
        wait_until("it begins", || program.told().matches("upgrading to nejiboard 9.9.9").count() == nth + 1);
        // While the site is nobody's or somebody else's, posts are safe, and their posters are told so or more.
        let meanwhile = program.post(&format!("meanwhile {nth}."));
        assert!([202, 303].contains(&meanwhile), "{meanwhile}");
        wait_until("the failure is told", || program.told().matches("the upgrade failed").count() == nth + 1);
        assert_eq!(program.post(&format!("afterwards {nth}.")), 303, "{}", program.told());
        assert_eq!(program.builder(), before);
        let page = get(program.address, "/tech/thread/1.html").body;
        assert!(page.contains(&format!("meanwhile {nth}.")) && page.contains(&format!("afterwards {nth}.")), "{page}");
    }
    let thread = program.site.read("content/tech/1.md");
    for nth in 0..2 {
        assert_eq!(thread.matches(&format!("meanwhile {nth}.")).count(), 1, "{thread}");
    }
    // Posters are told before their inbox file is removed.
    wait_until("the inbox is empty", || files_below(&program.site.path("posts-inbox")).is_empty());
}

#[test]
fn whoever_ends_the_process_ends_an_upgrade_too() {
    let mut program = Program::start(Sandbox::new(SITE), &["serve"]);
    let before = program.builder();
    program.exchange("#!/bin/sh\ncase \"$1\" in --version) echo nejiboard 9.9.9; exit 0;; esac\nexec sleep 1000\n");
    program.hang_up();
    wait_until("it begins", || program.told().contains("upgrading to"));
    Program::signal(before, rustix::process::Signal::TERM);
    wait_until("it has ended", || program.has_ended(before));
    assert!(program.child.wait().unwrap().success());
}

#[test]
fn sockets_are_taken_by_their_names() {
    let site = Sandbox::new(SITE);
    let sockets: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let addresses: Vec<SocketAddr> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nejiboard"));
    command.arg("serve").current_dir(site.root()).env_clear().stdin(Stdio::null()).stderr(Stdio::null());
    command.env("LISTEN_FDS", "3").env("LISTEN_FDNAMES", "site:monitor:board.socket");
    let mapping = |(socket, child_fd): (TcpListener, i32)| FdMapping { parent_fd: socket.into(), child_fd };
    command.fd_mappings(sockets.into_iter().zip(3..).map(mapping).collect()).unwrap();
    let mut child = command.spawn().unwrap();
    drop(command);
    assert_eq!(get(addresses[0], "/tech/thread/1.html").status, 200);
    assert_eq!(get(addresses[1], "/metrics").status, 200);
    assert_eq!(get(addresses[2], "/tech/thread/1.html").status, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_door_that_closes_gently_gives_each_connection_one_answer_more() {
    let public = tempfile::tempdir().unwrap();
    fs::write(public.path().join("index.html"), "home").unwrap();
    let limits = Limits { farewell_time: LONG, head_time: LONG, ..quick() };
    let options = DoorOptions { public: public.path().to_owned(), limits, purpose: Purpose::Site };
    let listener = intake::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let stop = async {
        let _ = told.await;
        Farewell::Gently
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let serving = intake::serve(listener, options, Arc::new(Fake::default()), stop);
    let door = std::thread::spawn(move || runtime.block_on(serving));
    let request = b"GET / HTTP/1.1\r\nHost: board.test\r\n\r\n";
    let ask = |stream: &mut TcpStream| {
        stream.write_all(request).unwrap();
        let mut bytes = vec![0; 4_096];
        let length = stream.read(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).to_ascii_lowercase()
    };
    let (mut idle, mut fresh) = (connect(address).unwrap(), connect(address).unwrap());
    assert!(!ask(&mut idle).contains("connection: close"));
    tell.send(()).unwrap();
    wait_until("nobody is let in any more", || TcpStream::connect(address).is_err());
    for stream in [&mut idle, &mut fresh] {
        let last = ask(stream);
        assert!(last.contains("connection: close") && last.ends_with("home"), "{last}");
        assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "it is closed after its last answer");
    }
    door.join().unwrap().unwrap();
}

#[test]
fn a_door_alone_and_a_builder_alone_are_upgraded_too() {
    let site = Sandbox::new(SITE);
    // The same site for both: the builder's processes are known by the lock, the door's by what it tells.
    let root = site.root().to_owned();
    let mut builder = Command::new(env!("CARGO_BIN_EXE_nejiboard"));
    builder.args(["build", "--watch"]).current_dir(&root).env_clear().stdin(Stdio::null()).stderr(Stdio::null());
    let mut builder = builder.spawn().unwrap();
    let lock = root.join(".nejiboard/lock");
    let holder = || fs::read_to_string(&lock).ok().and_then(|text| text.trim().parse::<i32>().ok()).unwrap_or(0);
    wait_until("it builds", || holder() != 0 && root.join("public/tech/thread/1.html").exists());
    let program = Program::start(site, &["serve", "--no-build"]);
    let old = holder();
    wait_until("it hears signals", || program.post("before") == 303);
    Program::signal(old, rustix::process::Signal::HUP);
    wait_until("another one builds", || holder() != old);
    wait_until("the old one has ended", || builder.try_wait().unwrap().is_some());
    assert_eq!(program.post("after the builder"), 303);
    let door = program.child.id() as i32;
    Program::signal(door, rustix::process::Signal::HUP);
    wait_until("the new door is ready", || program.told().contains("the new process is ready"));
    assert_eq!(program.post("after the door"), 303);
    let new: i32 = program.told().split("process=").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    Program::signal(new, rustix::process::Signal::TERM);
    wait_until("the new door has ended", || !is_running(new));
    let thread = program.site.read("content/tech/1.md");
    assert!(["before", "after the builder", "after the door"].iter().all(|body| thread.matches(body).count() == 1));
}

#[test]
fn a_process_that_cannot_have_its_site_back_ends_so_that_it_is_started_anew() {
    let mut program = Program::start(Sandbox::new(SITE), &["serve"]);
    let version = "case \"$1\" in --version) echo nejiboard 9.9.9; exit 0;; esac";
    let stays = format!("env -u LISTEN_FDS {} --quiet build --watch & sleep 0.5", env!("CARGO_BIN_EXE_nejiboard"));
    let before = program.builder();
    program.exchange(&format!("#!/bin/sh\n{version}\n{stays}\nexit 7\n"));
    program.hang_up();
    wait_until("the failure is told", || program.told().contains("the upgrade failed"));
    wait_until("it ends", || program.has_ended(before));
    assert_eq!(program.child.wait().unwrap().code(), Some(3));
    assert!(program.told().contains("the builder has ended"), "{}", program.told());
}
