//! How the program is: what each part last told of itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pulse::Pulses;
use crate::metrics::{Metrics, Place};
use crate::model::{Report, Trouble};

/// What a program tells of itself, shared by all its parts.
#[derive(Clone, Default, Debug)]
pub struct Vitals {
    /// The figures.
    pub metrics: Arc<Metrics>,
    /// What is not as it should be.
    pub condition: Condition,
    /// Signs of life.
    pub pulses: Pulses,
}

impl Vitals {
    /// Adds what a round came to.
    pub fn count(&self, report: &Report) {
        self.metrics.pages_written.inc_by(report.written.len() as u64);
        self.metrics.pages_removed.inc_by(report.removed.len() as u64);
        (0..report.panics).for_each(|_| self.metrics.panicked(Place::Thread));
    }
}

/// What is wrong with each part, shared by all of them.
#[derive(Clone, Default, Debug)]
pub struct Condition(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Condition {
    /// Notes that a part is in trouble, or is no more.
    pub fn note(&self, part: &'static str, trouble: Option<String>) {
        match trouble {
            Some(text) => drop(self.parts().insert(part, text)),
            None => drop(self.parts().remove(part)),
        }
    }

    /// All troubles, in the order of the parts' names.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.parts().iter().map(|(part, text)| Trouble { part, text: text.clone() }).collect()
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        // Nothing under this lock panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
