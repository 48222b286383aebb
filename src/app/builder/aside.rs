//! A builder that leaves its site to another process for a while.

use super::Builder;
use crate::app::error::Error;
use crate::store::numbers::Numbers;

impl Builder {
    /// Leaves the site to another process.
    pub fn step_aside(&mut self) {
        self.end_side_work();
        self.save();
        self.lock = None;
    }

    /// Takes the site again, of which nothing that is known can be relied on: [`Builder::start_over`] comes next.
    pub fn take_back(&mut self) -> Result<(), Error> {
        self.lock = Some(self.dir.lock()?);
        self.numbers = Numbers::open(self.dir.numbers())?;
        self.begin_side_work()
    }
}
