//! How far a command is, for those who watch: a bar on a terminal, plain lines elsewhere, nothing before a second has
//! passed.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::pulse::{Part, Pulses};

/// Progress is shown only of what takes longer than this.
const QUIET: Duration = Duration::from_secs(1);

/// Plain lines come this far apart.
const LINE_EVERY_MS: u64 = 2_000;

/// Counts steps from any thread.
pub struct Progress {
    began: Instant,
    manner: Manner,
    stage: Mutex<&'static str>,
    done: AtomicUsize,
    expected: AtomicUsize,
    next_line_ms: AtomicU64,
    bar: Mutex<Option<ProgressBar>>,
    pulses: Option<Pulses>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Silent,
    Bar,
    Lines,
}

impl Progress {
    /// Shows progress on standard error, unless `quiet`.
    pub fn new(quiet: bool) -> Progress {
        let manner = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Manner::Silent,
            (false, true) => Manner::Bar,
            (false, false) => Manner::Lines,
        };
        Progress {
            began: Instant::now(),
            manner,
            stage: Mutex::new(""),
            done: AtomicUsize::new(0),
            expected: AtomicUsize::new(0),
            next_line_ms: AtomicU64::new(QUIET.as_millis() as u64),
            bar: Mutex::new(None),
            pulses: None,
        }
    }

    /// Shows nothing, but each step is a sign of life of the builder.
    pub fn beating(pulses: &Pulses) -> Progress {
        Progress { pulses: Some(pulses.clone()), ..Progress::new(true) }
    }

    /// Begins a stage.
    pub fn stage(&self, name: &'static str) {
        if let Ok(mut stage) = self.stage.lock() {
            *stage = name;
        }
        self.done.store(0, Ordering::Relaxed);
        self.expected.store(0, Ordering::Relaxed);
    }

    /// Tells how many steps the stage has.
    pub fn expect(&self, steps: usize) {
        self.expected.store(steps, Ordering::Relaxed);
    }

    /// One step is done.
    pub fn tick(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(pulses) = &self.pulses {
            pulses.beat(Part::Builder);
        }
        // The clock is dearer than a step.
        if self.manner == Manner::Silent || !done.is_multiple_of(64) || self.began.elapsed() < QUIET {
            return;
        }
        match self.manner {
            Manner::Bar => self.draw_bar(done),
            _ => self.print_line(done),
        }
    }

    /// So many of `expected` bytes are done, 0 if that is not known, and this is what has come of them.
    pub fn show(&self, done: u64, expected: u64, come: impl FnOnce() -> String) {
        let calls = self.done.fetch_add(1, Ordering::Relaxed);
        if self.manner == Manner::Silent || !calls.is_multiple_of(16) || self.began.elapsed() < QUIET {
            return;
        }
        match self.manner {
            Manner::Bar => self.draw_bytes(done, expected, come()),
            _ if self.is_time_for_a_line() => {
                let stage = self.stage.lock().map_or("", |stage| *stage);
                // Sources that grow, or that are read from compressed forms, may come to more.
                match expected.max(done) {
                    _ if expected == 0 => eprintln!("{stage}: {}", come()),
                    all => {
                        let megabytes = |bytes: u64| bytes as f64 / 1e6;
                        eprintln!("{stage}: {}, {:.1} of {:.1} MB", come(), megabytes(done), megabytes(all));
                    }
                }
            }
            _ => {}
        }
    }

    fn draw_bytes(&self, done: u64, expected: u64, come: String) {
        let Ok(mut bar) = self.bar.try_lock() else { return };
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {eta}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        bar.set_message(come);
        bar.set_length(expected.max(done));
        bar.set_position(done);
    }

    fn draw_bar(&self, done: usize) {
        let Ok(mut bar) = self.bar.try_lock() else { return };
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let stage = self.stage.lock().map_or("", |stage| *stage);
        bar.set_message(stage);
        bar.set_length(self.expected.load(Ordering::Relaxed).max(done) as u64);
        bar.set_position(done as u64);
    }

    /// Whether a line is due; who asks first prints it.
    fn is_time_for_a_line(&self) -> bool {
        let elapsed = self.began.elapsed().as_millis() as u64;
        let next = self.next_line_ms.load(Ordering::Relaxed);
        let due = elapsed + LINE_EVERY_MS;
        next <= elapsed && self.next_line_ms.compare_exchange(next, due, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn print_line(&self, done: usize) {
        if self.is_time_for_a_line() {
            let stage = self.stage.lock().map_or("", |stage| *stage);
            match self.expected.load(Ordering::Relaxed) {
                0 => eprintln!("{stage}: {done}"),
                expected => eprintln!("{stage}: {done} of {expected}"),
            }
        }
    }

    /// The steps of this stage that are done.
    pub fn steps(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Ok(mut bar) = self.bar.lock()
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }

    /// Seconds since the command began.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}
