//! HTTP fields (RFC 9110, section 5), as hosts give and take them: pairs of a name and bytes.
//!
//! An exchange looks up a dozen names once each. A hash map of parsed names would cost more to
//! build than all look-ups together, and 20 KB of component.

/// Header fields in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, Vec<u8>)>);

impl Fields {
    pub(crate) fn from_pairs(pairs: Vec<(String, Vec<u8>)>) -> Self {
        Self(pairs)
    }

    pub(crate) fn into_pairs(self) -> Vec<(String, Vec<u8>)> {
        self.0
    }

    /// All values of a field, whatever the case of its name.
    pub(crate) fn values<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let fields = self.0.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.as_slice())
    }

    /// All values of a field that are visible ASCII, blanks and tabs.
    pub(crate) fn texts<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.values(name).filter_map(text)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// Bytes of all names and values.
    pub(crate) fn size(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    pub(crate) fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into().into_bytes()));
    }
}

/// A field's value, where it has only the characters that a value may have (RFC 9110, 5.5), the
/// obsolete ones aside.
pub(crate) fn text(value: &[u8]) -> Option<&str> {
    let visible = value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    std::str::from_utf8(value).ok().filter(|_| visible)
}

/// The headers of a request, for the function of
/// [`Server::principal`](crate::Server::principal).
#[derive(Debug)]
pub struct Headers<'a>(&'a Fields);

impl<'a> Headers<'a> {
    pub(crate) fn new(fields: &'a Fields) -> Self {
        Self(fields)
    }

    /// A header that is there exactly once, whatever the case of its name. `None` also for values
    /// that are not visible ASCII, and for a header that is repeated: one of them may be the
    /// client's own.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let mut values = self.0.values(name);
        let value = values.next()?;
        text(value).filter(|_| values.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_insensitive_and_values_are_checked() {
        let mut fields = Fields::default();
        fields.push("Accept", "a");
        fields.push("accept", "b");
        fields.push("x-odd", "caf\u{e9}");
        assert_eq!(fields.texts("ACCEPT").collect::<Vec<_>>(), ["a", "b"]);
        assert!(fields.contains("X-Odd"));
        assert_eq!(fields.texts("x-odd").next(), None);
        assert_eq!(fields.size(), 6 + 1 + 6 + 1 + 5 + 5);
        assert_eq!(text(b"a\0"), None);
    }

    #[test]
    fn z1_a_header_that_is_repeated_says_nothing() {
        let mut fields = Fields::default();
        fields.push("X-User", "ada");
        assert_eq!(Headers::new(&fields).get("x-user"), Some("ada"));
        fields.push("x-user", "ada");
        assert_eq!(Headers::new(&fields).get("x-user"), None);
        assert_eq!(Headers::new(&fields).get("x-other"), None);
    }
}
