//! Each step of a build by itself, in memory but for the writes.
//!
//! `cargo bench --bench steps`, or `cargo bench --bench steps -- markup` for those with `markup` in their name. What is
//! measured on posts is the time of one post. The pages of `compare` and `write` have 20 KB; their folder is below
//! `target/` and goes at the end.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BatchSize, Criterion, SamplingMode, Throughput};
use nejiboard::intake::proof;
use nejiboard::intake::tripcode::Secret;
use nejiboard::model::quotes::Quote;
use nejiboard::model::settings::BoardInfo;
use nejiboard::model::{
    BoardSettings, BoardSlug, Change, Codings, Numbered, Page, PageKey, Post, PostId, PostNo, Site, SiteSettings,
    Stamp, Thread, ThreadFlags, ThreadKey,
};
use nejiboard::publish::{Fresh, InPlace, Shelf, Siblings, Target};
use nejiboard::render::markup::{self, Links, Renderer};
use nejiboard::render::views::{Backlink, PostView};
use nejiboard::render::{Job, Pen, Theme, excerpt, plan};
use nejiboard::store::{content, header, locale, theme, thread_file};
use sha2::{Digest, Sha256};

const PLAIN: &str = "The board is now plain files, and the pages are files as well. A reader gets them from any server, \
    so nothing has to run for reading.\nWho wants to post fills in the form below, and sees the post on its page a \
    moment later.\nThe old posts were taken over, with their numbers and their times, so that links to them still work.";

const QUOTES: &str = ">>1\n>>12 is that so?\n>the pages are files as well\n>nothing has to run for reading\nThen who \
    takes the posts?\n>>>/tech/14 asks the same.\n>>3\n>>9999999\nThese two are about something else, and the last of \
    them is not there at all.\n>implying that anybody reads it";

const EMPHASIS: &str = "It is **not** the same: *this* one is `static`, see https://example.org/a/b?c=d for the \
    [details](https://example.org/details).\nThe ||end|| is where **the *inner* one** closes first, and `a * b * c` \
    stays as it is.\nAlso read https://example.com/, **then** say what you think of it. [spoiler]I know[/spoiler].";

const ART: &str = "   /\\_____/\\\n  /  o   o  \\\n ( ==  ^  == )\n  )         (\n (           )\n ( (  )   (  ) )\n\
    (__(__)___(__)__)\n   ||       ||\n  _||_     _||_\n |____|   |____|\n";

fn main() {
    let mut criterion = Criterion::default().warm_up_time(Duration::from_secs(1)).configure_from_args();
    markup(&mut criterion);
    headers(&mut criterion);
    proofs(&mut criterion);
    thread_files(&mut criterion);
    post_template(&mut criterion);
    pages(&mut criterion);
    plans(&mut criterion);
    compare_and_write(&mut criterion);
    criterion.final_summary();
}

/// Every post is there, in the same thread.
struct Here;

impl Links for Here {
    fn href(&self, quote: &Quote, out: &mut String) -> bool {
        match quote {
            Quote::Post(no) | Quote::Cross(_, no) if no.get() < 1_000_000 => {
                out.push_str("#p");
                out.push_str(&no.to_string());
                true
            }
            _ => false,
        }
    }
}

fn markup(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("markup");
    for (name, body) in [("plain", PLAIN), ("quotes", QUOTES), ("emphasis and links", EMPHASIS), ("art", ART)] {
        group.throughput(Throughput::Bytes(body.len() as u64));
        // As for a post of a thread: the memory is there.
        let (mut renderer, mut out) = (Renderer::default(), String::new());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                renderer.render(black_box(body), &Here, &mut out);
            });
        });
    }
}

