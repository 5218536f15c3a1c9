//! What the clients have seen.

use std::collections::BTreeMap;

use crate::abort::{Leaving, Place};

/// How many of the wrong exchanges are kept.
const KEPT: usize = 10;

/// The exchanges of all clients.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Exchanges whose answer was right.
    pub(crate) good: u64,
    /// Exchanges that were aborted, by where and how.
    pub(crate) aborted: BTreeMap<(Place, Leaving), u64>,
    /// Exchanges whose answer was not what it should be, or did not come.
    pub(crate) wrong: u64,
    /// What was wrong with the first of them.
    pub(crate) reasons: Vec<String>,
}

impl Tally {
    /// All exchanges that were aborted.
    pub(crate) fn all_aborted(&self) -> u64 {
        self.aborted.values().sum()
    }

    /// All exchanges.
    pub(crate) fn all(&self) -> u64 {
        self.good + self.all_aborted() + self.wrong
    }

    /// Counts an exchange that went wrong.
    pub(crate) fn add_wrong(&mut self, reason: String) {
        self.wrong += 1;
        if self.reasons.len() < KEPT {
            self.reasons.push(reason);
        }
    }
}
