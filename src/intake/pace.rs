//! How long clients may make the door wait, which depends on how many of them there are.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// What all connections are told.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Pace {
    /// There are places enough: each client has its whole time.
    #[default]
    Easy,
    /// There is no place left, so whoever says nothing for so long goes.
    ///
    /// SECURITY: connections that only wait would keep everybody else out for as long as they may, at no cost to whoever
    /// opens them. So they keep their places only while nobody needs these.
    Hurried(Duration),
    /// Somebody else takes connections in from now on: each answer here is the last of its connection.
    Leaving,
    /// The door closes.
    Over,
}

impl Pace {
    /// Whether nobody should stay to be idle.
    pub(super) fn is_hurried(self) -> bool {
        self != Pace::Easy
    }

    /// Whether whoever keeps the door waiting goes.
    pub(super) fn presses(self) -> bool {
        matches!(self, Pace::Hurried(_) | Pace::Over)
    }

    /// A way to be told, also of the pace that there is now.
    pub(super) fn heard(pace: &watch::Sender<Pace>) -> watch::Receiver<Pace> {
        let mut pace = pace.subscribe();
        pace.mark_changed();
        pace
    }

    /// The next pace that presses, be it there already or not; each once.
    pub(super) async fn faster(pace: &mut watch::Receiver<Pace>) -> Pace {
        loop {
            // An error means that whoever could tell is gone, which comes to the same.
            if pace.changed().await.is_err() {
                return Pace::Over;
            }
            let told = *pace.borrow_and_update();
            if told.presses() {
                return told;
            }
        }
    }

    /// Resolves once the door has been in a hurry for so long.
    pub(super) async fn hurried(pace: &watch::Receiver<Pace>, time: Duration) {
        let mut pace = pace.clone();
        let _ = pace.wait_for(|pace| pace.presses()).await;
        sleep(time).await;
    }
}
