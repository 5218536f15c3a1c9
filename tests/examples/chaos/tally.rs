//! Counts of all clients.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::abort::{Leaving, Place};

/// Most wrong responses that are kept.
const KEPT: usize = 10;

/// What all clients have seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Durations of the exchanges of well-behaved clients with small messages.
    pub(crate) durations: Vec<Duration>,
    /// Right responses to large messages.
    pub(crate) large: u64,
    /// Responses with a 503.
    pub(crate) refused: u64,
    /// Kept connections that the host closed instead of a response: they made room for others.
    pub(crate) closed_kept: u64,
    /// New connections that the host closed instead of a response, for the same reason.
    pub(crate) closed_new: u64,
    /// Responses that are neither right nor a 503.
    pub(crate) wrong: u64,
    /// What is wrong with the first of them.
    pub(crate) reasons: Vec<String>,
    /// Exchanges that their client aborted.
    pub(crate) aborted: BTreeMap<(Place, Leaving), u64>,
    /// Requests that were sent slowly.
    pub(crate) slow: u64,
    /// Responses for which there was no window.
    pub(crate) windows: u64,
    /// Connections without a request.
    pub(crate) connections: u64,
}

impl Tally {
    /// Number of right responses.
    pub(crate) fn right(&self) -> u64 {
        self.durations.len() as u64 + self.large
    }

    /// A percentile, in thousandths, of the durations.
    pub(crate) fn percentile(&self, per_mille: usize) -> Option<Duration> {
        let mut durations = self.durations.clone();
        durations.sort();
        let last = durations.len().checked_sub(1)?;
        durations.get(last * per_mille / 1000).copied()
    }

    /// Counts a wrong response.
    pub(crate) fn add_wrong(&mut self, reason: String) {
        self.wrong += 1;
        if self.reasons.len() < KEPT {
            self.reasons.push(reason);
        }
    }
}

/// The tally that all clients share.
#[derive(Debug, Default)]
pub(crate) struct Tallies(Mutex<Tally>);

impl Tallies {
    /// Locks the tally.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes everything counted so far.
    pub(crate) fn take(&self) -> Tally {
        std::mem::take(&mut self.lock())
    }
}
