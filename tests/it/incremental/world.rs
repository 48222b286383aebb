//! A small site to which things happen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use nejiboard::app::builder::{Builder, Manner};
use nejiboard::model::{BoardSlug, PostId, PostNo, Report, Thread, ThreadKey};
use nejiboard::store::content;

use super::super::packed::wrong_siblings;
use super::super::sandbox::links::dead_links;
use super::super::sandbox::{Sandbox, copy_folder, files_below, publish, quiet};

/// Names that boards have, or may come to have.
pub const BOARDS: [&str; 3] = ["a", "b", "c"];

/// A generator of chances (splitmix64): the same seed gives the same chances everywhere.
pub struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 on, below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Whether something happens that does `times` out of `out_of`.
    pub fn of(&mut self, times: usize, out_of: usize) -> bool {
        self.below(out_of) < times
    }

    /// One of several.
    pub fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// The site, its builder, and what has been done so far.
pub struct World {
    /// Decides everything.
    pub chance: Chance,
    /// The files.
    pub site: Sandbox,
    /// What keeps `public/` in step; `None` only in the middle of a restart.
    pub builder: Option<Builder>,
    /// What to tell the builder before the next publish.
    pub told: Told,
    /// Seconds that pass with each post.
    pub clock: i64,
    /// A build cache of an earlier time.
    pub old_cache: Option<Vec<u8>>,
    /// Acts that moved a thread, or took that back.
    pub moves: Vec<PostId>,
    log: Vec<String>,
    seed: u64,
}

/// What the watch would have told.
#[derive(Default)]
pub struct Told {
    /// Threads whose files changed.
    pub threads: BTreeSet<ThreadKey>,
    /// A settings file or a board's folder changed.
    pub settings: bool,
}

impl World {
    /// A site that follows from the seed.
    pub fn new(seed: u64) -> World {
        let mut chance = Chance(seed);
        let site = Sandbox::empty();
        site.write("content/site.yaml", site_settings(&mut chance));
        for board in &BOARDS[..1 + chance.below(2)] {
            site.write(&format!("content/{board}/board.yaml"), "title: A board\n");
        }
        let builder = Some(site.open().0);
        let told = Told::default();
        let clock = 1_700_000_000;
        let mut world =
            World { chance, site, builder, told, clock, old_cache: None, moves: Vec::new(), log: Vec::new(), seed };
        world.build_after_opening();
        world
    }

    /// Notes what is done, for the message of a failure.
    pub fn log(&mut self, line: impl Into<String>) {
        self.log.push(line.into());
    }

    /// The builder.
    pub fn builder(&mut self) -> &mut Builder {
        self.builder.as_mut().expect("the site is open")
    }