fn headers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("header");
    let json = r#"{"no": 12, "at": "2025-03-02T10:20:30Z", "name": "Neji", "id": "01JNB4R2V7M3Q5Z8X1C6D9F0GH"}"#;
    let yaml = "{no: 12, at: 2025-03-02 10:20, name: Neji, id: 01JNB4R2V7M3Q5Z8X1C6D9F0GH}";
    for (name, text) in [("read JSON", json), ("read YAML", yaml)] {
        let lines = header::Lines::of(text);
        let place = header::Place { path: Path::new("content/tech/1.md"), lines: &lines, from: 0 };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let header = header::read(black_box(text), &place, &mut Vec::new());
                assert!(header.as_ref().is_some_and(|header| header.name == "Neji"));
                header
            });
        });
    }
    group.bench_function("write", |bencher| {
        bencher.iter(|| {
            let mut line = header::Writer::new();
            line.number("no", black_box(12));
            line.time("at", time(12));
            line.text("name", black_box("Neji"));
            line.text("id", black_box("01JNB4R2V7M3Q5Z8X1C6D9F0GH"));
            line.finish()
        });
    });
}

/// What the door does about a proof of work: to make a riddle, to see that a proof is good, or that it is for another post.
fn proofs(criterion: &mut Criterion) {
    const NOW: i64 = 1_800_000_000;
    let (secret, bits) = (Secret::from_bytes([7; 32]), 10);
    let [id, other] =
        ["01JNB4R2V7M3Q5Z8X1C6D9F0GH", "01JNB4R2V7M3Q5Z8X1C6D9F0GJ"].map(|id| PostId::parse(id).expect("an id"));
    let challenge = proof::riddle(&secret, &id, bits, NOW).challenge;
    let solves = |number: &u64| Sha256::digest(format!("{challenge}-{number}"))[..2] < [0, 64][..];
    let numbers = (0..).filter(solves).take(proof::NUMBERS);
    let good = numbers.fold(challenge.clone(), |text, number| format!("{text}-{number}"));
    let mut group = criterion.benchmark_group("proof of work");
    group.bench_function("make a riddle", |bencher| bencher.iter(|| proof::riddle(&secret, black_box(&id), bits, NOW)));
    group.bench_function("check a good proof", |bencher| {
        bencher.iter(|| assert_eq!(proof::check(&secret, &id, bits, NOW, black_box(&good)), Ok(())));
    });
    group.bench_function("check the proof of another post", |bencher| {
        bencher.iter(|| assert!(proof::check(&secret, &other, bits, NOW, black_box(&good)).is_err()));
    });
}

/// A thread of 25 posts is read whole, and a post is added to it.
fn thread_files(criterion: &mut Criterion) {
    let thread = thread(no(1), 25);
    let bytes = thread_file::write(&thread);
    let mut group = criterion.benchmark_group("thread file of 25 posts");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("read", |bencher| {
        bencher.iter(|| {
            let reading = thread_file::read(Path::new("content/tech/1.md"), black_box(&bytes));
            assert!(reading.problems.is_empty());
            reading
        });
    });
    group.bench_function("write", |bencher| bencher.iter(|| thread_file::write(black_box(&thread))));
    let added = [post(no(26), PLAIN)];
    group.bench_function("append one", |bencher| {
        bencher.iter(|| thread_file::append(black_box(&bytes), &added));
    });
}

fn post_template(criterion: &mut Criterion) {
    let theme = built_in_theme();
    let mut body = String::new();
    markup::render(PLAIN, &Here, &mut body);
    let backlinks = [Backlink { no: 14, page: "" }];
    let view = PostView {
        no: 12,
        href: "#p12",
        op: false,
        deleted: false,
        name: "Anonymous",
        trip: "",
        poster_id: "",
        capcode: "",
        subject: "",
        sage: false,
        sticky: false,
        locked: false,
        archived: false,
        iso: "2025-03-02T10:20:30Z",
        time: "2025-03-02 10:20",
        body: &body,
        cut: false,
        backlinks: &backlinks,
        more_backlinks: 0,
    };
    assert!(theme.post_is_compiled());
    let mut group = criterion.benchmark_group("post template");
    let mut out = String::new();
    group.bench_function("compiled", |bencher| {
        bencher.iter(|| {
            out.clear();
            theme.draw_post(black_box(&view), &mut out).expect("the built-in theme draws");
        });
    });
    group.bench_function("handlebars", |bencher| {
        bencher.iter(|| theme.draw_by_handlebars("post", black_box(&view)).expect("the built-in theme draws"));
    });
}

