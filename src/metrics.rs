//! The figures that a running `serve` keeps of itself, and their text for Prometheus.
//!
//! Rooms count where things happen, from any thread; nothing here decides anything. The text is OpenMetrics 1.0, which
//! Prometheus and most of its kind read. What the system or the disk helpers count already is looked up when somebody
//! asks.

use std::fmt::Error as NoText;
use std::fs;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::disk::Counts;

/// A label with its value.
type Label = [(&'static str, &'static str); 1];

/// The classes of HTTP statuses.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Where a panic can happen that is survived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A request was answered.
    Request,
    /// Posts were made durable.
    Committer,
    /// A round of the builder.
    Builder,
    /// A thread's file was read.
    Thread,
    /// A page was drawn.
    Page,
    /// A page was packed.
    Packer,
}

impl Place {
    const ALL: [Place; 6] =
        [Place::Request, Place::Committer, Place::Builder, Place::Thread, Place::Page, Place::Packer];

    fn name(self) -> &'static str {
        match self {
            Place::Request => "request",
            Place::Committer => "committer",
            Place::Builder => "builder",
            Place::Thread => "thread",
            Place::Page => "page",
            Place::Packer => "packer",
        }
    }
}

/// All figures. Counters never fall while the process lives.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Connections that are open now.
    pub connections: Gauge,
    /// Connections that were taken in.
    pub connections_taken: Counter,
    /// Connections that were turned away since their address had enough.
    pub connections_turned_away: Counter,
    answers: [Counter; 5],
    /// Posts that are durable.
    pub posts_accepted: Counter,
    posts_refused: Family<Label, Counter>,
    filter_hits: Family<[(&'static str, String); 1], Counter>,
    /// Posts that are durable and wait for the builder.
    pub posts_waiting: Gauge,
    /// Posts that the builder has put into their threads.
    pub posts_built: Counter,
    build_seconds: Histogram,
    /// Pages that were written.
    pub pages_written: Counter,
    /// Pages that were removed.
    pub pages_removed: Counter,
    /// Pages that are not as they should be, since they could not be drawn or written.
    pub pages_due: Gauge,
    /// Rounds that could not do all they should.
    pub rounds_failed: Counter,
    panics: Family<Label, Counter>,
    /// Packed siblings that were put beside their pages.
    pub files_packed: Counter,
    /// Pages that wait to be packed.
    pub packing_waiting: Gauge,
    /// How often the operator's command was called.
    pub hook_runs: Counter,
    /// How often it could not be told what changed.
    pub hook_failures: Counter,
    /// What it is still to be told, in bytes of URLs.
    pub hook_waiting_bytes: Gauge,
    disk: [Counter; 3],
    memory: Gauge,
    files: Gauge,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut registry = Registry::default();
        let ours = registry.sub_registry_with_prefix("nejiboard");
        let build_seconds = Histogram::new(exponential_buckets(0.000_5, 2.0, 16));
        ours.register_with_unit("build", "Time of a round that built something", Unit::Seconds, build_seconds.clone());
        let posts_refused = family(ours, "posts_refused", "Posts that were refused, by reason");
        let filter_hits = Family::default();
        ours.register("filter_hits", "Posts in which a filter found something, by filter", filter_hits.clone());
        let panics = family(ours, "panics", "Panics that were survived, by place");
        // So that a first panic is seen as a rise from nought.
        for place in Place::ALL {
            drop(panics.get_or_create(&[("place", place.name())]));
        }
        let answers = family(ours, "answers", "HTTP answers, by class of status");
        let answers = CLASSES.map(|class| answers.get_or_create(&[("class", class)]).clone());
        Metrics {
            connections: gauge(ours, "connections", "Connections that are open"),
            connections_taken: counter(ours, "connections_taken", "Connections that were taken in"),
            connections_turned_away: counter(
                ours,
                "connections_turned_away",
                "Connections that were closed at once since their address had enough",
            ),
            answers,
            posts_accepted: counter(ours, "posts_accepted", "Posts that are durable"),
            posts_refused,
            filter_hits,
            posts_waiting: gauge(
                ours,
                "posts_waiting",
                "Posts that are durable and wait for the builder; long ones count for several",
            ),
            posts_built: counter(ours, "posts_built", "Posts that the builder has put into their threads"),
            build_seconds,
            pages_written: counter(ours, "pages_written", "Pages that were written"),
            pages_removed: counter(ours, "pages_removed", "Pages that were removed"),
            pages_due: gauge(ours, "pages_due", "Pages that are not as they should be"),
            rounds_failed: counter(ours, "rounds_failed", "Rounds that could not do all they should"),
            panics,
            files_packed: counter(ours, "files_packed", "Packed siblings that were put beside their pages"),
            packing_waiting: gauge(ours, "packing_waiting", "Pages that wait to be packed"),
            hook_runs: counter(ours, "hook_runs", "Calls of `on_change`"),
            hook_failures: counter(ours, "hook_failures", "Times that `on_change` could not be told what changed"),
            hook_waiting_bytes: gauge(
                ours,
                "hook_waiting_bytes",
                "Bytes of the URLs that `on_change` is still to be told",
            ),
            disk: [
                counter(ours, "files_read", "Files that were read whole"),
                counter(ours, "files_written", "Files that were written"),
                counter(ours, "file_bytes_written", "Bytes of the files that were written"),
            ],
            // The names by which every process is known to Prometheus.
            memory: gauge(&mut registry, "process_resident_memory_bytes", "Memory that the process takes"),
            files: gauge(&mut registry, "process_open_fds", "Files that the process has open"),
            registry,
        }
    }
}

impl Metrics {
    /// Counts an answer by its status.
    pub fn answered(&self, status: u16) {
        if let Some(counter) = usize::from(status / 100).checked_sub(1).and_then(|class| self.answers.get(class)) {
            counter.inc();
        }
    }

    /// Counts a post that was refused; the reason is the refusal's code.
    pub fn refused(&self, reason: &'static str) {
        self.posts_refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts a post in which a filter found something.
    pub fn filter_hit(&self, name: &str) {
        self.filter_hits.get_or_create(&[("filter", name.to_owned())]).inc();
    }

    /// Forgets the filters that there were, so that they are no more than there can be.
    pub fn filters_changed(&self) {
        self.filter_hits.clear();
    }

    /// Counts a panic that was survived.
    pub fn panicked(&self, place: Place) {
        self.panics.get_or_create(&[("place", place.name())]).inc();
    }

    /// Notes how long a round took that built something.
    pub fn built(&self, time: Duration) {
        self.build_seconds.observe(time.as_secs_f64());
    }

    /// All figures as text.
    pub fn text(&self) -> Result<String, NoText> {
        let asked = Counts::so_far();
        for (counter, so_far) in self.disk.iter().zip([asked.files_read, asked.files_written, asked.bytes_written]) {
            counter.inner().store(so_far, std::sync::atomic::Ordering::Relaxed);
        }
        self.memory.set(memory_bytes().unwrap_or(-1));
        self.files.set(open_files().unwrap_or(-1));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

fn family(registry: &mut Registry, name: &str, help: &str) -> Family<Label, Counter> {
    let family = Family::default();
    registry.register(name, help, family.clone());
    family
}

/// What of the process is in memory, as Linux tells it; elsewhere nobody does.
fn memory_bytes() -> Option<i64> {
    let pages = fs::read_to_string("/proc/self/statm").ok()?;
    let resident: i64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(resident * i64::try_from(rustix::param::page_size()).ok()?)
}

fn open_files() -> Option<i64> {
    // The folder itself is one of them while it is listed.
    i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok().map(|files| files - 1)
}
