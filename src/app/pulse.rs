//! Signs of life: each part of a running program says when it began to work and that it gets on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A part without which the program is of no use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// What answers requests.
    Door,
    /// What makes posts durable.
    Committer,
    /// What puts posts into their threads and draws pages, or looks on while another process does.
    Builder,
}

impl Part {
    const ALL: [Part; 3] = [Part::Door, Part::Committer, Part::Builder];

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Part::Door => "door",
            Part::Committer => "committer",
            Part::Builder => "builder",
        }
    }
}

/// A part that is at work and does not get on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stuck {
    /// Which.
    pub part: Part,
    /// For how long.
    pub time: Duration,
}

/// The pulses of all parts. A part without work has none, and needs none.
#[derive(Clone, Debug)]
pub struct Pulses {
    began: Instant,
    /// For each part, milliseconds since `began` at its last beat; 0 while it rests.
    beats: Arc<[AtomicU64; 3]>,
}

impl Default for Pulses {
    fn default() -> Pulses {
        Pulses { began: Instant::now(), beats: Arc::default() }
    }
}

impl Pulses {
    /// The part is at work, and has got on.
    pub fn beat(&self, part: Part) {
        let now = self.began.elapsed().as_millis() as u64;
        self.beats[part as usize].store(now.max(1), Ordering::Relaxed);
    }

    /// The part has nothing to do.
    pub fn rest(&self, part: Part) {
        self.beats[part as usize].store(0, Ordering::Relaxed);
    }

    /// The first part that has been at work for longer than `limit` without getting on.
    pub fn stuck(&self, limit: Duration) -> Option<Stuck> {
        let now = self.began.elapsed();
        Part::ALL.into_iter().find_map(|part| {
            let beat = self.beats[part as usize].load(Ordering::Relaxed);
            let time = now.saturating_sub(Duration::from_millis(beat));
            (beat != 0 && limit <= time).then_some(Stuck { part, time })
        })
    }
}
