//! What a running program tells of itself: `/healthz` for everybody, `/metrics` on a door of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use nejiboard::model::Trouble;
use nejiboard::model::settings::BaseUrl;

use super::door::setup::{Fake, Quiet};
use super::sandbox::running::{Reply, Running, get, wait_until};
use super::sandbox::{Sandbox, files_below};

const SITE: &str = "
==> content/tech/1.md
--- {no: 1, at: 2025-03-02}
first
";

/// A server with both doors, and where the second is.
pub fn start(site: &Sandbox) -> (Running, SocketAddr) {
    let running = Running::start_with(site.root(), &["--monitor", "127.0.0.1:0"]);
    wait_until("the second door is told", || running.told().contains("monitoring at"));
    let told = running.told();
    let address = told.split("monitoring at http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    (running, address.parse().unwrap())
}

/// The figures by name and labels. Fails where the text breaks the rules of OpenMetrics.
fn figures(address: SocketAddr) -> BTreeMap<String, f64> {
    let reply: Reply = get(address, "/metrics");
    assert_eq!(reply.status, 200);
    assert!(reply.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(reply.body.ends_with("# EOF\n"), "{}", reply.body);
    let mut types: Vec<&str> = Vec::new();
    let mut figures = BTreeMap::new();
    for line in reply.body.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split(' ').next().unwrap();
            assert!(!types.contains(&name), "{name} is told twice");
            types.push(name);
        }
        if line.starts_with('#') {
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        let last = types.last().unwrap();
        assert!(name.starts_with(last), "{name} stands below {last}");
        assert!(figures.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{name} stands there twice");
    }
    figures
}

#[test]
fn posts_pages_and_files_are_counted() {
    let site = Sandbox::new(SITE);
    let (running, monitor) = start(&site);
    // The first round after the start looks at everything and writes nothing.
    wait_until("the page is there", || running.get("/tech/thread/1.html").status == 200);
    let before = figures(monitor);
    assert_eq!(running.post(&[("board", "tech"), ("thread", "1"), ("body", "a reply")]).status, 303);
    assert_eq!(running.post(&[("board", "tech"), ("thread", "1"), ("body", " ")]).status, 422);
    assert_eq!(running.post(&[("board", "none"), ("body", "text")]).status, 404);
    // They are noted after the poster was told.
    wait_until("the round is noted", || {
        figures(monitor)["nejiboard_build_seconds_count"] != before["nejiboard_build_seconds_count"]
    });
    let after = figures(monitor);
    let rise = |name: &str| after[name] - before.get(name).copied().unwrap_or_default();
    assert_eq!(rise("nejiboard_posts_accepted_total"), 1.0);
    assert_eq!(rise("nejiboard_posts_built_total"), 1.0);
    assert_eq!(rise("nejiboard_posts_refused_total{reason=\"empty\"}"), 1.0);
    assert_eq!(rise("nejiboard_posts_refused_total{reason=\"no_such_board\"}"), 1.0);
    assert_eq!(rise("nejiboard_build_seconds_count"), 1.0);
    assert!(0.0 < rise("nejiboard_build_seconds_sum"));
    // The thread's page, the index and the catalog, each also as JSON, the list of threads and the home page; besides
    // them the inbox file, the thread's own file and the list for a CDN.
    assert_eq!(rise("nejiboard_pages_written_total"), 8.0);
    assert_eq!(rise("nejiboard_files_written_total"), 11.0);
    assert_eq!(rise("nejiboard_files_read_total"), 1.0);
    assert!(1_000.0 < rise("nejiboard_file_bytes_written_total"));
    assert_eq!(rise("nejiboard_answers_total{class=\"3xx\"}"), 1.0);
    assert_eq!(rise("nejiboard_answers_total{class=\"4xx\"}"), 2.0);
    assert_eq!(after["nejiboard_posts_waiting"], 0.0);
    assert_eq!(after["nejiboard_pages_due"], 0.0);
    assert_eq!(after["nejiboard_panics_total{place=\"builder\"}"], 0.0);
    assert!(1.0 <= after["nejiboard_connections"], "this one at least");
    assert!(1e6 < after["process_resident_memory_bytes"]);
    assert!(3.0 <= after["process_open_fds"]);
}

#[test]
fn packing_and_the_hook_are_counted() {
    let site = Sandbox::new(SITE);
    site.write(
        "content/site.yaml",
        "title: T\nbase_url: https://example.org/\nprecompress: gzip\non_change: [/bin/sh, hook]\n",
    );
    site.write("hook", "cat >last.txt; test ! -e fail");
    let (running, monitor) = start(&site);
    let packed = || files_below(&site.path("public")).keys().filter(|path| path.ends_with(".gz")).count() as f64;
    wait_until("pages wait", || 0.0 < figures(monitor)["nejiboard_packing_waiting"]);
    wait_until("all is packed and told", || {
        let now = figures(monitor);
        now["nejiboard_packing_waiting"] == 0.0
            && now["nejiboard_files_packed_total"] == packed()
            && now["nejiboard_hook_runs_total"] == 1.0
            && now["nejiboard_hook_waiting_bytes"] == 0.0
    });
    assert!(3.0 < packed());
    assert_eq!(figures(monitor)["nejiboard_hook_failures_total"], 0.0);
    site.write("fail", "");
    assert_eq!(running.post(&[("board", "tech"), ("thread", "1"), ("body", "a reply")]).status, 303);
    wait_until("it has failed", || 2.0 <= figures(monitor)["nejiboard_hook_failures_total"]);
    let urls = site.read("last.txt");
    assert_eq!(figures(monitor)["nejiboard_hook_waiting_bytes"], urls.len() as f64, "{urls}");
    site.remove("fail");
    wait_until("it is told", || figures(monitor)["nejiboard_hook_waiting_bytes"] == 0.0);
    let now = figures(monitor);
    assert_eq!(now["nejiboard_hook_runs_total"], 2.0 + now["nejiboard_hook_failures_total"]);
}

#[test]
fn the_sites_own_door_tells_no_figures() {
    let site = Sandbox::new(SITE);
    let (running, monitor) = start(&site);
    assert_eq!(running.get("/metrics").status, 404);
    assert_eq!(running.get("/healthz").status, 200);
    assert_eq!(get(monitor, "/tech/thread/1.html").status, 404);
    assert_eq!(get(monitor, "/").status, 404);
}

#[test]
fn a_mistake_in_the_settings_is_a_trouble_until_it_is_mended() {
    let site = Sandbox::new(SITE);
    let (running, monitor) = start(&site);
    let health = |address| serde_json::from_str::<serde_json::Value>(&get(address, "/healthz").body).unwrap();
    assert_eq!(health(monitor), serde_json::json!({ "status": "ready", "troubles": [] }));
    site.write("content/site.yaml", "titel: Test site\n");
    wait_until("it is degraded", || health(monitor)["status"] == "degraded");
    let trouble = &health(monitor)["troubles"][0];
    assert_eq!(trouble["part"], "settings");
    assert!(trouble["text"].as_str().unwrap().contains("titel"), "{trouble}");
    let everybody = serde_json::json!({ "status": "degraded", "troubles": [{ "part": "settings" }] });
    assert_eq!(health(running.address), everybody);
    assert_eq!(running.get("/tech/thread/1.html").status, 200);
    site.write("content/site.yaml", "title: Test site\n");
    wait_until("it is ready again", || health(monitor)["status"] == "ready");
}

#[test]
fn a_page_that_cannot_be_written_is_a_trouble() {
    let site = Sandbox::new(SITE);
    site.build();
    let (running, monitor) = start(&site);
    // A folder that is not empty cannot be written over.
    site.remove("public/tech/catalog.html");
    site.write("public/tech/catalog.html/in the way", "");
    assert_eq!(running.post(&[("board", "tech"), ("thread", "1"), ("body", "a reply")]).status, 303);
    wait_until("it is degraded", || get(monitor, "/healthz").body.contains("\"pages\""));
    assert_eq!(figures(monitor)["nejiboard_pages_due"], 1.0);
    std::fs::remove_dir_all(site.path("public/tech/catalog.html")).unwrap();
    wait_until("it is ready again", || get(monitor, "/healthz").body.contains("ready"));
    assert_eq!(figures(monitor)["nejiboard_pages_due"], 0.0);
}

#[test]
fn a_panic_is_counted_where_it_happened() {
    let quiet = Quiet::new(Fake { outcome: super::door::setup::Outcome::Panic, ..Fake::default() });
    assert_eq!(quiet.post("board=tech&thread=1&body=hello").status, 500);
    let text = quiet.backend.metrics.text().unwrap();
    assert!(text.contains("nejiboard_panics_total{place=\"request\"} 1\n"), "{text}");
}

#[test]
fn the_way_to_healthz_is_below_the_prefix_too() {
    let trouble = Trouble { part: "pages", text: "secret paths".to_owned() };
    let mut fake = Fake { troubles: vec![trouble], ..Fake::default() };
    fake.site.base_url = BaseUrl::parse("https://example.org/boards/").unwrap();
    let quiet = Quiet::new(fake);
    for path in ["/healthz", "/boards/healthz"] {
        let answer = quiet.get(path);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
}
