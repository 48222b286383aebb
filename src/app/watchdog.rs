//! Ends a process that is stuck, or lets the service manager end it.
//!
//! A process that neither works nor ends is worse than one that has ended, for nobody starts it again. Nothing is lost
//! with it: what was accepted is in the inbox.

use std::time::Duration;

use tracing::error;

use super::faults;
use super::manager;
use super::pulse::{Part, Pulses, Stuck};

/// How often it looks at the least.
const LOOK_EVERY_MAX: Duration = Duration::from_secs(1);

/// Begins to watch, if anybody wants it: the service manager, or whoever started the program with `--watchdog`.
///
/// The manager hears a sign of life as long as all parts get on; if one has not for half of the manager's patience, it
/// hears none any more. `limit` is when the process ends itself.
pub fn begin(pulses: &Pulses, limit: Option<Duration>) -> std::io::Result<()> {
    let patience = manager::patience();
    let Some(shortest) = limit.into_iter().chain(patience).min() else { return Ok(()) };
    let (pulses, every) = (pulses.clone(), (shortest / 4).min(LOOK_EVERY_MAX));
    let watch = move || {
        let mut told = false;
        loop {
            std::thread::sleep(every);
            if let Some(stuck) = limit.and_then(|limit| pulses.stuck(limit)) {
                tell(stuck, "ending the process");
                std::process::abort();
            }
            match patience.and_then(|patience| pulses.stuck(patience / 2)) {
                Some(stuck) if !told => {
                    tell(stuck, "leaving it to the service manager");
                    told = true;
                }
                Some(_) => {}
                None => {
                    told = false;
                    manager::alive();
                }
            }
        }
    };
    std::thread::Builder::new().name("watchdog".to_owned()).spawn(watch).map(drop)
}

fn tell(Stuck { part, time }: Stuck, consequence: &str) {
    error!("the {} has been stuck for {} seconds; {consequence}", part.name(), time.as_secs());
}

/// How often the door shows that it is alive.
const DOOR_BEATS_EVERY: Duration = Duration::from_millis(500);

/// The pulse of the door: goes on as long as its runtime runs anything.
pub async fn beat_of_the_door(pulses: Pulses) {
    loop {
        faults::strike("door");
        pulses.beat(Part::Door);
        tokio::time::sleep(DOOR_BEATS_EVERY).await;
    }
}
