//! What is told to a service manager such as systemd, where there is one that wants to know.

use std::time::Duration;

use sd_notify::NotifyState;

/// The program does what it is for.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The program is about to be replaced by a newer one.
pub fn reloading() {
    let mut states = vec![NotifyState::Reloading, NotifyState::Status("upgrading")];
    states.extend(NotifyState::monotonic_usec_now());
    tell(&states);
}

/// Another process is the program from now on, and ready. Said by the old one, to which the manager listens.
pub fn replaced_by(process: u32) {
    tell(&[NotifyState::MainPid(process), NotifyState::Ready, NotifyState::Status("serving after an upgrade")]);
}

/// The program is about to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// The program is alive.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How long the manager waits for a sign of life; `None` if it does not.
pub fn patience() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}
