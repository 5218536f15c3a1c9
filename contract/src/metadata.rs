use std::borrow::Cow;

use crate::Outcome;

/// A key with what surrounds it in the header: one append writes all of it.
struct Key(&'static str);

impl Key {
    const ERA: Self = Self("&era=");
    const METHOD: Self = Self("&method=");
    const NAME: Self = Self("&name=");
    const ID: Self = Self("&id=");
    const OUTCOME: Self = Self("&outcome=");

    /// Returns the key alone.
    const fn name(&self) -> &'static [u8] {
        match self.0.as_bytes() {
            [b'&', name @ .., b'='] => name,
            _ => b"",
        }
    }
}

/// Longest value in bytes, before it is encoded. Clients choose names and ids.
const MAX_VALUE: usize = 128;

/// Capacity that is enough for most headers, in bytes.
const USUAL_CAPACITY: usize = 120;

/// Encoder for the value of [`midge-exchange`](crate::header::EXCHANGE).
///
/// Facts are added as soon as they are known. Values longer than 128 bytes are truncated. A `/` is
/// not escaped, so that methods stay readable.
///
/// ```
/// use midge_contract::{MetadataWriter, Outcome};
///
/// let mut metadata = MetadataWriter::default();
/// metadata.method("tools/call");
/// metadata.name("a&b");
/// let header = metadata.finish(Some(Outcome::Ok));
/// assert_eq!(header, b"method=tools/call&name=a%26b&outcome=ok");
/// ```
#[derive(Debug, Default)]
pub struct MetadataWriter {
    pairs: Vec<u8>,
}

impl MetadataWriter {
    /// Adds the protocol era of the client, `modern` or `legacy`.
    #[inline]
    pub fn era(&mut self, era: &str) {
        self.push(&Key::ERA, era);
    }

    /// Adds the JSON-RPC method.
    #[inline]
    pub fn method(&mut self, method: &str) {
        self.push(&Key::METHOD, method);
    }

    /// Adds the name of the tool or prompt, or the URI of the resource.
    #[inline]
    pub fn name(&mut self, name: &str) {
        self.push(&Key::NAME, name);
    }

    /// Adds the JSON-RPC id.
    #[inline]
    pub fn id(&mut self, id: &str) {
        self.push(&Key::ID, id);
    }

    /// Returns the value of the header, with the outcome where it is known. All of it is ASCII.
    #[inline]
    #[must_use]
    pub fn finish(mut self, outcome: Option<Outcome>) -> Vec<u8> {
        if let Some(outcome) = outcome {
            self.push(&Key::OUTCOME, outcome.as_str());
        }
        self.pairs
    }

    #[inline]
    fn push(&mut self, key: &Key, value: &str) {
        let mut key = key.0;
        if self.pairs.is_empty() {
            self.pairs.reserve(USUAL_CAPACITY);
            key = key.get(1..).unwrap_or_default();
        }
        self.pairs.extend_from_slice(key.as_bytes());
        let value = value.get(..value.floor_char_boundary(MAX_VALUE)).unwrap_or_default();
        if value.bytes().all(is_plain) {
            self.pairs.extend_from_slice(value.as_bytes());
        } else {
            value.bytes().for_each(|byte| self.push_encoded(byte));
        }
    }

    #[inline]
    fn push_encoded(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        if is_plain(byte) {
            self.pairs.push(byte);
        } else {
            let digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
            self.pairs.extend_from_slice(&[b'%', digits[0], digits[1]]);
        }
    }
}

/// Whether a byte stands for itself.
#[inline]
fn is_plain(byte: u8) -> bool {
    PLAIN[usize::from(byte)]
}

/// A table, since every byte of every value is checked.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.' | b'*');
        byte += 1;
    }
    plain
};

/// Metadata of an exchange, as its guest reported it. What the guest did not report is `None`.
///
/// ```
/// use midge_contract::{Metadata, Outcome};
///
/// let mut metadata = Metadata::default();
/// metadata.update(b"method=tools/call&name=add");
/// // The trailer of a stream.
/// metadata.update(b"outcome=ok");
/// assert_eq!(metadata.name.as_deref(), Some("add"));
/// assert_eq!(metadata.outcome, Some(Outcome::Ok));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The protocol era of the client, `modern` or `legacy`.
    pub era: Option<Cow<'a, str>>,
    /// The JSON-RPC method.
    pub method: Option<Cow<'a, str>>,
    /// The name of the tool or prompt, or the URI of the resource.
    pub name: Option<Cow<'a, str>>,
    /// The JSON-RPC id.
    pub id: Option<Cow<'a, str>>,
    /// How the exchange ended.
    pub outcome: Option<Outcome>,
}

