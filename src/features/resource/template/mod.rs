//! URI templates (RFC 6570), and the matching of a URI against one.
//!
//! The RFC defines expansion only; a server needs the way back. Of the crates that know it, one
//! compiles templates to regular expressions, which is more code than a whole component of ours,
//! and one may not be linked into everybody's server (AGPL). So the grammar is `iri-string`'s,
//! which checks URIs here anyway, and the matching is ours.
//!
//! # What is matched
//! | expression | stands for |
//! |---|---|
//! | `{x}` | one or more characters, but no `/`, `?` or `#` |
//! | `{+x}` | one or more characters of any kind |
//! | `{/x}`, `{.x}`, `{#x}` | the same after a `/`, a `.` or a `#`; `{#x}` takes all kinds |
//! | `{x,y}` and the like | both, with the operator's separator between them |
//! | `{?x,y}` | parameters of a query, in any order, none of them required; only at the end |
//!
//! That is Levels 1 to 3 but for `{;x}` and `{&x}`. Modifiers (Level 4) are not matched: `{x*}` is
//! a list, where a variable here is a string, and `{x:3}` does not say what was cut off.
//!
//! A variable never is the empty string, but in a query, and never has a segment `.` or `..`. `{x}`,
//! and `{+x}` after a `/` that is not that of `://`, do not begin with a slash, encoded or not: they
//! are no absolute paths.
//! Where a URI can be divided in several ways, variables to the left take as much as they can.
//! Literals are compared as they are written; values are percent-decoded after they were told
//! apart, so that an encoded slash can be part of `{x}`. More is matched than an expansion can
//! give: clients leave `@` or `:` as they are where an expansion writes `%40`.

mod matching;

use iri_string::template::UriTemplateStr;

use crate::protocol::uri;

/// Why a text is no template of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{template}`: {reason}")]
pub(crate) struct InvalidTemplate {
    template: String,
    reason: String,
}

/// A template that URIs can be matched against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UriTemplate {
    /// Between two variables there always is a literal.
    parts: Vec<Part>,
    /// The variables of `{?…}`; without it, a query is an ordinary part.
    query: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable { name: String, kind: Kind },
}

/// What a variable may be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A segment of a path, or less.
    Segment,
    /// Anything: a path, or a whole URI.
    Any,
}

impl UriTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        Self::read(text).map_err(|reason| InvalidTemplate { template: text.to_owned(), reason })
    }

    fn read(text: &str) -> Result<Self, String> {
        UriTemplateStr::new(text).map_err(|error| error.to_string())?;
        let mut template = Self { parts: Vec::new(), query: None };
        let mut chunks = text.split('{');
        template.push_literal(chunks.next().unwrap_or_default())?;
        for chunk in chunks {
            let (expression, literal) = chunk.split_once('}').unwrap_or((chunk, ""));
            template
                .push_expression(expression)
                .map_err(|reason| format!("`{{{expression}}}` {reason}"))?;
            template.push_literal(literal)?;
        }
        template.check()?;
        Ok(template)
    }

    /// All variables, in the order of the template.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        let in_parts = self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable { name, .. } => Some(name),
        });
        in_parts.chain(self.query.iter().flatten()).map(String::as_str)
    }

    fn push_literal(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        if self.query.is_some() {
            return Err(format!("`{text}` follows `{{?…}}`, which is matched at the end only"));
        }
        match self.parts.last_mut() {
            Some(Part::Literal(before)) => before.push_str(text),
            _ => self.parts.push(Part::Literal(text.to_owned())),
        }
        Ok(())
    }

    /// Adds what is between two braces.
    fn push_expression(&mut self, expression: &str) -> Result<(), String> {
        let (first, separator, kind) = match expression.chars().next() {
            Some('+') => ("", ",", Kind::Any),
            Some('#') => ("#", ",", Kind::Any),
            Some('.') => (".", ".", Kind::Segment),
            Some('/') => ("/", "/", Kind::Segment),
            Some('?') => return self.push_query(&expression[1..]),
            Some(operator @ (';' | '&')) => {
                return Err(format!("has the operator `{operator}`, which is not matched"));
            }
            _ => ("", ",", Kind::Segment),
        };
        let names = expression.strip_prefix(['+', '#', '.', '/']).unwrap_or(expression);
        for (index, name) in names.split(',').enumerate() {
            self.push_literal(if index == 0 { first } else { separator })?;
            self.push_variable(plain(name)?, kind)?;
        }
        Ok(())
    }

    fn push_variable(&mut self, name: String, kind: Kind) -> Result<(), String> {
        if self.query.is_some() {
            return Err("follows `{?…}`, which is matched at the end only".to_owned());
        }
        if let Some(Part::Variable { name: before, .. }) = self.parts.last() {
            return Err(format!("cannot be told apart from `{before}` before it"));
        }
        self.parts.push(Part::Variable { name, kind });
        Ok(())
    }

    fn push_query(&mut self, names: &str) -> Result<(), String> {
        let starts_earlier =
            |part: &Part| matches!(part, Part::Literal(text) if text.contains(['?', '#']));
        if self.query.is_some() || self.parts.iter().any(starts_earlier) {
            return Err("follows another query or a fragment".to_owned());
        }
        self.query = Some(names.split(',').map(plain).collect::<Result<_, _>>()?);
        Ok(())
    }

    /// What can be said of the template as a whole only.
    fn check(&self) -> Result<(), String> {
        let names: Vec<&str> = self.variables().collect();
        if let Some((_, name)) =
            names.iter().enumerate().find(|(index, name)| names[..*index].contains(name))
        {
            return Err(format!("has the variable `{name}` twice"));
        }
        let expanded_by = |value: &str| -> String {
            let text = |part: &Part| match part {
                Part::Literal(text) => text.clone(),
                Part::Variable { .. } => value.to_owned(),
            };
            self.parts.iter().map(text).collect()
        };
        // One for a variable that is a scheme, one for a variable that is a port.
        if uri::is_uri(&expanded_by("x")) || uri::is_uri(&expanded_by("1")) {
            Ok(())
        } else {
            Err("does not expand to a URI with a scheme".to_owned())
        }
    }
}

