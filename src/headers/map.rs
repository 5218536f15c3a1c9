//! HTTP fields (RFC 9110, section 5), in one text, as HTTP/1.1 has them.
//!
//! An exchange looks up a dozen names once each. A hash map of parsed names would cost more to
//! build than all look-ups together, and 20 KB of component.

use std::ops::Range;

use memchr::arch::all::is_equal;
use midge_contract::http1::{self, Field};

/// Fields in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// Each as `name: value` and CR LF.
    text: Vec<u8>,
    /// The positions of each.
    positions: Vec<Field>,
}

impl Fields {
    pub(crate) fn from_pairs(pairs: Vec<(String, Vec<u8>)>) -> Self {
        let mut fields = Self::default();
        pairs.iter().for_each(|(name, value)| fields.append(name, value));
        fields
    }

    /// Decodes fields in the form of HTTP/1.1, from the offset `start` on. Lines that are not fields
    /// are ignored.
    #[cfg(any(test, all(target_family = "wasm", not(feature = "p3"))))]
    pub(crate) fn from_text(text: Vec<u8>, start: usize) -> Self {
        let mut positions = Vec::with_capacity(16);
        for field in http1::decode_fields(&text, start, memchr::memchr).filter_map(Result::ok) {
            positions.push(field);
        }
        Self { text, positions }
    }

    /// The fields in the form of HTTP/1.1, if that is how they were made.
    #[cfg(all(target_family = "wasm", not(feature = "p3")))]
    pub(crate) fn into_text(self) -> Vec<u8> {
        self.text
    }

    pub(crate) fn into_pairs(self) -> Vec<(String, Vec<u8>)> {
        let name = |name: &[u8]| String::from_utf8(name.to_vec()).unwrap_or_default();
        self.iter().map(|(field, value)| (name(field), value.to_vec())).collect()
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.positions.iter().map(|field| (self.part(&field.name), self.part(&field.value)))
    }

    fn part(&self, position: &Range<usize>) -> &[u8] {
        self.text.get(position.clone()).unwrap_or_default()
    }

    /// All values of a field, whatever the case of its name.
    pub(crate) fn values<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let mut positions = self.positions.iter();
        std::iter::from_fn(move || {
            for field in positions.by_ref() {
                // Most names differ in length already, and hosts write them in lower case.
                if length(&field.name) != name.len() {
                    continue;
                }
                let found = self.part(&field.name);
                if is_equal(found, name.as_bytes()) || found.eq_ignore_ascii_case(name.as_bytes()) {
                    return Some(self.part(&field.value));
                }
            }
            None
        })
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
        self.positions.iter().map(|field| length(&field.name) + length(&field.value)).sum()
    }

    pub(crate) fn push(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.append(name, value.as_ref());
    }

    fn append(&mut self, name: &str, value: &[u8]) {
        // It would be two fields for whoever reads the text.
        if memchr::memchr2(b'\r', b'\n', value).is_some() {
            return;
        }
        if self.text.is_empty() {
            self.text.reserve(MOST_ANSWERS);
            self.positions.reserve(4);
        }
        self.positions.push(http1::encode_field(&mut self.text, name, value));
    }
}

/// Room that the fields of most answers do with, in bytes.
const MOST_ANSWERS: usize = 192;

/// Length of a range that is in order, which `Range::len` would check.
fn length(range: &Range<usize>) -> usize {
    range.end - range.start
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
    fn fields_are_read_as_they_are_written() {
        let mut written = Fields::default();
        written.push("content-type", "application/json");
        written.push("x-empty", "");
        written.push("x-time", "12:30");
        let text = [b"POST /mcp HTTP/1.1\r\n", &written.text[..]].concat();
        let read = Fields::from_text(text, 20);
        assert!(read.iter().eq(written.iter()), "{read:?}");
        assert_eq!(read.texts("x-time").collect::<Vec<_>>(), ["12:30"]);
        assert_eq!(read.texts("x-empty").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn what_is_no_field_is_passed_over() {
        for text in ["", "no colon\r\n", "cut: off", "\r\n", "\n\n"] {
            assert_eq!(Fields::from_text(text.into(), 0).iter().count(), 0, "{text:?}");
        }
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
