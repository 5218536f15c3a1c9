//! What is measured, and the medians of it.

use serde::{Deserialize, Serialize};

/// What one contestant came to in one workload: in one round, or as the medians of all.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// Requests answered in a second.
    pub(crate) requests_per_second: f64,
    /// Half of the requests took less, in µs.
    pub(crate) p50_us: f64,
    /// All but one in a hundred took less, in µs.
    pub(crate) p99_us: f64,
    /// CPU time of the server for each request, user and system, in µs.
    pub(crate) cpu_us: f64,
    /// The most memory that the server ever had, in KiB.
    pub(crate) peak_kib: u64,
}

impl Figures {
    /// The median of each figure by itself; `None` without rounds.
    pub(crate) fn medians(rounds: &[Self]) -> Option<Self> {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure).collect());
        Some(Self {
            requests_per_second: of(|round| round.requests_per_second)?,
            p50_us: of(|round| round.p50_us)?,
            p99_us: of(|round| round.p99_us)?,
            cpu_us: of(|round| round.cpu_us)?,
            peak_kib: rounds.iter().map(|round| round.peak_kib).max()?,
        })
    }
}

/// The value in the middle; the upper one of two.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(4.0));
        assert_eq!(median(vec![]), None);
    }
}
