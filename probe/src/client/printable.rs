//! Text of a server, made safe for a terminal.

/// Characters that are kept of a text.
const MAX_CHARS: usize = 80;

/// Shortens a text to one line without control characters.
pub(crate) fn printable(text: &str) -> String {
    let one_line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = one_line.take(MAX_CHARS).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_control_characters_and_long_tails() {
        assert_eq!(printable("a\u{1b}[2J\nb"), "a [2J b");
        assert_eq!(printable(&"x".repeat(100)).chars().count(), 81);
    }
}