/// Pages drawn from summaries, whose time is that of the page's template, and those with posts, in which markup and
/// the post's template share.
fn pages(criterion: &mut Criterion) {
    let site = site(1_000, 25);
    let board = site.boards().next().expect("there is one").slug.clone();
    let shown = site.board(&board).expect("it is there").index_page(1);
    let newest = shown[0].no;
    let held: BTreeMap<PostNo, Arc<Thread>> =
        shown.iter().map(|summary| (summary.no, Arc::new(thread(summary.no, 25)))).collect();
    let read = |key: &ThreadKey| held.get(&key.no).cloned().ok_or_else(|| "not on the first page".to_owned());
    let whole = plan::ThreadPages { whole: true, ..Default::default() };
    let first = plan::IndexPages { number: 1, page: true, json: false, vichan: false };
    let threads = |threads, index| Job::Threads { board: board.clone(), threads, index };
    let jobs = [
        ("home", Job::Page(PageKey::Home)),
        ("not found", Job::Page(PageKey::NotFound)),
        ("catalog of 100 threads", Job::Page(PageKey::Catalog(board.clone()))),
        ("archive of 100 threads", Job::Page(PageKey::Archive(board.clone()))),
        ("thread of 25 posts", threads(BTreeMap::from([(newest, whole)]), None)),
        ("index of 10 threads", threads(BTreeMap::new(), Some(first))),
    ];
    for (group, theme) in [("page", built_in_theme()), ("page by handlebars", built_in_theme().uncompiled())] {
        let pen = Pen { site: &site, theme: &theme, read: &read, previews: None };
        let mut group = criterion.benchmark_group(group);
        for (name, job) in &jobs {
            group.bench_function(*name, |bencher| {
                bencher.iter(|| pen.draw(job, &mut |(_, drawn)| drop(black_box(drawn.expect("it can be drawn")))));
            });
        }
    }
}

/// What one reply means for the pages, on boards of ever more threads. Each reply bumps a thread of the fifth index
/// page.
fn plans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan of one reply");
    for threads in [1_000, 10_000, 100_000] {
        let before = LazyCell::new(|| site(threads, 2));
        let mut growing: Option<Growing> = None;
        group.bench_function(format!("of {threads} threads"), |bencher| {
            bencher.iter_custom(|iterations| {
                let one = |_| {
                    let growing = match growing.as_mut().filter(|growing| growing.replies < REPLIES_MAX) {
                        Some(growing) => growing,
                        None => growing.insert(Growing::new(before.clone())),
                    };
                    growing.reply()
                };
                (0..iterations).map(one).sum()
            });
        });
    }
}

/// After so many replies the site is as it was, so that its threads stay short.
const REPLIES_MAX: u64 = 4_000;

/// A site to which replies are added.
struct Growing {
    site: Site,
    /// The threads that have got one already.
    longer: BTreeMap<PostNo, Thread>,
    replies: u64,
}

impl Growing {
    fn new(site: Site) -> Growing {
        let mut growing = Growing { site, longer: BTreeMap::new(), replies: 0 };
        // What was just copied has no room to grow, and is in no cache.
        (0..100).for_each(|_| _ = growing.reply());
        growing
    }

    /// Takes over a reply, and tells how long that took.
    fn reply(&mut self) -> Duration {
        let board = self.site.boards().next().expect("there is one");
        let key = ThreadKey { board: board.slug.clone(), no: board.index_page(5)[0].no };
        let no = board.last_no().and_then(PostNo::next).expect("numbers are left");
        let thread = self.longer.entry(key.no).or_insert_with(|| thread(key.no, 2));
        thread.posts.push(post(no, PLAIN));
        let now = content::number(thread, &key, &board.settings, Stamp::default(), no.get(), excerpt);
        let changes = vec![Change { key, now: Some(now) }];
        self.replies += 1;
        let began = Instant::now();
        let delta = self.site.apply(changes);
        let touched = plan::touched(&self.site, &delta);
        black_box(plan::jobs(&self.site, touched.draw));
        began.elapsed()
    }
}

const PAGE_BYTES: usize = 20_000;

