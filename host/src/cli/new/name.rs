//! Names of projects.

use std::fmt;

/// The longest name that crates.io accepts.
const LONGEST: usize = 64;

/// Crates that every project depends on. A package of the same name would be ambiguous.
const TAKEN: [&str; 5] = ["midge", "midge-host", "schemars", "serde", "serde_json"];

/// Names that cargo refuses: crates of the compiler, and its own folders.
const RESERVED: [&str; 9] =
    ["alloc", "build", "core", "deps", "examples", "incremental", "proc_macro", "std", "test"];

/// Keywords: `use NAME::…` would not compile.
const KEYWORDS: [&str; 50] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while",
];

/// The name of a project, of its package, its folder and its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProjectName(String);

/// Why a text is not a [`ProjectName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error(
        "a name begins with a lowercase letter and has lowercase letters, digits, `-` and `_` only"
    )]
    Characters,
    #[error("a name has {LONGEST} characters at most")]
    TooLong,
    #[error("a project cannot have the name of a crate that it uses")]
    Taken,
    #[error("this is a word of Rust or cargo")]
    Reserved,
}

impl ProjectName {
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let is_allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) || !text.chars().all(is_allowed) {
            return Err(NameError::Characters);
        }
        if text.len() > LONGEST {
            return Err(NameError::TooLong);
        }
        if TAKEN.iter().any(|taken| taken.replace('-', "_") == text.replace('-', "_")) {
            return Err(NameError::Taken);
        }
        if RESERVED.contains(&text) || KEYWORDS.contains(&text) {
            return Err(NameError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the library, and so of the component file.
    pub(super) fn crate_name(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_crate_names() {
        for name in ["a", "hello", "my-server", "my_server2", &"a".repeat(LONGEST)] {
            assert_eq!(ProjectName::parse(name).unwrap().as_str(), name);
        }
        for (name, error) in [
            ("", NameError::Characters),
            ("2fast", NameError::Characters),
            ("-x", NameError::Characters),
            ("a/b", NameError::Characters),
            ("..", NameError::Characters),
            ("a b", NameError::Characters),
            ("caf\u{e9}", NameError::Characters),
            ("Hello", NameError::Characters),
            (&"a".repeat(LONGEST + 1), NameError::TooLong),
            ("midge", NameError::Taken),
            ("midge_host", NameError::Taken),
            ("serde-json", NameError::Taken),
            ("async", NameError::Reserved),
            ("test", NameError::Reserved),
        ] {
            assert_eq!(ProjectName::parse(name), Err(error), "{name:?}");
        }
    }

    #[test]
    fn a_component_has_the_name_of_its_crate() {
        assert_eq!(ProjectName::parse("my-server").unwrap().crate_name(), "my_server");
    }
}
