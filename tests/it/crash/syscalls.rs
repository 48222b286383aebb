//! In which order the program asks the system to make things durable, as strace tells it.
//!
//! A crash of the machine cannot be tried here. What can be seen is that each step waits for the one before it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::sandbox::Sandbox;
use super::super::sandbox::running::{self, wait_until};
use super::ledger::{Wanted, send};

/// A system call: its text as strace shows it, and the lines of the trace at which it began and ended.
#[derive(Debug)]
struct Call {
    text: String,
    began: usize,
    ended: usize,
}

/// The calls of a trace with `-f`. A call of one thread that another one interrupts stands on two lines.
fn calls(trace: &str) -> Vec<Call> {
    let mut open: Vec<(String, Call)> = Vec::new();
    let mut calls = Vec::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((thread, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(begun) = text.strip_suffix(" <unfinished ...>") {
            open.push((thread.to_owned(), Call { text: begun.to_owned(), began: at, ended: usize::MAX }));
        } else if let Some((_, rest)) = text.split_once(" resumed>") {
            let Some(nth) = open.iter().position(|(of, _)| of == thread) else { continue };
            let (_, mut call) = open.swap_remove(nth);
            call.text.push_str(rest);
            call.ended = at;
            calls.push(call);
        } else {
            calls.push(Call { text: text.to_owned(), began: at, ended: at });
        }
    }
    calls.sort_by_key(|call| call.began);
    calls
}

/// The first call from the line `from` on whose text has all of `parts`.
fn find<'a>(calls: &'a [Call], from: usize, parts: &[&str]) -> &'a Call {
    let fits = |call: &&Call| from <= call.began && parts.iter().all(|part| call.text.contains(part));
    calls.iter().find(fits).unwrap_or_else(|| panic!("no {parts:?} after line {from} of the trace"))
}

/// Checks that such calls were made, each begun after the one before it had ended and succeeded. Gives the last one.
fn in_order<'a>(calls: &'a [Call], steps: &[&[&str]]) -> &'a Call {
    let mut last = find(calls, 0, steps[0]);
    for step in steps {
        // The earliest of its kind: one that came too early must not hide behind a later one.
        let call = find(calls, 0, step);
        assert!(call.text.contains("= ") && !call.text.contains("= -1"), "it failed: {}", call.text);
        assert!(
            std::ptr::eq(call, last) || last.ended < call.began,
            "out of order:\n{}: {}\n{}: {}",
            last.ended,
            last.text,
            call.began,
            call.text
        );
        last = call;
    }
    last
}

/// `serve` under strace. It is ended when this is dropped.
struct Traced {
    strace: std::process::Child,
    pid: String,
    address: std::net::SocketAddr,
}

impl Traced {
    /// Ends it in peace. What strace has seen is in its file for sure after that.
    fn end(mut self) {
        self.signal("-TERM");
        self.strace.wait().unwrap();
    }

    /// strace passes the signal of its own end on to nobody, so the program itself is told.
    fn signal(&self, signal: &str) {
        let _ = Command::new("kill").args([signal, &self.pid]).stderr(Stdio::null()).status();
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if self.strace.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.signal("-KILL");
            let _ = self.strace.wait();
        }
    }
}

/// Starts it, or does not where that is not possible; then it is told.
fn traced(root: &Path, trace: &Path) -> Option<Traced> {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        println!("left out: strace is not there or may not trace");
        return None;
    }
    let told = fs::File::create(root.join("told")).unwrap();
    let strace = Command::new("strace")
        .args(["-f", "-y", "-s", "64", "-e", "trace=openat,write,writev,sendto,sendmsg,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat"])
        .arg("-o")
        .arg(trace)
        .arg(env!("CARGO_BIN_EXE_nejiboard"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(told)
        .spawn()
        .unwrap();
    let address = || {
        let told = fs::read_to_string(root.join("told")).unwrap();
        told.split("serving http://").nth(1).and_then(|rest| rest.split('/').next()?.parse().ok())
    };
    wait_until("it listens", || address().is_some());
    let pid = fs::read_to_string(trace).unwrap().split(' ').next().unwrap().to_owned();
    Some(Traced { strace, pid, address: address().unwrap() })
}

#[test]
fn a_post_is_synced_before_it_is_answered_and_its_thread_before_the_inbox_file_goes() {
    let site = Sandbox::new("==> content/a/1.md\n--- {no: 1, at: 2025-03-02}\ntext of old\n");
    let traces = tempfile::tempdir().unwrap();
    let trace = traces.path().join("trace");
    let Some(traced) = traced(site.root(), &trace) else { return };
    let told = send(traced.address, "a", "1", "reply", Wanted::OnceSafe).unwrap();
    assert_eq!(told.no, None, "it was answered as soon as it was safe");
    wait_until("the inbox is empty", || fs::read_dir(site.path("posts-inbox")).unwrap().next().is_none());
    running::try_get(traced.address, "/a/index.html").unwrap();
    traced.end();
    let calls = calls(&fs::read_to_string(&trace).unwrap());

    // The inbox folder's own name, before any post is put into it.
    let made = find(&calls, 0, &["mkdir", "posts-inbox\""]);
    let synced = find(&calls, made.ended, &["fsync(", &format!("<{}>", site.root().display())]);
    assert!(synced.ended < find(&calls, 0, &["openat(", "posts-inbox/.", ".md.draft"]).began);
    // The file's bytes, its name, and only then the answer.
    in_order(
        &calls,
        &[
            &["openat(", "posts-inbox/.", ".md.draft", "O_CREAT"],
            &["write(", "posts-inbox/.", "board"],
            &["fdatasync(", "posts-inbox/."],
            &["rename", "posts-inbox/.", ".md.draft"],
            &["fsync(", "posts-inbox>"],
            &["HTTP/1.1 202"],
        ],
    );
    // The thread's bytes, its name, and only then the inbox file goes.
    in_order(
        &calls,
        &[
            &["fsync(", "posts-inbox>"],
            &["openat(", "content/a/.1.md.draft", "O_CREAT"],
            &["write(", "content/a/.1.md.draft", "text of old"],
            &["fdatasync(", "content/a/.1.md.draft"],
            &["rename", "content/a/.1.md.draft", "content/a/1.md"],
            &["fsync(", "content/a>"],
            &["unlink", "posts-inbox/", ".md\""],
        ],
    );
    // No page tells of the post before its thread is durable.
    let durable = find(&calls, 0, &["fsync(", "content/a>"]);
    let shown = find(&calls, durable.ended, &["renameat2(", "a/thread/.1.html.draft"]);
    let first = find(&calls, find(&calls, 0, &["HTTP/1.1 202"]).began, &["renameat2(", "a/thread/.1.html.draft"]);
    assert!(shown.began == first.began, "the page came first: {first:?} before {durable:?}");
}

#[test]
fn a_trace_is_read_as_it_happened() {
    let calls = calls(
        "1 fsync(3</a> <unfinished ...>\n2 write(4, \"x\", 1) = 1\n1 <... fsync resumed>) = 0\n2 unlink(\"b\") = 0\n",
    );
    let told: Vec<(&str, usize, usize)> = calls.iter().map(|call| (&*call.text, call.began, call.ended)).collect();
    assert_eq!(told, [("fsync(3</a>) = 0", 0, 2), ("write(4, \"x\", 1) = 1", 1, 1), ("unlink(\"b\") = 0", 3, 3)]);
}