    /// The boards that are there.
    pub fn boards(&self) -> Vec<&'static str> {
        BOARDS.into_iter().filter(|board| self.site.path("content").join(board).is_dir()).collect()
    }

    /// The thread files that are there and can be read.
    pub fn threads(&self) -> Vec<ThreadKey> {
        let mut threads = Vec::new();
        for board in self.boards() {
            for entry in fs::read_dir(self.site.path("content").join(board)).unwrap() {
                let key = content::key_of(self.site.root(), &entry.unwrap().path());
                threads.extend(key.filter(|key| self.read(key).is_some()));
            }
        }
        threads.sort();
        threads
    }

    /// A thread as its file has it.
    pub fn read(&self, key: &ThreadKey) -> Option<Thread> {
        content::read_thread(self.site.root(), key).ok()
    }

    /// Writes a thread's file, and tells the builder.
    pub fn write(&mut self, key: &ThreadKey, bytes: &[u8]) {
        fs::write(content::path_of(self.site.root(), key), bytes).unwrap();
        self.told.threads.insert(key.clone());
    }

    /// The highest number of a board.
    pub fn highest(&self, board: &str) -> u64 {
        let of_board = self.threads().into_iter().filter(|key| key.board.as_str() == board);
        let numbers = of_board.filter_map(|key| self.read(&key)).flat_map(|thread| thread.posts);
        numbers.map(|post| post.no.get()).max().unwrap_or(0)
    }

    /// The time of the next post; now and then the same as the last one's, or earlier.
    pub fn next_time(&mut self) -> chrono::DateTime<chrono::Utc> {
        self.clock += [0, -50, 10, 60, 60, 3_600][self.chance.below(6)];
        chrono::DateTime::from_timestamp(self.clock, 0).unwrap()
    }

    /// Tells the builder what changed and lets it publish, then looks at the pages.
    pub fn publish(&mut self) {
        let told = std::mem::take(&mut self.told);
        let mut report = Report::default();
        if told.settings {
            self.builder().reload(&mut report).unwrap();
        }
        // In `serve` a change of a board's folder is a look at all threads too.
        match told.settings || self.chance.of(1, 6) {
            true => self.builder().take_all(&mut report).unwrap(),
            false => self.builder().take(&told.threads, &mut report),
        }
        self.builder().notice_loss().unwrap();
        let report = publish(self.builder());
        self.log(format!("publish: {} written, removed {:?}", report.written.len(), report.removed));
        assert!(report.problems.is_empty(), "{:?}\n{}", report.problems, self.story());
        assert!(!self.builder().is_due(), "something is still due\n{}", self.story());
        let wrong = wrong_siblings(&self.site.path("public"));
        assert!(wrong.is_empty(), "{wrong:?} are not what stands beside them\n{}", self.story());
        self.look_for_dead_links();
    }

    /// What a start does: finds what changed, and builds it.
    pub fn build_after_opening(&mut self) {
        let mut report = Report::default();
        self.told = Told::default();
        self.builder().build(Manner::Incremental, &quiet(), &mut report).unwrap();
        self.log(format!("build: {} written, removed {:?}", report.written.len(), report.removed));
        self.look_for_dead_links();
    }

    fn look_for_dead_links(&self) {
        let prefix = self.builder.as_ref().expect("the site is open").prefix();
        let dead = dead_links(&self.site.path("public"), &prefix);
        assert!(dead.is_empty(), "dead links: {dead:#?}\n{}", self.story());
    }

    /// Builds the same content elsewhere from nothing, and compares.
    pub fn compare_with_clean(&mut self) {
        let clean = Sandbox::empty();
        for folder in ["content", "themes"].into_iter().filter(|folder| self.site.path(folder).is_dir()) {
            copy_folder(&self.site.path(folder), &clean.path(folder));
        }
        clean.build_in(Manner::Clean);
        let (mut there, wanted) = (files_below(&self.site.path("public")), files_below(&clean.path("public")));
        for (path, bytes) in there.iter().filter(|(path, _)| path.ends_with(".json")) {
            let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(bytes);
            assert!(parsed.is_ok(), "{path} is no JSON: {parsed:?}\n{}", self.story());
        }
        // Old assets stay for a day, and nothing but these.
        let old = std::fs::read_to_string(self.site.path(".nejiboard/old-assets")).unwrap_or_default();
        for path in old.lines().filter_map(|line| line.split_once(' ')).map(|(_, path)| path) {
            assert!(there.remove(path).is_some() && !wanted.contains_key(path), "{path} is no old asset: {old}");
            for ending in [".gz", ".br"] {
                there.remove(&format!("{path}{ending}"));
            }
        }
        let differs = |path: &&String| there.get(*path) != wanted.get(*path);
        let paths: BTreeSet<&String> = there.keys().chain(wanted.keys()).collect();
        let differing: Vec<&&String> = paths.iter().filter(|path| differs(path)).collect();
        if let Some(first) = differing.first() {
            let text = |files: &BTreeMap<String, Vec<u8>>| {
                files.get(**first).map_or("(no such file)".into(), |bytes| String::from_utf8_lossy(bytes).into_owned())
            };
            let difference = first_difference(&text(&there), &text(&wanted));
            panic!("{differing:?} differ from a clean build\n{first}: {difference}\n{}", self.story());
        }
    }

    fn story(&self) -> String {
        format!("seed {}:\n  {}", self.seed, self.log.join("\n  "))
    }
}

/// Settings of a small site, so that a few threads fill its pages.
pub fn site_settings(chance: &mut Chance) -> String {
    let prefix = chance.one_of(&["/", "/boards/", "https://example.org/x/"]);
    let packed = chance.one_of(&["", "", "", "", "", "", "gzip", "[brotli, gzip]"]);
    let formats = chance.one_of(&["[json, feeds]", "[json, feeds, 2ch, vichan]", "json", "none", "vichan", "2ch"]);
    format!(
        "title: Site {}\nbase_url: {prefix}\nformats: {formats}\noverboard_threads: {}\nprecompress: {packed}\nhome_threads: {}\npublic_log: {}\ndefaults:\n  threads_per_page: {}\n  index_pages: {}\n  \
         bump_limit: {}\n  replies_previewed: {}\n",
        chance.below(3),
        chance.one_of(&[0, 1, 3, 100]),
        chance.below(4),
        chance.of(1, 2),
        chance.one_of(&[1, 1, 2, 3]),
        chance.one_of(&[0, 1, 1, 2, 3]),
        chance.below(4),
        chance.below(3),
    )
}

/// The first lines in which two texts differ.
fn first_difference(there: &str, wanted: &str) -> String {
    let (there, wanted): (Vec<&str>, Vec<&str>) = (there.lines().collect(), wanted.lines().collect());
    let at = (0..).find(|at| there.get(*at) != wanted.get(*at) || there.len() <= *at).unwrap_or(0);
    let show = |lines: &[&str]| lines.get(at).copied().unwrap_or("(the end)").to_owned();
    format!("line {}\n  there:  {}\n  wanted: {}", at + 1, show(&there), show(&wanted))
}

/// A key for names that are known to be good.
pub fn thread_key(board: &str, no: PostNo) -> ThreadKey {
    ThreadKey { board: BoardSlug::parse(board).unwrap(), no }
}