impl<'a> Metadata<'a> {
    /// Adds the pairs of a header or a trailer. A later value replaces an earlier one.
    ///
    /// Unknown keys and outcomes are from a newer guest and are ignored.
    pub fn update(&mut self, pairs: &'a [u8]) {
        for pair in pairs.split(|byte| *byte == b'&') {
            let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (key, value) = (&pair[..end], pair.get(end + 1..).unwrap_or_default());
            self.set(&decode(key), decode_text(value));
        }
    }

    fn set(&mut self, key: &[u8], value: Cow<'a, str>) {
        if key == Key::ERA.name() {
            self.era = Some(value);
        } else if key == Key::METHOD.name() {
            self.method = Some(value);
        } else if key == Key::NAME.name() {
            self.name = Some(value);
        } else if key == Key::ID.name() {
            self.id = Some(value);
        } else if key == Key::OUTCOME.name() {
            self.outcome = value.parse().ok().or(self.outcome);
        }
    }
}

/// Decodes a value as text. Bytes that are not UTF-8 are replaced.
fn decode_text(encoded: &[u8]) -> Cow<'_, str> {
    match decode(encoded) {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
    }
}

/// Decodes `+` and percent-encoded bytes (WHATWG URL, 5.1). A `%` without two digits is kept.
fn decode(encoded: &[u8]) -> Cow<'_, [u8]> {
    if !encoded.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(encoded);
    }
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [byte, after @ ..] = rest {
        rest = after;
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => match hex_pair(after) {
                Some((byte, after)) => {
                    rest = after;
                    byte
                }
                None => b'%',
            },
            other => *other,
        });
    }
    Cow::Owned(decoded)
}

/// Reads a byte as two hexadecimal digits.
fn hex_pair(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let [high, low, rest @ ..] = text else { return None };
    Some((digit(*high)? << 4 | digit(*low)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &str) -> Metadata<'_> {
        let mut metadata = Metadata::default();
        metadata.update(pairs.as_bytes());
        metadata
    }

    #[test]
    fn values_cannot_break_out_of_the_header() {
        let mut writer = MetadataWriter::default();
        writer.method("tools/call");
        writer.name(&format!("a&b=c\r\n{}", "\u{e4}".repeat(200)));
        let header = writer.finish(Some(Outcome::ToolError));
        let text = String::from_utf8_lossy(&header);
        assert!(text.starts_with("method=tools/call&name=a%26b%3Dc%0D%0A%C3%A4"), "{text}");
        assert!(text.ends_with("&outcome=tool-error"), "{text}");
        assert!(text.len() < 600);
    }

    #[test]
    fn pairs_are_decoded() {
        let pairs = "era=modern&method=tools%2Fcall&name=a+b&id=%221%22&outcome=tool-error&x=y";
        let metadata = parse(pairs);
        assert_eq!(metadata.era.as_deref(), Some("modern"));
        assert_eq!(metadata.method.as_deref(), Some("tools/call"));
        assert_eq!(metadata.name.as_deref(), Some("a b"));
        assert_eq!(metadata.id.as_deref(), Some("\"1\""));
        assert_eq!(metadata.outcome, Some(Outcome::ToolError));
    }

    #[test]
    fn a_trailer_adds_to_the_header() {
        let mut metadata = parse("name=add&outcome=ok");
        metadata.update(b"outcome=client-gone");
        metadata.update(b"outcome=nonsense");
        assert_eq!(metadata.name.as_deref(), Some("add"));
        assert_eq!(metadata.outcome, Some(Outcome::ClientGone));
    }

    #[test]
    fn plain_and_encoded_pairs_are_equal() {
        let plain = parse("era=modern&method=tools/call&name&x=y&outcome=ok");
        let encoded = parse("&era=moder%6e&m%65thod=tools%2fcall&&name&outcome=ok&");
        assert_eq!(plain, encoded);
        assert_eq!(plain.name.as_deref(), Some(""));
    }

    #[test]
    fn malformed_escapes_are_kept() {
        assert_eq!(parse("name=100%").name.as_deref(), Some("100%"));
        assert_eq!(parse("name=%4").name.as_deref(), Some("%4"));
        assert_eq!(parse("name=%zz%41").name.as_deref(), Some("%zzA"));
        assert_eq!(parse("name=%ff").name.as_deref(), Some("\u{fffd}"));
    }
}
