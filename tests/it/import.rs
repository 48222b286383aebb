//! Importers: what other people's archives become, and what is said about what cannot be read.

use std::fs;
use std::path::PathBuf;

use nejiboard::model::{BoardSlug, PostNo, Problem};
use nejiboard::store::import::jsonl::Source;
use nejiboard::store::import::{ImportError, Imported, Stats, jsonl};

/// Everything that an import yields, as lines to compare: boards, threads, posts, problems.
#[derive(Default)]
struct Heard {
    imported: Vec<Imported>,
    problems: Vec<Problem>,
}

impl Heard {
    /// Each value on a line of its own, posts indented.
    fn lines(&self) -> String {
        let mut out = String::new();
        for imported in &self.imported {
            match imported {
                Imported::Board { slug, title, description } => {
                    out += &format!("board {slug} {title:?} {description:?}\n")
                }
                Imported::Thread { board, thread } => {
                    let flags: Vec<&str> =
                        thread.flags.named().iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
                    out += &format!("thread {board} {} {:?} {}\n", thread.no(), thread.op().subject, flags.join(" "));
                    thread.posts.iter().for_each(|post| out += &post_line(post));
                }
                Imported::Replies { board, thread, posts, .. } => {
                    out += &format!("replies {board} {thread}\n");
                    posts.iter().for_each(|post| out += &post_line(post));
                }
                Imported::Moved { from, to } => out += &format!("moved {from} {to:?}\n"),
                Imported::Read(_) => {}
            }
        }
        out.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// `line:column: message` of each problem.
    fn problems(&self) -> Vec<String> {
        let place =
            |problem: &Problem| problem.place.map(|(line, column)| format!("{line}:{column}: ")).unwrap_or_default();
        self.problems.iter().map(|problem| place(problem) + &problem.message).collect()
    }
}

fn post_line(post: &nejiboard::model::Post) -> String {
    let sage = if post.sage { " sage" } else { "" };
    format!("  {} at {} {:?}{}{sage} {:?}\n", post.no, post.at.timestamp(), post.name, post.trip, post.body)
}

fn slug(text: &str) -> BoardSlug {
    BoardSlug::parse(text).unwrap()
}

/// The import of a file with this text.
fn import_jsonl(text: impl AsRef<[u8]>) -> (Stats, Heard) {
    import_jsonl_of(text, None)
}

fn import_jsonl_of(text: impl AsRef<[u8]>, board: Option<&BoardSlug>) -> (Stats, Heard) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.jsonl");
    fs::write(&path, text).unwrap();
    let mut heard = Heard::default();
    let mut take = |imported| {
        if !matches!(imported, Imported::Read(_)) {
            heard.imported.push(imported);
        }
        Ok(())
    };
    let stats = jsonl(&[Source::File(path)], board, &mut take, &mut |problem| heard.problems.push(problem)).unwrap();
    (stats, heard)
}

/// A good file with one line put in before the last post.
fn around(line: &str) -> Vec<u8> {
    [
        r#"{"kind":"thread","board":"tech","thread":1,"subject":"Help"}"#,
        r#"{"kind":"post","board":"tech","thread":1,"no":1,"time":10,"body":"first"}"#,
        line,
        r#"{"kind":"post","board":"tech","thread":1,"no":9,"time":90,"body":"last"}"#,
        "",
    ]
    .join("\n")
    .into_bytes()
}

const AROUND: &str = "board tech \"tech\" \"\"
thread tech 1 \"Help\"
  1 at 10 \"\" \"first\"
  9 at 90 \"\" \"last\"
";

#[test]
fn jsonl_boards_threads_and_posts_are_carried_over() {
    let text = r#"{"kind":"corpus","version":1,"seed":1,"posts":3}
{"kind":"board","board":"tech","title":"Technology","about":"Computers & what goes wrong"}
{"kind":"thread","board":"tech","thread":5,"subject":"A <b> & c","sticky":true,"locked":true}
{"kind":"post","board":"tech","thread":5,"no":5,"time":1420070400,"name":"Сова","trip":"!abc","email":"","body":"a\n\n**b** 今日"}
{"kind":"post","board":"tech","thread":5,"no":7,"time":1420070401,"name":"","trip":"","email":"sage","body":">>5\r\nyes\u0000"}
"#;
    let (stats, heard) = import_jsonl(text);
    assert_eq!(heard.problems(), [""; 0]);
    assert_eq!(
        heard.lines(),
        "board tech \"Technology\" \"Computers & what goes wrong\"
thread tech 5 \"A <b> & c\" sticky locked
  5 at 1420070400 \"Сова\"!abc \"a\\n\\n**b** 今日\"
  7 at 1420070401 \"\" sage \">>5\\nyes\"
"
    );
    assert_eq!((stats.boards, stats.threads, stats.posts), (1, 1, 2));
}

