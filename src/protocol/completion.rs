//! Completion of arguments on the wire.

use serde::Serialize;

/// How many values one answer may have.
const MAX_VALUES: usize = 100;

/// What an argument could be, the best first: the answer to `completion/complete`.
///
/// A client shows at most 100 values, so no more are sent; the rest is counted.
///
/// ```
/// use midge::Completion;
///
/// let languages = Completion::from(["rust".to_owned(), "ruby".to_owned()]).total(7);
/// # drop(languages);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    has_more: bool,
}

impl Completion {
    /// Says how many values there are, sent or not.
    #[must_use]
    pub fn total(mut self, total: usize) -> Self {
        self.has_more = total > self.values.len();
        self.total = Some(total);
        self
    }
}

impl<I: IntoIterator<Item = String>> From<I> for Completion {
    fn from(values: I) -> Self {
        let mut values: Vec<String> = values.into_iter().collect();
        let total = values.len();
        values.truncate(MAX_VALUES);
        Self { values, ..Self::default() }.total(total)
    }
}

/// Result of `completion/complete`.
#[derive(Debug, Serialize)]
pub(crate) struct CompleteResult {
    pub(crate) completion: Completion,
}