/// A variable without a modifier.
fn plain(name: &str) -> Result<String, String> {
    if name.ends_with('*') {
        return Err(
            "is a list, and a variable is a string: `{+path}` matches whole paths".to_owned()
        );
    }
    if name.contains(':') {
        return Err("has a prefix length, which is not matched".to_owned());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(template: &str) -> String {
        UriTemplate::parse(template).unwrap_err().to_string()
    }

    #[test]
    fn r2_variables_are_named_in_order() {
        let template = UriTemplate::parse("x://{b}{/a,c}{.d_1}{?q,r.s}").unwrap();
        assert_eq!(template.variables().collect::<Vec<_>>(), ["b", "a", "c", "d_1", "q", "r.s"]);
    }

    #[test]
    fn r2_what_is_no_template_is_refused_with_its_place() {
        for text in [
            "x:{",
            "x:{}",
            "x:}",
            "x:{a b}",
            "x:{a,}",
            "x:{=a}",
            "x:{{a}}",
            "x:a b",
            "x:%2{a}",
            "x:\u{e9}{a}",
        ] {
            assert!(problem(text).contains("invalid URI template"), "{text}: {}", problem(text));
        }
    }

    #[test]
    fn r2_what_cannot_be_matched_is_refused() {
        for (text, reason) in [
            ("x:{a}{b}", "`{b}` cannot be told apart from `a` before it"),
            ("x:{+a}{b}", "`{b}` cannot be told apart from `a` before it"),
            ("x:{a}/{a}", "has the variable `a` twice"),
            ("x:{a}{?a}", "has the variable `a` twice"),
            ("x:a{;b}", "`{;b}` has the operator `;`, which is not matched"),
            ("x:a?b=c{&d}", "`{&d}` has the operator `&`, which is not matched"),
            (
                "x:a{/b*}",
                "`{/b*}` is a list, and a variable is a string: `{+path}` matches whole paths",
            ),
            ("x:{a:3}", "`{a:3}` has a prefix length, which is not matched"),
            ("x:{?a:3}", "`{?a:3}` has a prefix length, which is not matched"),
            ("x:a{?b}c", "`c` follows `{?…}`, which is matched at the end only"),
            ("x:a{?b}{c}", "`{c}` follows `{?…}`, which is matched at the end only"),
            ("x:a{?b}{?c}", "`{?c}` follows another query or a fragment"),
            ("x:a?b{?c}", "`{?c}` follows another query or a fragment"),
            ("x:a{#b}{?c}", "`{?c}` follows another query or a fragment"),
            ("notes/{a}", "does not expand to a URI with a scheme"),
            ("{+uri}", "does not expand to a URI with a scheme"),
            ("", "does not expand to a URI with a scheme"),
        ] {
            assert_eq!(problem(text), format!("`{text}`: {reason}"));
        }
        for text in ["{scheme}://a", "http://localhost:{port}/", "x:{a}"] {
            assert!(UriTemplate::parse(text).is_ok(), "{text}");
        }
    }
}
