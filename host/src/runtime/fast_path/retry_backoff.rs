//! The memory of earlier attempts, so that calls which bail out seldom run twice.
//!
//! Each kind of call has a budget of CPU time. A response earns what the fast path saves, and a
//! bailout costs the time that it took. While the budget is overdrawn, calls of this kind skip the
//! fast path; each of them pays a little back, so that the kind is attempted again. A kind therefore
//! stays on the fast path as long as that is cheaper. Its bailouts cost no more than its responses
//! have saved, plus [`REPAID`] for each call.
//!
//! New kinds share a budget until their first attempt. A client that sends a new name with each
//! request overdraws that one, and its bailouts cost no more than [`REPAID_NEW`] for each call.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::call_kind::CallKind;

/// CPU time that a response on the fast path saves, in nanoseconds.
const SAVED: i32 = 25_000;
/// CPU time that a skipped call pays back, in nanoseconds.
const REPAID: i32 = 250;
/// The same for a call of a new kind, so that the kind is soon attempted.
const REPAID_NEW: i32 = 10 * REPAID;
/// Largest credit, in nanoseconds. It limits what is lost when a kind begins to bail out.
const MAX_CREDIT: i32 = 10 * SAVED;
/// Largest debt, in nanoseconds. After a bailout at most 256 calls skip the fast path, or 26 of new
/// kinds. A long bailout costs no larger share: its call takes as long again.
const MAX_DEBT: i32 = 256 * REPAID;

/// Kinds with a budget of their own are limited in number, to bound the memory.
const BUCKETS: usize = 64;
const KINDS_PER_BUCKET: usize = 16;
/// Longest method and name together, in bytes, of a kind with a budget of its own.
const MAX_KIND: usize = 256;

/// The budgets of one component.
pub(super) struct RetryBackoff {
    /// Kinds by their hash, so that threads seldom wait for one another.
    buckets: [Mutex<Vec<Entry>>; BUCKETS],
    /// The budget of all new kinds.
    shared: Mutex<Budget>,
    hasher: RandomState,
}

/// A kind with a budget of its own.
struct Entry {
    method: Box<[u8]>,
    name: Box<[u8]>,
    budget: Budget,
    /// Whether it was called since its bucket was last found full.
    is_recent: bool,
}

/// CPU time in nanoseconds: credit, or debt if negative.
#[derive(Clone, Copy, Default)]
struct Budget(i32);

/// A call that takes the fast path.
pub(super) struct Attempt<'a> {
    backoff: &'a RetryBackoff,
    kind: CallKind<'a>,
    /// Whether the shared budget allowed it.
    is_shared: bool,
}

impl RetryBackoff {
    /// Begins an attempt, or returns `None` if the call skips the fast path.
    pub(super) fn attempt<'a>(&'a self, kind: CallKind<'a>) -> Option<Attempt<'a>> {
        let mut bucket = self.bucket(kind);
        let (allowed, is_shared) = match find(&mut bucket, kind) {
            Some(entry) => {
                entry.is_recent = true;
                (entry.budget.attempt(REPAID), false)
            }
            None => (lock(&self.shared).attempt(REPAID_NEW), true),
        };
        if allowed && is_shared {
            insert(&mut bucket, kind);
        }
        allowed.then_some(Attempt { backoff: self, kind, is_shared })
    }

    fn bucket(&self, kind: CallKind<'_>) -> MutexGuard<'_, Vec<Entry>> {
        let hash = self.hasher.hash_one(kind);
        lock(&self.buckets[hash as usize % BUCKETS])
    }
}

impl Default for RetryBackoff {
    fn default() -> Self {
        Self {
            buckets: std::array::from_fn(|_| Mutex::default()),
            shared: Mutex::default(),
            hasher: RandomState::new(),
        }
    }
}

impl Attempt<'_> {
    /// Charges a bailout that took this long.
    pub(super) fn bailed_out(self, wasted: Duration) {
        if let Some(entry) = find(&mut self.backoff.bucket(self.kind), self.kind) {
            entry.budget.charge(wasted);
        }
        if self.is_shared {
            lock(&self.backoff.shared).charge(wasted);
        }
    }
}

impl Budget {
    /// Whether the budget allows an attempt. What its response saves is booked at once.
    fn attempt(&mut self, repaid: i32) -> bool {
        let allowed = self.0 >= 0;
        let earned = if allowed { SAVED } else { repaid };
        self.0 = MAX_CREDIT.min(self.0 + earned);
        allowed
    }

    fn charge(&mut self, wasted: Duration) {
        let wasted = i32::try_from(wasted.as_nanos()).unwrap_or(i32::MAX);
        self.0 = self.0.saturating_sub(SAVED).saturating_sub(wasted).max(-MAX_DEBT);
    }
}

fn find<'a>(bucket: &'a mut [Entry], kind: CallKind<'_>) -> Option<&'a mut Entry> {
    bucket.iter_mut().find(|entry| *entry.method == *kind.method && *entry.name == *kind.name)
}

