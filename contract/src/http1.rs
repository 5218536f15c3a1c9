//! Codec for the heads in `midge:mcp/exchange`: a request line and fields in the form of HTTP/1.1.
//!
//! The host encodes the head of a request, and the guest decodes it. The guest encodes the fields of
//! a response, and the host decodes them. A head here ends with its last field: the empty line
//! after it is left out. Field names are lowercase.
//!
//! The codec finds lines and colons, no more. It leaves it to its callers which names and values
//! are valid: both have them from a library that knows, such as `http::HeaderMap`, or store them
//! in one.
//!
//! [`decode_fields`] takes the function that searches a byte, `memchr::memchr`, since this crate has
//! no dependencies.
//!
//! ```
//! use midge_contract::http1::{RequestLine, decode_fields, encode_field, encode_request_line};
//!
//! let mut head = Vec::new();
//! encode_request_line(&mut head, "POST", "/mcp?x=1");
//! encode_field(&mut head, "host", b"midge.example");
//! assert_eq!(head, b"POST /mcp?x=1 HTTP/1.1\r\nhost: midge.example\r\n");
//!
//! let line = RequestLine::decode(&head);
//! assert_eq!((line.method, line.path), (&b"POST"[..], &b"/mcp"[..]));
//! let memchr = |byte, text: &[u8]| text.iter().position(|other| *other == byte);
//! for field in decode_fields(&head, line.length, memchr) {
//!     let field = field?;
//!     assert_eq!(&head[field.name], b"host");
//!     assert_eq!(&head[field.value], b"midge.example");
//! }
//! # Ok::<(), midge_contract::http1::InvalidField>(())
//! ```

use std::{error::Error, fmt, ops::Range};

/// Appends a request line.
pub fn encode_request_line(head: &mut Vec<u8>, method: &str, target: &str) {
    for piece in [method, " ", target, " HTTP/1.1\r\n"] {
        head.extend_from_slice(piece.as_bytes());
    }
}

/// A request line that has been decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The target of the request, up to its query.
    pub path: &'a [u8],
    /// Length of the line in bytes, with its line break: where the fields start.
    pub length: usize,
}

impl<'a> RequestLine<'a> {
    /// Decodes the first line of a head. What is missing from it is empty.
    #[must_use]
    pub fn decode(head: &'a [u8]) -> Self {
        let (line, _) = split(head, b'\n');
        let length = head.len().min(line.len() + 1);
        let (method, rest) = split(line, b' ');
        let (target, _) = split(rest, b' ');
        let (path, _) = split(target, b'?');
        Self { method, path, length }
    }
}

/// Splits a text at the first occurrence of a byte, which is in neither part.
fn split(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == at).unwrap_or(text.len());
    (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default())
}

/// The positions of a field in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The bytes of the name.
    pub name: Range<usize>,
    /// The bytes of the value, without white space around it.
    pub value: Range<usize>,
}

/// Appends a field, and returns its position.
///
/// The name and the value must be valid in HTTP/1.1. Above all, a line break in one of them would
/// start another field.
#[inline]
pub fn encode_field(text: &mut Vec<u8>, name: &str, value: &[u8]) -> Field {
    text.reserve(name.len() + value.len() + 4);
    let start = text.len();
    text.extend_from_slice(name.as_bytes());
    let name = start..text.len();
    text.extend_from_slice(b": ");
    let start = text.len();
    text.extend_from_slice(value);
    let value = start..text.len();
    text.extend_from_slice(b"\r\n");
    Field { name, value }
}

/// Decodes the fields in a text, from an offset on.
///
/// Each line is a field or an [`InvalidField`]. The caller may go on after an invalid one.
#[inline]
pub fn decode_fields<F>(text: &[u8], start: usize, find: F) -> Fields<'_, F>
where
    F: Fn(u8, &[u8]) -> Option<usize>,
{
    Fields { text, start, find }
}

/// Iterator over the fields in a text. Returned by [`decode_fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a, F> {
    text: &'a [u8],
    start: usize,
    find: F,
}

impl<F: Fn(u8, &[u8]) -> Option<usize>> Iterator for Fields<'_, F> {
    type Item = Result<Field, InvalidField>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let start = self.start;
        let rest = self.text.get(start..)?;
        let Some(length) = (self.find)(b'\n', rest) else {
            self.start = self.text.len();
            return if rest.is_empty() { None } else { Some(Err(InvalidField)) };
        };
        self.start += length + 1;
        let line = rest.get(..length).unwrap_or_default();
        let Some(colon) = (self.find)(b':', line) else { return Some(Err(InvalidField)) };
        let value = line.get(colon + 1..).unwrap_or_default().trim_ascii_start();
        let value_start = start + length - value.len();
        let value_end = value_start + value.trim_ascii_end().len();
        Some(Ok(Field { name: start..start + colon, value: value_start..value_end }))
    }
}

/// Error for a line that has no colon, or no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidField;

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a header field")
    }
}

impl Error for InvalidField {}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(byte: u8, text: &[u8]) -> Option<usize> {
        text.iter().position(|other| *other == byte)
    }

    fn decoded(text: &str) -> Vec<Result<(&str, &str), InvalidField>> {
        let parts = |field: Field| (&text[field.name], &text[field.value]);
        decode_fields(text.as_bytes(), 0, find).map(|field| field.map(parts)).collect()
    }

    #[test]
    fn white_space_around_a_value_is_not_part_of_it() {
        let fields = decoded("a:b\r\nc: \t d e \t\r\nf:\r\ng: 12:30\n");
        assert_eq!(fields, [Ok(("a", "b")), Ok(("c", "d e")), Ok(("f", "")), Ok(("g", "12:30"))]);
    }

    #[test]
    fn each_line_that_is_no_field_is_an_error() {
        for text in ["no colon\r\n", "cut: off", "\r\n", "\n", "x"] {
            assert_eq!(decoded(text), [Err(InvalidField)], "{text:?}");
        }
        assert_eq!(decoded("no colon\r\na: b\r\n"), [Err(InvalidField), Ok(("a", "b"))]);
        assert_eq!(decoded(""), []);
    }

    #[test]
    fn fields_start_after_the_request_line() {
        let head = b"POST /mcp HTTP/1.1\r\na: b\r\n";
        let line = RequestLine::decode(head);
        assert_eq!(line, RequestLine { method: b"POST", path: b"/mcp", length: 20 });
        let fields: Vec<_> = decode_fields(head, line.length, find).collect();
        assert_eq!(fields, [Ok(Field { name: 20..21, value: 23..24 })]);
        assert_eq!(decode_fields(head, usize::MAX, find).next(), None);
    }

    #[test]
    fn parts_missing_from_a_request_line_are_empty() {
        let line = |text: &'static str| RequestLine::decode(text.as_bytes());
        assert_eq!(line(""), RequestLine { method: b"", path: b"", length: 0 });
        assert_eq!(line("GET").method, b"GET");
        assert_eq!(line("GET ?x").path, b"");
        assert_eq!(line("GET /a b?c\n").path, b"/a");
    }
}
