//! HTTP fields (RFC 9110, section 5), in one text, as HTTP/1.1 has them.
//!
//! An exchange looks up a dozen names once each. A hash map of parsed names would cost more to
//! build than all look-ups together, and 20 KB of component.

use std::ops::Range;

use memchr::arch::all::is_equal;

/// Fields in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// Each as `name: value` and CR LF.
    text: Vec<u8>,
    /// Where name and value of each are.
    places: Vec<(Range<u32>, Range<u32>)>,
}

impl Fields {
    pub(crate) fn from_pairs(pairs: Vec<(String, Vec<u8>)>) -> Self {
        let mut fields = Self::default();
        pairs.iter().for_each(|(name, value)| fields.append(name, value));
        fields
    }

    /// Fields in the form of HTTP/1.1, after the first `start` bytes, which are something else.
    /// What is no field is passed over.
    #[cfg(any(test, all(target_family = "wasm", not(feature = "p3"))))]
    pub(crate) fn from_text(text: Vec<u8>, start: usize) -> Self {
        let mut places = Vec::with_capacity(16);
        let mut line = start;
        while let Some(rest) = text.get(line..)
            && let Some(length) = memchr::memchr(b'\n', rest)
        {
            let end = line + length;
            if let Some(colon) = memchr::memchr(b':', &rest[..length]) {
                let value = rest[colon + 1..length].trim_ascii_start();
                let start = end - value.len();
                let value = range(start, start + value.trim_ascii_end().len());
                places.push((range(line, line + colon), value));
            }
            line = end + 1;
        }
        Self { text, places }
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
        self.places.iter().map(|(name, value)| (self.part(name), self.part(value)))
    }

    fn part(&self, place: &Range<u32>) -> &[u8] {
        self.text.get(place.start as usize..place.end as usize).unwrap_or_default()
    }

    /// All values of a field, whatever the case of its name.
    pub(crate) fn values<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let mut places = self.places.iter();
        std::iter::from_fn(move || {
            for (place, value) in places.by_ref() {
                // Most names differ in length already, and hosts write them in lower case.
                if (place.end - place.start) as usize != name.len() {
                    continue;
                }
                let found = self.part(place);
                if is_equal(found, name.as_bytes()) || found.eq_ignore_ascii_case(name.as_bytes()) {
                    return Some(self.part(value));
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
        let size = |place: &Range<u32>| (place.end - place.start) as usize;
        self.places.iter().map(|(name, value)| size(name) + size(value)).sum()
    }

    pub(crate) fn push(&mut self, name: &str, value: impl AsRef<str>) {
        self.append(name, value.as_ref().as_bytes());
    }

    fn append(&mut self, name: &str, value: &[u8]) {
        // It would be two fields for whoever reads the text.
        if memchr::memchr2(b'\r', b'\n', value).is_some() {
            return;
        }
        let start = self.text.len();
        if start == 0 {
            self.text.reserve(MOST_ANSWERS);
            self.places.reserve(4);
        }
        self.text.reserve(name.len() + value.len() + 4);
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b": ");
        let middle = self.text.len();
        self.text.extend_from_slice(value);
        let end = self.text.len();
        self.text.extend_from_slice(b"\r\n");
        self.places.push((range(start, middle - 2), range(middle, end)));
    }
}

/// Room that the fields of most answers do with, in bytes.
const MOST_ANSWERS: usize = 192;

/// A place in a text that is far smaller than 4 GiB: hosts bound the size of heads.
fn range(start: usize, end: usize) -> Range<u32> {
    let place = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    place(start)..place(end)
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