fn compare_and_write(criterion: &mut Criterion) {
    let folder = tempfile::Builder::new().prefix("nejiboard-bench").tempdir_in("target").expect("target/ is there");
    let root = folder.path().join("public");
    let page = |no, byte| Page { key: PageKey::Thread(slug(), no), bytes: vec![byte; PAGE_BYTES] };
    let mut shelf = Shelf::new(root.clone());
    let siblings = Siblings::new(root.clone(), Codings::default(), BTreeMap::new());
    let one = page(no(1), b'1');
    let (_, known) = InPlace { shelf: &shelf, siblings: &siblings, now: 1 }.put(&one).expect("the disk takes it");
    shelf.learn(one.key.path(), known);
    let mut group = criterion.benchmark_group("compare");
    group.bench_function("hash", |bencher| bencher.iter(|| nejiboard::publish::hash(black_box(&one.bytes))));
    group.bench_function("unchanged page", |bencher| {
        let target = InPlace { shelf: &shelf, siblings: &siblings, now: 1 };
        bencher.iter(|| target.put(black_box(&one)).expect("nothing is written"));
    });
    group.finish();

    // Few samples and short: each iteration leaves a file, or has removed one.
    let mut group = criterion.benchmark_group("write");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    // The one that removes files last: for a while after that ext4 makes new ones slowly.
    let mut next: u64 = 0;
    let mut new_page = || {
        next += 1;
        page(no(next), b'4')
    };
    let fresh = Fresh::at(folder.path().join("fresh"), &shelf, &siblings, 1).expect("the disk takes a folder");
    group.bench_function("new page in a fresh folder", |bencher| {
        let put = |page| fresh.put(&page).expect("the disk takes it");
        bencher.iter_batched(&mut new_page, put, BatchSize::PerIteration);
    });
    let mut turn: u64 = 1;
    let versions = [page(no(1), b'2'), page(no(1), b'3')];
    group.bench_function("changed page in place", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut took = Duration::ZERO;
            for _ in 0..iterations {
                turn += 1;
                let next = &versions[turn as usize % 2];
                let began = Instant::now();
                let (_, known) =
                    InPlace { shelf: &shelf, siblings: &siblings, now: turn }.put(next).expect("the disk takes it");
                took += began.elapsed();
                shelf.learn(next.key.path(), known);
            }
            took
        });
    });
    group.finish();
}

fn built_in_theme() -> Theme {
    let files = theme::read(Path::new("no-themes-here"), "default").expect("it is built in");
    let locale = locale::read(&files, "en").expect("the built-in texts are good");
    Theme::compile(&files, &locale.texts, "/").unwrap_or_else(|bad| panic!("{bad}"))
}

fn slug() -> BoardSlug {
    BoardSlug::parse("tech").expect("a good name")
}

fn no(number: u64) -> PostNo {
    PostNo::new(number).expect("a number in range")
}

/// A minute a post.
fn time(number: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(25_000_000 + number as i64)
}

fn post(no: PostNo, body: &str) -> Post {
    Post { at: time(no.get()), body: body.to_owned(), ..Post::new(no) }
}

/// A thread of posts with all kinds of bodies, numbered without gaps.
fn thread(op: PostNo, posts: u64) -> Thread {
    let bodies = [PLAIN, QUOTES, PLAIN, EMPHASIS, PLAIN, PLAIN, ART];
    let post = |nth: u64| post(no(op.get() + nth), bodies[nth as usize % bodies.len()]);
    Thread { flags: ThreadFlags::default(), changed: None, posts: (0..posts).map(post).collect() }
}

/// One board of so many threads, of so many posts each.
fn site(threads: u64, posts: u64) -> Site {
    let settings = Arc::new(BoardSettings::default());
    let board = BoardInfo { slug: slug(), settings: settings.clone() };
    let mut site = Site::new(Arc::new(SiteSettings::default()), vec![board]);
    let change = |nth: u64| {
        let key = ThreadKey { board: slug(), no: no(1 + nth * posts) };
        let thread = thread(key.no, posts);
        let now: Numbered = content::number(&thread, &key, &settings, Stamp::default(), nth, excerpt);
        Change { key, now: Some(now) }
    };
    site.apply((0..threads).map(change).collect());
    site
}