/// Gives a kind a budget of its own, if its bucket has room or a kind that was not called lately.
fn insert(bucket: &mut Vec<Entry>, kind: CallKind<'_>) {
    if kind.method.len() + kind.name.len() > MAX_KIND {
        return;
    }
    let entry = Entry {
        method: kind.method.into(),
        name: kind.name.into(),
        budget: Budget(SAVED),
        is_recent: false,
    };
    if bucket.len() < KINDS_PER_BUCKET {
        bucket.push(entry);
    } else if let Some(old) = bucket.iter_mut().find(|entry| !entry.is_recent) {
        *old = entry;
    } else {
        bucket.iter_mut().for_each(|entry| entry.is_recent = false);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Duration = Duration::from_micros(30);
    const CALLS: usize = 10_000;

    fn tool(name: &str) -> CallKind<'_> {
        CallKind { method: b"tools/call", name: name.as_bytes() }
    }

    /// Makes calls, of which some bail out, and counts the attempts and the bailouts.
    fn call<'a>(
        backoff: &RetryBackoff,
        kind: impl Fn(usize) -> CallKind<'a>,
        bails_out: impl Fn(usize) -> bool,
        wasted: Duration,
    ) -> (usize, usize) {
        let (mut attempts, mut bailouts) = (0, 0);
        for n in 0..CALLS {
            let Some(attempt) = backoff.attempt(kind(n)) else { continue };
            attempts += 1;
            if bails_out(n) {
                bailouts += 1;
                attempt.bailed_out(wasted);
            }
        }
        (attempts, bailouts)
    }

    #[test]
    fn attempts_every_call_of_a_kind_that_never_bails_out() {
        let counts = call(&RetryBackoff::default(), |_| tool("a"), |_| false, CHEAP);
        assert_eq!(counts, (CALLS, 0));
    }

    #[test]
    fn seldom_attempts_a_kind_that_always_bails_out() {
        let (attempts, _) = call(&RetryBackoff::default(), |_| tool("a"), |_| true, CHEAP);
        assert!((CALLS / 150..=CALLS / 100).contains(&attempts), "{attempts} attempts");
        let dear = Duration::from_millis(20);
        let (attempts, _) = call(&RetryBackoff::default(), |_| tool("a"), |_| true, dear);
        assert!((CALLS / 300..=CALLS / 250).contains(&attempts), "{attempts} dear attempts");
    }

    #[test]
    fn a_kind_that_bails_out_once_in_ten_calls_stays_on_the_fast_path_if_that_is_cheaper() {
        let one_in_ten = |n| n % 10 == 0;
        let (attempts, _) = call(&RetryBackoff::default(), |_| tool("a"), one_in_ten, CHEAP);
        assert!(attempts > CALLS * 9 / 10, "{attempts} attempts");
        let dear = Duration::from_millis(5);
        let (_, bailouts) = call(&RetryBackoff::default(), |_| tool("a"), one_in_ten, dear);
        assert!(bailouts <= CALLS / 250, "{bailouts} bailouts");
    }

    #[test]
    fn a_kind_that_stops_bailing_out_returns_to_the_fast_path() {
        let backoff = RetryBackoff::default();
        call(&backoff, |_| tool("a"), |_| true, CHEAP);
        let (attempts, _) = call(&backoff, |_| tool("a"), |_| false, CHEAP);
        assert!(attempts > CALLS - 300, "{attempts} attempts");
    }

    #[test]
    fn kinds_do_not_share_their_fate() {
        let backoff = RetryBackoff::default();
        let names: Vec<_> = (0..200).map(|n| format!("tool {n}")).collect();
        let kind = |n: usize| tool(&names[n % names.len()]);
        // Every other tool always bails out.
        let (attempts, bailouts) = call(&backoff, kind, |n| n % 2 == 0, CHEAP);
        assert!(bailouts <= 100, "{bailouts} bailouts of 100 tools");
        assert!(attempts - bailouts > CALLS / 2 - 1000, "{attempts} attempts");
        let (attempts, bailouts) = call(&backoff, kind, |n| n % 2 == 0, CHEAP);
        assert_eq!(attempts - bailouts, CALLS / 2, "the others are all known now");
    }

    /// The bound is one attempt for 12 calls, apart from what earlier responses have paid for.
    #[test]
    fn new_names_do_not_force_bailouts() {
        let backoff = RetryBackoff::default();
        call(&backoff, |_| tool("known"), |_| false, CHEAP);
        let names: Vec<_> = (0..CALLS).map(|n| format!("name {n}")).collect();
        let (attempts, _) = call(&backoff, |n| tool(&names[n]), |_| true, CHEAP);
        assert!(attempts <= CALLS / 12 + 10, "{attempts} attempts");
        let (attempts, _) = call(&backoff, |_| tool("known"), |_| false, CHEAP);
        assert_eq!(attempts, CALLS, "a known kind loses nothing");
    }

    #[test]
    fn bounds_its_memory() {
        let backoff = RetryBackoff::default();
        let names: Vec<_> = (0..CALLS).map(|n| format!("{n}")).collect();
        call(&backoff, |n| tool(&names[n]), |_| false, CHEAP);
        let long = "x".repeat(MAX_KIND);
        assert!(backoff.attempt(tool(&long)).is_some());
        let entries: usize = backoff.buckets.iter().map(|bucket| lock(bucket).len()).sum();
        assert!(entries <= BUCKETS * KINDS_PER_BUCKET);
        let is_long = |entry: &Entry| entry.name.len() > 200;
        assert!(!backoff.buckets.iter().any(|bucket| lock(bucket).iter().any(is_long)));
    }
}
