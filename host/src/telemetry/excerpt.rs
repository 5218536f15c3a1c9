//! Excerpts of what clients send, for logs and error messages.

/// Longest text of a client in a field of the access log, in bytes.
const MAX_FIELD: usize = 256;
/// Longest text of a client in an error message.
const MAX_EXCERPT: usize = 100;

/// Returns the beginning of a text, for a field of the access log.
pub(super) fn field(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_FIELD)]
}

/// Returns the beginning of a text in printable ASCII, for an error message.
pub(crate) fn printable(text: &[u8]) -> String {
    let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    let printable = |byte: &u8| if is_printable(*byte) { char::from(*byte) } else { '?' };
    let mut excerpt: String = text.iter().take(MAX_EXCERPT).map(printable).collect();
    if text.len() > MAX_EXCERPT {
        excerpt.push_str("...");
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_bounded_and_whole_characters() {
        assert_eq!(field("/mcp"), "/mcp");
        assert_eq!(field(&"é".repeat(200)), "é".repeat(128));
        assert_eq!(field(&format!("a{}", "é".repeat(200))).len(), 255);
        assert_eq!(printable(b"a b\x1b\xc3\x7f"), "a b???");
        assert_eq!(printable(&[b'x'; 101]).len(), 103);
    }
}
