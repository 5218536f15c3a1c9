//! Matching a URI against a template, and the values of its variables.

use super::{Kind, Part, UriTemplate};
use crate::protocol::uri;

/// Bytes of the longest URI that is matched; matching takes this much memory for every part of the
/// template. No resource needs a tenth of it.
const LONGEST: usize = 64 * 1024;

impl Kind {
    fn allows(self, byte: u8) -> bool {
        byte.is_ascii_graphic() && (self == Kind::Any || !matches!(byte, b'/' | b'?' | b'#'))
    }
}

impl UriTemplate {
    /// The variables that a URI gives, percent-decoded as UTF-8; `None` where it does not match.
    pub(crate) fn matches(&self, uri: &str) -> Option<Vec<(String, String)>> {
        if uri.len() > LONGEST {
            return None;
        }
        let Some(names) = &self.query else { return captures(&self.parts, uri) };
        let (path, query) = match uri.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (uri, None),
        };
        let mut values = captures(&self.parts, path)?;
        for parameter in query.into_iter().flat_map(|query| query.split('&')) {
            let (name, value) = parameter.split_once('=')?;
            let expected = names.iter().any(|other| other == name);
            let repeated = values.iter().any(|(other, _)| other == name);
            if !expected || repeated || value.contains('#') {
                return None;
            }
            values.push((name.to_owned(), decoded(value)?));
        }
        Some(values)
    }
}

/// The value of a variable. Divided at other places than slashes, even a URI that is safe as a whole
/// could give a `..`.
fn decoded(value: &str) -> Option<String> {
    uri::decode(value).filter(|value| !uri::has_dot_segment(value))
}

/// What the variables among some parts stand for in a text that consists of these parts. None is an
/// absolute path where the template has it in a directory: a handler that joins it to a path of its
/// own would forget that path.
fn captures(parts: &[Part], text: &str) -> Option<Vec<(String, String)>> {
    // Most texts are told from the first literal, without a table.
    if matches!(parts.first(), Some(Part::Literal(first)) if !text.starts_with(first.as_str())) {
        return None;
    }
    let fitting = fitting(parts, text.as_bytes());
    if !fitting[0][0] {
        return None;
    }
    let mut values = Vec::new();
    let mut at = 0;
    for (part, fits_after) in parts.iter().zip(&fitting[1..]) {
        match part {
            Part::Literal(literal) => at += literal.len(),
            Part::Variable { name, kind } => {
                let allowed = text.bytes().skip(at).take_while(|byte| kind.allows(*byte)).count();
                let end = (at + 1..=at + allowed).rev().find(|end| fits_after[*end])?;
                let value = decoded(&text[at..end])?;
                let before = &text[..at];
                let in_directory =
                    *kind == Kind::Segment || (before.ends_with('/') && !before.ends_with("://"));
                if in_directory && value.starts_with(['/', '\\']) {
                    return None;
                }
                values.push((name.clone(), value));
                at = end;
            }
        }
    }
    Some(values)
}