/// Three boards of threads that grow at the same time, in the order of threads or of time.
fn corpus(by_time: bool) -> String {
    let mut posts = Vec::new();
    for (board, name) in ["a", "b", "c"].iter().enumerate() {
        for thread in 1..=40_u64 {
            for i in 0..(thread * 7 + board as u64) % 13 + 1 {
                // Numbers rise with time; threads begin one after the other and then overlap.
                let no = thread + i * 40;
                posts.push((no * 3 + board as u64, name, thread, no));
            }
        }
    }
    if by_time {
        posts.sort();
    }
    let mut out = String::from("{\"kind\":\"corpus\",\"version\":1}\n");
    for (time, board, thread, no) in posts {
        if no == thread {
            out += &format!(
                "{{\"kind\":\"thread\",\"board\":\"{board}\",\"thread\":{thread},\"subject\":\"s{thread}\"}}\n"
            );
        }
        out += &format!(
            "{{\"kind\":\"post\",\"board\":\"{board}\",\"thread\":{thread},\"no\":{no},\"time\":{time},\"body\":\"t{no}\"}}\n"
        );
    }
    out
}

#[test]
fn jsonl_gives_the_same_whole_threads_in_either_order() {
    let threads = |by_time| {
        let (stats, heard) = import_jsonl(corpus(by_time));
        assert_eq!(heard.problems(), [""; 0]);
        let mut threads: Vec<(String, u64, usize, String)> = Vec::new();
        for imported in heard.imported {
            if let Imported::Thread { board, thread } = imported {
                let nos: Vec<PostNo> = thread.posts.iter().map(|post| post.no).collect();
                assert!(nos.is_sorted());
                let text: String = thread.posts.iter().map(|post| post.body.as_str()).collect();
                threads.push((board.to_string(), thread.no().get(), nos.len(), text));
            }
        }
        threads.sort();
        (stats, threads)
    };
    let (by_thread, by_time) = (threads(false), threads(true));
    assert_eq!(by_thread.1.len(), 120);
    assert_eq!(by_thread, by_time);
}

#[test]
fn a_thread_is_handed_on_at_its_last_line_and_not_at_the_end_of_the_file() {
    // The first problem stands after the first thread's last post, so it must be heard after that thread.
    let text = r#"{"kind":"post","board":"a","thread":1,"no":1,"body":"x"}
{"kind":"post","board":"a","thread":2,"no":2,"body":"x"}
{"kind":"post","board":"a","thread":1,"no":3,"body":"x"}
nonsense
{"kind":"post","board":"a","thread":2,"no":4,"body":"x"}
"#;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.jsonl");
    fs::write(&path, text).unwrap();
    let events = std::cell::RefCell::new(Vec::new());
    let mut take = |imported| {
        if let Imported::Thread { thread, .. } = imported {
            events.borrow_mut().push(format!("thread {} of {}", thread.no(), thread.posts.len()));
        }
        Ok(())
    };
    let mut problem = |_| events.borrow_mut().push("problem".to_owned());
    jsonl(&[Source::File(path)], None, &mut take, &mut problem).unwrap();
    assert_eq!(*events.borrow(), ["thread 1 of 2", "problem", "thread 2 of 2"]);
}

