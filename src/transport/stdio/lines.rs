//! Cutting a stream of bytes into lines of bounded length.

use memchr::memchr;

/// Bytes of a line beyond the limit that are kept: most clients write the id of a request first.
const START: usize = 1024;

/// What was found at the end of a line, or before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A whole line, without its end.
    Whole(Vec<u8>),
    /// The start of a line that is longer than the limit. The rest of it is skipped.
    TooLong(Vec<u8>),
}

/// Lines, of which no more than the limit is ever kept.
#[derive(Debug)]
pub(super) struct Lines {
    limit: usize,
    begun: Vec<u8>,
    skipping: bool,
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, begun: Vec::new(), skipping: false }
    }

    /// Takes of `piece` what belongs to the line that is begun; `None` when the piece is used up
    /// and no line has ended.
    pub(super) fn next(&mut self, piece: &mut &[u8]) -> Option<Line> {
        while !piece.is_empty() {
            let end = memchr(b'\n', piece);
            let (part, rest) = piece.split_at(end.unwrap_or(piece.len()));
            *piece = rest.get(1..).unwrap_or_default();
            let too_long = !self.skipping && self.begun.len() + part.len() > self.limit;
            if too_long {
                self.skipping = true;
                self.begun.extend_from_slice(&part[..part.len().min(START)]);
                self.begun.truncate(START);
            } else if !self.skipping {
                self.begun.extend_from_slice(part);
            }
            let skipped = self.skipping;
            if end.is_some() {
                self.skipping = false;
            }
            match (too_long, end) {
                (true, _) => return Some(Line::TooLong(std::mem::take(&mut self.begun))),
                (false, Some(_)) if !skipped => {
                    return Some(Line::Whole(std::mem::take(&mut self.begun)));
                }
                _ => {}
            }
        }
        None
    }

    /// Takes what came after the end of the last line.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.begun)
    }

    /// Whether no line is begun.
    pub(super) fn is_empty(&self) -> bool {
        self.begun.is_empty() && !self.skipping
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::tests::properties::cases;

    fn cut(limit: usize, pieces: &[&str]) -> (Vec<String>, String) {
        let mut lines = Lines::new(limit);
        let mut found = Vec::new();
        for piece in pieces {
            let mut piece = piece.as_bytes();
            while let Some(line) = lines.next(&mut piece) {
                found.push(match line {
                    Line::Whole(line) => String::from_utf8(line).unwrap(),
                    Line::TooLong(start) => {
                        assert!(pieces.concat().contains(std::str::from_utf8(&start).unwrap()));
                        "(too long)".to_owned()
                    }
                });
            }
            assert!(lines.begun.len() <= limit, "no more than the limit is kept");
        }
        (found, String::from_utf8(lines.rest()).unwrap())
    }

    #[test]
    fn lines_do_not_care_how_they_are_cut() {
        let expected = (vec!["ab".to_owned(), String::new(), "c".to_owned()], "d".to_owned());
        assert_eq!(cut(9, &["ab\n\nc\nd"]), expected);
        assert_eq!(cut(9, &["a", "b", "\n", "\nc", "\nd"]), expected);
        assert_eq!(cut(9, &[]), (vec![], String::new()));
    }

    #[test]
    fn a_long_line_is_told_of_once_and_the_next_one_is_whole() {
        let found = |pieces: &[&str]| cut(3, pieces).0;
        assert_eq!(found(&["abc\nabcd\nab\n"]), ["abc", "(too long)", "ab"]);
        assert_eq!(found(&["ab", "cd", "efgh", "ij\n", "x\n"]), ["(too long)", "x"]);
        assert_eq!(found(&["abcd\nabcd\nx\n"]), ["(too long)", "(too long)", "x"]);
        assert_eq!(cut(3, &["abcd"]), (vec!["(too long)".to_owned()], String::new()));
    }

    #[test]
    fn the_start_of_a_long_line_is_kept() {
        for (limit, pieces, start) in [
            (3, [&b"ab"[..], b"cdef"], b"abcdef".to_vec()),
            (2000, [&[b'a'; 1500], &[b'b'; 600]], [b'a'; START].to_vec()),
            (10, [b"", &[b'a'; 5000]], [b'a'; START].to_vec()),
        ] {
            let mut lines = Lines::new(limit);
            let found = pieces.map(|mut piece| lines.next(&mut piece));
            assert_eq!(found, [None, Some(Line::TooLong(start))]);
            assert!(!lines.is_empty() && lines.rest().is_empty(), "the rest is skipped");
        }
    }

    /// The same of the whole text at once.
    fn cut_at_once(limit: usize, text: &str) -> (Vec<String>, String) {
        let cut = |line: &str| match line.len() > limit {
            true => "(too long)".to_owned(),
            false => line.to_owned(),
        };
        let mut lines: Vec<&str> = text.split('\n').collect();
        let rest = lines.pop().unwrap_or_default();
        let too_long = (rest.len() > limit).then_some(rest);
        let found = lines.into_iter().chain(too_long).map(cut).collect();
        (found, too_long.map_or(rest, |_| "").to_owned())
    }

    proptest! {
        #![proptest_config(cases(2000))]

        #[test]
        fn lines_are_those_of_the_whole_text(
            pieces in vec("[ab\n]{0,6}", 0..12), limit in 0..8_usize,
        ) {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(cut(limit, &pieces), cut_at_once(limit, &pieces.concat()));
        }
    }
}