/// For each part and each place in the text: whether the parts from there on fit the text from
/// there on. Filled from the end, so that the time is the product of both lengths at most, however
/// hostile the text is.
fn fitting(parts: &[Part], text: &[u8]) -> Vec<Vec<bool>> {
    let mut rows = vec![vec![false; text.len() + 1]; parts.len() + 1];
    rows[parts.len()][text.len()] = true;
    for (index, part) in parts.iter().enumerate().rev() {
        for at in (0..text.len()).rev() {
            rows[index][at] = match part {
                Part::Literal(literal) => {
                    text[at..].starts_with(literal.as_bytes())
                        && rows[index + 1][at + literal.len()]
                }
                Part::Variable { kind, .. } => {
                    kind.allows(text[at]) && (rows[index + 1][at + 1] || rows[index][at + 1])
                }
            };
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    fn matched(template: &str, uri: &str) -> Option<Vec<(String, String)>> {
        UriTemplate::parse(template).unwrap().matches(uri)
    }

    #[track_caller]
    fn assert_match(template: &str, uri: &str, expected: &[(&str, &str)]) {
        let expected = expected.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        assert_eq!(matched(template, uri), Some(expected.collect()), "{template} {uri}");
    }

    #[track_caller]
    fn assert_no_match(template: &str, uris: &[&str]) {
        for uri in uris {
            assert_eq!(matched(template, uri), None, "{template} {uri}");
        }
    }

    #[test]
    fn r5_a_variable_is_a_part_of_a_segment() {
        let template = "test://template/{id}/data";
        assert_match(template, "test://template/123/data", &[("id", "123")]);
        assert_match(template, "test://template/a@b:c,d;e/data", &[("id", "a@b:c,d;e")]);
        assert_no_match(
            template,
            &[
                "",
                "test://template/",
                "test://template//data",
                "test://template/1/2/data",
                "test://template/1/data/",
                "test://template/1?/data",
                "test://template/1#/data",
                "TEST://template/1/data",
                "test://template/1 2/data",
                "test://template/\u{e9}/data",
            ],
        );
    }

    #[test]
    fn r5_a_reserved_variable_takes_slashes_too() {
        assert_match("file:///{+path}", "file:///a/b%20c?d#e", &[("path", "a/b c?d#e")]);
        assert_match("x:{+dir}/{name}", "x:a/b/c", &[("dir", "a/b"), ("name", "c")]);
        assert_no_match("file:///{+path}", &["file:///", "file://a", "file:///a b"]);
    }

    #[test]
    fn r5_operators_bring_their_separators() {
        assert_match("x:{a,b}", "x:1,2", &[("a", "1"), ("b", "2")]);
        assert_match("x:c{/a,b}", "x:c/1/2", &[("a", "1"), ("b", "2")]);
        assert_match("x:{name}{.ext}", "x:a.tar.gz", &[("name", "a.tar"), ("ext", "gz")]);
        assert_match("x:{name}{#at}", "x:a#b/c", &[("name", "a"), ("at", "b/c")]);
        assert_no_match("x:c{/a,b}", &["x:c/1", "x:c/1/2/3", "x:c"]);
    }

    #[test]
    fn r5_a_query_has_its_parameters_in_any_order() {
        let template = "x://find{?q,limit}";
        assert_match(template, "x://find", &[]);
        assert_match(template, "x://find?q=a%26b", &[("q", "a&b")]);
        assert_match(template, "x://find?limit=&q=a/b?", &[("limit", ""), ("q", "a/b?")]);
        let everything = "x://{+path}{?q}";
        assert_match(everything, "x://a/b?q=c", &[("path", "a/b"), ("q", "c")]);
        assert_no_match(
            template,
            &["x://find?", "x://find?q", "x://find?q=1&q=2", "x://find?other=1", "x://find?q=%2"],
        );
        assert_no_match(template, &["x://find?q=1#a", "x://found?q=1", "x://find?q=1&"]);
    }

    #[test]
    fn r5_values_are_decoded_after_they_are_told_apart() {
        assert_match("x:{a}/{b}", "x:1%2F2/%C3%A9", &[("a", "1/2"), ("b", "\u{e9}")]);
        assert_match("x:{a}", "x:%252e", &[("a", "%2e")]);
        assert_no_match("x:{a}", &["x:%", "x:%2", "x:%zz", "x:%ff"]);
        assert_no_match("x:{a}F", &["x:1%2F"]);
    }

    #[test]
    fn r5_no_value_leads_to_another_directory() {
        assert_no_match("x:{a}", &["x:..", "x:%2e%2e", "x:..%2Fa", "x:a%5c.."]);
        assert_no_match("x:{+a}", &["x:a/../b", "x:a/%2E./b"]);
        assert_no_match("x:{a,b}", &["x:..,b", "x:a,%2e%2e"]);
        assert_no_match("x:a{?b}", &["x:a?b=../c", "x:a?b=.."]);
        assert_match("x:{a}", "x:a..b", &[("a", "a..b")]);
    }

    #[test]
    fn r5_no_value_in_a_directory_is_an_absolute_path() {
        assert_no_match("x://a/{b}", &["x://a/%2Fetc", "x://a/%5Cetc", "x://a/%2F%2Fhost"]);
        assert_no_match("x:{a}", &["x:%2Fetc"]);
        assert_no_match("file:///{+path}", &["file:////etc/passwd"]);
        assert_no_match("x://a/{+path}", &["x://a//etc", "x://a/%2Fetc", "x://a/%5Cetc"]);
        assert_match("file://{+path}", "file:///etc/hosts", &[("path", "/etc/hosts")]);
        assert_match("x://a{?at}", "x://a?at=/b", &[("at", "/b")]);
    }

    #[test]
    fn r5_variables_to_the_left_take_as_much_as_they_can() {
        assert_match("x:{+path}.{ext}", "x:a.b/c.txt", &[("path", "a.b/c"), ("ext", "txt")]);
        assert_match("x:{a}-{b}-{c}", "x:1-2-3-4", &[("a", "1-2"), ("b", "3"), ("c", "4")]);
    }

    #[test]
    fn r5_a_template_without_variables_matches_itself() {
        assert_match("x:a", "x:a", &[]);
        assert_no_match("x:a", &["x:", "x:ab", "x:%61"]);
    }

    #[test]
    fn r5_a_hostile_uri_costs_little() {
        let template = "x:{+a}/{+b}/{+c}/{+d}/{+e}/{+f}!";
        assert_no_match(template, &[&format!("x:{}", "/".repeat(60_000))]);
        let values = matched(template, &format!("x:{}a!", "a/".repeat(30_000))).unwrap();
        assert_eq!(values.iter().map(|(_, value)| value.len()).sum::<usize>(), 60_001 - 5);
        assert_no_match("x:{+a}", &[&format!("x:{}", "a".repeat(LONGEST))]);
    }

    proptest! {
        #[test]
        fn r5_what_a_template_expands_to_matches_it(
            a in any::<String>(), b in any::<String>(), q in any::<String>(),
        ) {
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let uri = format!("x:{}/{}?q={}", encode(&a), encode(&b), encode(&q));
            let is_value = |text: &String| !uri::has_dot_segment(text);
            let is_path = |text: &String| !text.is_empty() && !text.starts_with(['/', '\\']);
            let expected = [&a, &b].into_iter().all(is_path) && [&a, &b, &q].into_iter().all(is_value);
            let values = [("a", a), ("b", b), ("q", q)].map(|(name, value)| (name.to_owned(), value));
            prop_assert!(uri::is_uri(&uri));
            prop_assert_eq!(
                matched("x:{a}/{+b}{?q}", &uri),
                expected.then(|| values.to_vec())
            );
        }

        #[test]
        fn r5_no_template_and_no_uri_panics(
            template in "x:[ax,.:/?#&+*{}%]{0,12}", uri in any::<String>(), like in "x:[ax,./?#%2]{0,12}",
        ) {
            if let Ok(template) = UriTemplate::parse(&template) {
                for uri in [uri, like] {
                    let values = template.matches(&uri).unwrap_or_default();
                    prop_assert!(values.len() <= template.variables().count());
                }
            }
        }
    }
}
