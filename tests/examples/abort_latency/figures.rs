//! A distribution, and what it is held against.

use std::time::Duration;

/// What is measured many times.
pub(crate) struct Figures {
    what: String,
    times: Vec<Duration>,
}

impl Figures {
    /// Nothing yet.
    pub(crate) fn new(what: String) -> Self {
        Self { what, times: Vec::new() }
    }

    /// Adds one.
    pub(crate) fn add(&mut self, time: Duration) {
        self.times.push(time);
    }

    /// Prints what the columns are.
    pub(crate) fn print_header() {
        println!("{:38} {:>7} {:>7} {:>7} {:>7} {:>7}", "ms", "min", "p50", "p90", "p99", "max");
    }

    /// Prints the distribution, and says whether all are within the limit.
    pub(crate) fn print(mut self, limit: Duration) -> bool {
        self.times.sort_unstable();
        let [min, p50, p90, p99, max] = [0, 50, 90, 99, 100].map(|percent| self.nearest(percent));
        let right = max <= limit;
        let ms = |time: Duration| format!("{:7.2}", time.as_secs_f64() * 1e3);
        println!(
            "{:38} {} {} {} {} {}  at most {limit:?}: {}",
            self.what,
            ms(min),
            ms(p50),
            ms(p90),
            ms(p99),
            ms(max),
            if right { "pass" } else { "FAIL" },
        );
        right
    }

    /// The smallest time that this many percent of all are not over.
    fn nearest(&self, percent: usize) -> Duration {
        let rank = (self.times.len() * percent).div_ceil(100);
        self.times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}
