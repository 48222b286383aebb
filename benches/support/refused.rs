//! What it costs `serve` to refuse a post: the time of processors that a post takes which is too fast, fills in a trap, is
//! filtered, was sent before, comes to a closed door or without its proof of work, each beside one that is taken.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::program::{Server, connect, post_from, processor_time, run};

/// Posts of each kind before they are counted.
const WARM: usize = 500;

/// Nothing is counted that the door would not look at: failures have no limit, and each post comes from another address
/// but where one address is to be too fast.
const SETTINGS: &str =
    "title: Bench\ntrusted_proxies: [127.0.0.1]\nfailures_per_minute: 0\ndefaults:\n  reply_limit: 0\n";

/// A kind of post.
struct Kind {
    name: &'static str,
    /// More settings of the site.
    site: &'static str,
    /// The refusal's code.
    code: &'static str,
    /// What makes it be refused; `#` is another number in each post.
    fields: &'static str,
    /// Whether all come from one address.
    is_one: bool,
}

const TEXT: &str = "body=This+is+what+a+post+looks+like+that+somebody+sends+who+has+nothing+better+to+do%0Athan+to+post+it+again+and+again%2C+with+a+line+or+two+and+a+quote.%0A%3E%3E1+says+so%0AIt+has+some+three+hundred+characters%2C+as+most+posts+have%2C+and+a+number+at+its+end%2C+so+that+each+is+another+one";

const KINDS: [Kind; 8] = [
    Kind { name: "too fast", site: "posts_per_minute: 1\n", code: "too_fast", fields: "+#", is_one: true },
    Kind { name: "a trap is filled in", site: "", code: "spam", fields: "+#&website=x", is_one: false },
    Kind {
        name: "filtered by the last of 100 filters",
        site: "",
        code: "filtered",
        fields: "+#+casino",
        is_one: false,
    },
    Kind { name: "sent before", site: "", code: "duplicate", fields: "", is_one: false },
    Kind { name: "without its proof of work", site: PROOF, code: "proof_needed", fields: "+#", is_one: false },
    Kind {
        name: "with a wrong proof of work",
        site: PROOF,
        code: "proof_needed",
        fields: "+#&proof=6a3b1c2d-17-00112233445566778899aabbccddeeff-1-22-333-4444-55555-666666-7777777-88888888",
        is_one: false,
    },
    Kind { name: "the door is closed", site: "", code: "closed", fields: "+#", is_one: false },
    Kind { name: "(taken)", site: "", code: "", fields: "+#", is_one: false },
];

const PROOF: &str = "  proof_of_work: always\n";

/// Sends so many of each kind, one at a time, and tells what each cost.
pub fn measure(root: &Path, count: usize) {
    let filters: String = (1..100).map(|n| format!("- match: some other shop {n}\n")).collect();
    fs::write(root.join("content/filters.yaml"), filters + "- match: casino\n").expect("the site takes files");
    let board =
        fs::read_dir(root.join("content")).expect("there is content").flatten().find(|entry| entry.path().is_dir());
    let board = board.expect("there is a board").file_name().into_string().expect("boards are ASCII");
    let costs: Vec<(Duration, Duration)> = KINDS.iter().map(|kind| cost(root, &board, kind, count)).collect();
    let (taken, _) = *costs.last().expect("the last kind is taken");
    println!("{:<40} {:>10} {:>10} {:>10}", "a post that is refused", "processor", "/ taken", "answered");
    for (kind, (cost, answered)) in KINDS.iter().zip(&costs) {
        let ratio = cost.as_secs_f64() / taken.as_secs_f64();
        let micros = |time: &Duration| time.as_secs_f64() * 1e6;
        println!("{:<40} {:>7.0} µs {ratio:>10.3} {:>7.0} µs", kind.name, micros(cost), micros(answered));
    }
}

/// The time of processors that one takes, and how long its sender waits.
fn cost(root: &Path, board: &str, kind: &Kind, count: usize) -> (Duration, Duration) {
    // Settings of boards stand at the end of the site's.
    let text =
        if kind.site.starts_with(' ') { SETTINGS.to_owned() + kind.site } else { kind.site.to_owned() + SETTINGS };
    fs::write(root.join("content/site.yaml"), text).expect("the site takes files");
    let posture = if kind.code == "closed" { "closed" } else { "calm" };
    let server = Server::start(root);
    run(root, &["mod", "--by", "bench", "posture", posture]);
    let mut connection = connect(&server.address);
    let mut send = |number: usize| {
        let body = format!("board={board}&nonce={number}&{TEXT}{}", kind.fields.replace('#', &number.to_string()));
        let address = match kind.is_one {
            true => "203.0.113.9".to_owned(),
            false => format!("10.{}.{}.1", number / 250, number % 250),
        };
        // Taken ones answer a thread; new ones would be many.
        let body = if kind.code.is_empty() { format!("{body}&thread={}", first_thread(root, board)) } else { body };
        let answer = post_from(&mut connection, &address, &body);
        let is_so = if kind.code.is_empty() { answer.status == 201 } else { answer.text.contains(kind.code) };
        // The first of those that are too fast or sent before are not.
        assert!(is_so || number < 2, "{}: {} {}", kind.name, answer.status, answer.text);
    };
    let count = if kind.code.is_empty() { count / 20 } else { count };
    (0..WARM).for_each(&mut send);
    let (before, began) = (processor_time(server.id()), Instant::now());
    (WARM..WARM + count).for_each(&mut send);
    let count = u32::try_from(count.max(1)).expect("so many would take for ever");
    (processor_time(server.id()).saturating_sub(before) / count, began.elapsed() / count)
}

fn first_thread(root: &Path, board: &str) -> u64 {
    let files = fs::read_dir(root.join("content").join(board)).expect("the board is there").flatten();
    let numbers = files.filter_map(|file| file.file_name().to_str()?.strip_suffix(".md")?.parse().ok());
    numbers.min().expect("the board has a thread")
}
