//! The caller's two functions, and what went through them.

use std::path::Path;

use super::{Address, ImportError, Imported, Report, Stats, Take};
use crate::model::Problem;

/// Problems reported of one source; one more tells how many there were beyond.
const PROBLEMS_MAX: u64 = 200;

/// What an importer hands its values to.
pub(super) struct Sink<'a> {
    take: Take<'a>,
    report: Report<'a>,
    /// What the import came to so far.
    pub stats: Stats,
    problems: u64,
}

impl<'a> Sink<'a> {
    /// Hands on to these.
    pub fn new(take: Take<'a>, report: Report<'a>) -> Sink<'a> {
        Sink { take, report, stats: Stats::default(), problems: 0 }
    }

    /// Hands on.
    pub fn take(&mut self, imported: Imported) -> Result<(), ImportError> {
        self.stats.note(&imported);
        (self.take)(imported).map_err(ImportError::Take)
    }

    /// Tells that an address of the source leads elsewhere now. What it leads to was handed on before.
    pub fn moved(&mut self, from: String, to: Address) -> Result<(), ImportError> {
        self.take(Imported::Moved { from, to })
    }

    /// Tells that so many more bytes of the sources are read.
    pub fn read(&mut self, bytes: u64) -> Result<(), ImportError> {
        self.take(Imported::Read(bytes))
    }

    /// Reports, unless this source has had its share: a file that is something else altogether has a problem a line.
    pub fn problem(&mut self, problem: Problem) {
        self.problems += 1;
        if self.problems <= PROBLEMS_MAX {
            (self.report)(problem);
        }
    }

    /// Ends a source: tells of the problems that were not reported one by one.
    pub fn end_of(&mut self, path: &Path) {
        let beyond = self.problems.saturating_sub(PROBLEMS_MAX);
        if 0 < beyond {
            (self.report)(Problem::new(path, format!("{beyond} more problems of this kind")));
        }
        self.problems = 0;
    }
}
