//! `kill -9` at any moment: what was answered is there, nothing is there twice, no number is left out.

pub mod ledger;
pub mod points;
mod syscalls;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::sandbox::Sandbox;
use super::sandbox::running::Running;
use ledger::{Ledger, Wanted};

/// Clients that send posts at the same time.
const CLIENTS: usize = 8;

/// Nothing here should take longer.
const AT_MOST: Duration = Duration::from_secs(1_800);

/// How much is tried.
#[derive(Clone, Copy)]
struct Plan {
    /// How often the program is killed.
    crashes: usize,
    /// How many posts are sent meanwhile.
    posts: usize,
}

#[test]
fn crashes_at_random_moments_lose_no_post_and_double_none() {
    crash_at_random(Plan { crashes: 12, posts: 400 });
}

/// `scripts/soak crashes` runs this.
#[test]
#[ignore = "it takes minutes"]
fn soak_200_crashes_over_10_000_posts() {
    crash_at_random(Plan { crashes: 200, posts: 10_000 });
}

fn crash_at_random(plan: Plan) {
    // However late the first thread is there: until then each post opens one.
    let board = "threads_per_hour_max: 0\n";
    let site = Sandbox::new(&format!("==> content/a/board.yaml\n{board}==> content/b/board.yaml\n{board}"));
    let door = RwLock::new(None);
    let (ledger, sent, done) = (Mutex::new(Ledger::default()), AtomicUsize::new(0), AtomicBool::new(false));
    let (crashes, slowest) = std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| send_posts(plan, &door, &ledger, &sent, &done));
        }
        // Also if this panics: the others would go on for ever.
        let _done = AtTheEnd(&done);
        crash_and_come_back(plan, site.root(), &door, &ledger)
    });
    let ledger = ledger.into_inner().unwrap();
    assert_eq!(ledger.0.len(), plan.posts);
    ledger.check_site(site.root(), &["a", "b"]);
    println!("{} posts, {crashes} crashes; ready again after {} ms at most", plan.posts, slowest.as_millis());
}

/// Says that something is done, however that ends.
struct AtTheEnd<'a>(&'a AtomicBool);

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Starts the program again and again, and kills it while posts come in; at last lets it end in peace.
fn crash_and_come_back(
    plan: Plan,
    root: &Path,
    door: &RwLock<Option<SocketAddr>>,
    ledger: &Mutex<Ledger>,
) -> (usize, Duration) {
    let began = Instant::now();
    let mut random = Random::seeded();
    let mut slowest = Duration::ZERO;
    for crash in 0.. {
        let starting = Instant::now();
        let running = Running::start(root);
        assert_eq!(running.get("/index.html").status, 200);
        slowest = slowest.max(starting.elapsed());
        *door.write().unwrap() = Some(running.address);
        let answered = || ledger.lock().unwrap().0.len();
        if crash == plan.crashes {
            while answered() < plan.posts {
                assert!(began.elapsed() < AT_MOST, "{} posts answered", answered());
                std::thread::sleep(Duration::from_millis(5));
            }
            assert!(running.terminate().success());
            break;
        }
        // So many posts later, and then a moment that no step of the work is bound to.
        let goal = (crash + 1) * plan.posts / (plan.crashes + 2);
        while answered() < goal {
            assert!(began.elapsed() < AT_MOST, "{} posts answered", answered());
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random.below(15_000)));
        *door.write().unwrap() = None;
        running.kill();
        ledger::check_pages_of_a_dead_program(root);
    }
    (plan.crashes, slowest)
}

/// Numbers that differ from run to run; `NEJIBOARD_SEED` gives those of an earlier one.
struct Random(u64);

impl Random {
    fn seeded() -> Random {
        let given = std::env::var("NEJIBOARD_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
        let seed = given.unwrap_or_else(now);
        println!("NEJIBOARD_SEED={seed}");
        Random(seed)
    }

    /// xorshift64.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Sends posts until all are answered; one that was not answered is sent again, with the same nonce.
fn send_posts(
    plan: Plan,
    door: &RwLock<Option<SocketAddr>>,
    ledger: &Mutex<Ledger>,
    sent: &AtomicUsize,
    done: &AtomicBool,
) {
    loop {
        let nth = sent.fetch_add(1, Ordering::Relaxed);
        if plan.posts <= nth {
            return;
        }
        let nonce = format!("nonce{nth}");
        let board = ["a", "b"][nth % 2];
        // The first posts open threads, and one in twenty later on; number 1 is there once its post was answered.
        let opened = ledger.lock().unwrap().0.values().any(|told| told.board == board && told.no == Some(1));
        let thread = if nth % 20 < 2 || !opened { "" } else { "1" };
        while !done.load(Ordering::Relaxed) {
            let address = *door.read().unwrap();
            // Half of them do not wait for their page: nobody sends those again if they are lost.
            let wanted = if nth % 4 < 2 { Wanted::OnceSafe } else { Wanted::OnceVisible };
            if let Some(told) = address.and_then(|address| ledger::send(address, board, thread, &nonce, wanted)) {
                ledger.lock().unwrap().note(&nonce, told);
                break;
            }
            std::thread::sleep(Duration::from_millis(3));
        }
    }
}