#[test]
fn a_bad_line_is_a_problem_with_its_place_and_the_rest_goes_on() {
    let cases = [
        ("{\"kind\":\"post\",\"board\":\"tech\",\"thr", "3:34: the JSON ends in the middle"),
        ("nonsense", "3:1: the line is not a JSON object"),
        ("{nonsense}", "3:2: key must be a string"),
        (r#"["post",null,"tech"]"#, "3:1: the line is not a JSON object"),
        ("{}", "3:2: missing field `kind`"),
        (r#"{"kind":"user","name":"x"}"#, "3:1: the kind `user` is none of"),
        (r#"{"kind":"post","board":"tech","thread":1,"no":2,"time":1}"#, "3:1: missing field `body`"),
        (r#"{"kind":"post","board":"tech","no":2,"body":""}"#, "3:1: `thread` must be the number"),
        (r#"{"kind":"post","board":"tech","thread":1,"body":""}"#, "3:1: `no` must be the number"),
        (r#"{"kind":"post","board":"tech","thread":1,"no":0,"body":""}"#, "3:1: `no` must be the number"),
        (
            r#"{"kind":"post","board":"tech","thread":1,"no":9007199254740992,"body":""}"#,
            "3:1: `no` must be the number",
        ),
        (r#"{"kind":"post","board":"tech","thread":1,"no":-2,"body":""}"#, "3:48: invalid value: integer `-2`"),
        (r#"{"kind":"post","board":"tech","thread":1,"no":"2","body":""}"#, "3:49: invalid type: string"),
        (r#"{"kind":"post","board":"tech","thread":1,"no":1,"body":"again"}"#, "3:1: post 1 of /tech/ came already"),
        (r#"{"kind":"post","board":"tech","thread":4,"no":3,"body":""}"#, "3:1: post 3 is older than its thread 4"),
        (r#"{"kind":"post","board":"../x","thread":4,"no":4,"body":""}"#, "3:1: `../x` cannot be a board"),
        (r#"{"kind":"post","board":"mod","thread":4,"no":4,"body":""}"#, "3:1: `mod` cannot be a board"),
        (r#"{"kind":"post","thread":4,"no":4,"body":""}"#, "3:1: the record names no board"),
        (r#"{"kind":"thread","board":"tech","thread":1}"#, "3:1: thread 1 came already"),
        (r#"{"kind":"thread","board":"tech","thread":3}"#, "3:1: thread 3 has no posts"),
        (r#"{"kind":"post","board":"tech","thread":1,"no":2,"body":"\ud800"}"#, "3:63: unexpected end of hex escape"),
        (r#"{"kind":"post","board":"tech","thread":1,"no":2,"id":"a b","body":""}"#, "3:1: the `id` of post 2 is none"),
        (r#"{"kind":"corpus","version":2}"#, "3:1: version 2 of the format is not known"),
        (
            &format!("{{\"kind\":\"post\",\"x\":\"{}\"}}", "x".repeat(8_000_000)),
            "3:1: the line is longer than 8000000 bytes",
        ),
        (&format!("{{\"x\":{}", "[".repeat(900_000)), "3:900005: the JSON ends in the middle"),
    ];
    for (line, expected) in cases {
        let (_, heard) = import_jsonl(around(line));
        let shown: String = line.chars().take(80).collect();
        assert_eq!(heard.problems.len(), 1, "{shown}: {:?}", heard.problems());
        assert!(heard.problems()[0].starts_with(expected), "{shown}: {:?}", heard.problems());
        assert_eq!(heard.lines(), AROUND, "{shown}");
    }
}

#[test]
fn a_line_in_another_encoding_is_a_problem() {
    let (_, heard) = import_jsonl([&around("")[..], b"{\"kind\":\"post\",\"body\":\"caf\xE9\"}\n"].concat());
    assert_eq!(heard.problems(), ["5:27: the line is not UTF-8"]);
    assert_eq!(heard.lines(), AROUND);
}

#[test]
fn empty_lines_windows_line_ends_a_mark_and_a_missing_last_line_end_are_no_matter() {
    let text = String::from_utf8(around("")).unwrap().replace('\n', "\r\n");
    let (_, heard) = import_jsonl(format!("\u{FEFF}{}", text.trim_end()));
    assert_eq!(heard.problems(), [""; 0]);
    assert_eq!(heard.lines(), AROUND);
}

#[test]
fn a_time_out_of_range_costs_the_time_and_not_the_post() {
    for time in ["-62167219201", "253402300800", "9223372036854775807"] {
        let line = format!(r#"{{"kind":"post","board":"tech","thread":1,"no":2,"time":{time},"body":"kept"}}"#);
        let (_, heard) = import_jsonl(around(&line));
        assert_eq!(
            heard.problems(),
            [format!("3:1: the time {time} of post 2 is out of range; the post is kept without it")]
        );
        assert!(heard.lines().contains("  2 at 0 \"\" \"kept\"\n"), "{}", heard.lines());
    }
}

#[test]
fn replies_without_their_opening_post_come_as_such() {
    let text = r#"{"kind":"post","board":"tech","thread":4,"no":9,"time":9,"body":"late"}
{"kind":"post","board":"tech","thread":4,"no":8,"time":8,"body":"newer"}
"#;
    let (stats, heard) = import_jsonl(text);
    assert_eq!(heard.problems(), [""; 0]);
    assert_eq!(
        heard.lines(),
        "board tech \"tech\" \"\"\nreplies tech 4\n  8 at 8 \"\" \"newer\"\n  9 at 9 \"\" \"late\"\n"
    );
    assert_eq!(stats.posts, 2);
    let Imported::Replies { if_absent, .. } = &heard.imported[1] else { panic!("{:?}", heard.imported) };
    assert_eq!(if_absent.place, Some((1, 1)));
    assert_eq!(if_absent.message, "thread 4 of /tech/ has no opening post; its 2 replies are left out");
}

#[test]
fn with_a_board_only_its_records_are_taken_and_those_that_name_none() {
    let text = r#"{"kind":"post","board":"tech","thread":1,"no":1,"body":"a"}
{"kind":"post","board":"jp","thread":1,"no":1,"body":"b"}
{"kind":"post","thread":2,"no":2,"body":"c"}
"#;
    let (stats, heard) = import_jsonl_of(text, Some(&slug("tech")));
    assert_eq!(heard.problems(), [""; 0]);
    assert_eq!(
        heard.lines(),
        "board tech \"tech\" \"\"\nthread tech 1 \"\"\n  1 at 0 \"\" \"a\"\nthread tech 2 \"\"\n  2 at 0 \"\" \"c\"\n"
    );
    assert_eq!(stats.lost["records of other boards"], 1);
}

#[test]
fn a_file_of_something_else_does_not_flood_the_terminal() {
    let (_, heard) = import_jsonl("nonsense\n".repeat(5_000));
    assert_eq!(heard.problems.len(), 201);
    assert_eq!(heard.problems()[200], "4800 more problems of this kind");
}

#[test]
fn what_cannot_be_opened_ends_the_import_before_anything_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.jsonl");
    fs::write(&good, around("")).unwrap();
    let import = |second: PathBuf| {
        let sources = [Source::File(good.clone()), Source::File(second)];
        jsonl(&sources, None, &mut |imported| panic!("nothing to take: {imported:?}"), &mut |_| panic!("no problem"))
    };
    assert!(matches!(import(dir.path().join("missing")), Err(ImportError::Read { .. })));
    assert!(matches!(import(dir.path().to_owned()), Err(ImportError::Folder(_))));
}

#[test]
fn a_failing_taker_ends_the_import() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("good.jsonl");
    fs::write(&path, around("")).unwrap();
    let mut take = |_| Err(std::io::Error::other("disk full"));
    let outcome = jsonl(&[Source::File(path)], None, &mut take, &mut |_| ());
    assert!(matches!(outcome, Err(ImportError::Take(_))), "{outcome:?}");
}

/// Standard input and pipes cannot be read twice; they go through a temporary file and give the same.
#[cfg(unix)]
#[test]
fn a_pipe_gives_what_a_file_gives() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, corpus(true)).unwrap()
    });
    let mut heard = Heard::default();
    let mut take = |imported| {
        if !matches!(imported, Imported::Read(_)) {
            heard.imported.push(imported);
        }
        Ok(())
    };
    jsonl(&[Source::File(pipe)], None, &mut take, &mut |problem| panic!("{problem}")).unwrap();
    writer.join().unwrap();
    assert_eq!(heard.lines(), import_jsonl(corpus(true)).1.lines());
}

#[test]
fn a_dash_means_standard_input() {
    assert_eq!(Source::from_argument("-"), Source::Stdin);
    assert_eq!(Source::from_argument("./-"), Source::File("./-".into()));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Whatever happens to one place of a file, the import goes on, and what it yields is sound.
    #[test]
    fn a_damaged_file_never_stops_the_import(at in 0..20_000_usize, cut in 0..400_usize, junk: Vec<u8>) {
        let mut text = corpus(true).into_bytes();
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        text.splice(at..end, junk);
        let (stats, heard) = import_jsonl(text);
        let mut posts = 0;
        for imported in &heard.imported {
            if let Imported::Thread { thread, .. } = imported {
                assert!(thread.posts.windows(2).all(|pair| pair[0].no < pair[1].no));
                posts += thread.posts.len() as u64;
            } else if let Imported::Replies { thread, posts: replies, .. } = imported {
                assert!(replies.iter().all(|post| *thread < post.no));
                posts += replies.len() as u64;
            }
        }
        assert_eq!(posts, stats.posts);
        assert!(700 < posts, "{posts}");
    }
}
