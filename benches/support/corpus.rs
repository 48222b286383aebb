//! A corpus of made-up posts, as `import jsonl` reads it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes one into `folder`: ten boards, about 25 posts a thread and 300 bytes a post.
pub fn write(folder: &Path, posts: usize) -> PathBuf {
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
