//! The files of a new project. They are in `host/template/`, under names that neither cargo nor git
//! interprets there.

use super::{
    name::ProjectName,
    origin::{Origin, toml},
};

/// A file with `{{…}}` as placeholders.
pub(super) struct File {
    /// Path of the file in a project.
    pub(super) path: &'static str,
    template: &'static str,
}

macro_rules! files {
    ($($path:literal from $source:literal,)*) => {
        &[$(File { path: $path, template: include_str!(concat!("../../../template/", $source)) },)*]
    };
}

pub(super) const FILES: &[File] = files! {
    "Cargo.toml" from "Cargo.toml.in",
    "src/lib.rs" from "src/lib.rs",
    "tests/component.rs" from "tests/component.rs",
    "spin.toml" from "spin.toml",
    ".cargo/config.toml" from "cargo-config.toml",
    "rust-toolchain.toml" from "rust-toolchain.toml",
    "README.md" from "README.md",
    ".gitignore" from "gitignore",
};

impl File {
    /// Returns the text of the file in a project of this name.
    pub(super) fn text(&self, name: &ProjectName, origin: &Origin) -> String {
        fill(self.template, |word| {
            Some(match word {
                "name" => toml(name.as_str()),
                "title" => name.to_string(),
                "crate" => name.crate_name(),
                "midge" => origin.dependency(None),
                "midge-host" => origin.dependency(Some("host")),
                "repository" => env!("CARGO_PKG_REPOSITORY").to_owned(),
                _ => return None,
            })
        })
    }
}

/// Replaces placeholders by words. Words are not searched for placeholders, and unknown placeholders
/// stay.
fn fill(template: &str, word: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        rest = match after.split_once("}}").and_then(|(key, after)| Some((word(key)?, after))) {
            Some((word, after)) => {
                text.push_str(&word);
                after
            }
            None => {
                text.push_str("{{");
                after
            }
        };
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_once() {
        let word = |key: &str| (key == "a").then(|| "{{a}}".to_owned());
        assert_eq!(fill("{{a}} {{b}} {{a", word), "{{a}} {{b}} {{a");
        assert_eq!(fill("x{{a}}y", word), "x{{a}}y");
        assert_eq!(fill("{{ {{a}}", |_| Some("1".to_owned())), "1");
        assert_eq!(fill("{{b}}{{a}}", |key| (key == "a").then(|| "1".to_owned())), "{{b}}1");
    }

    #[test]
    fn no_placeholder_stays() {
        let origin = Origin::Version("0.1.0".to_owned());
        let name = ProjectName::parse("my-server").ok();
        for file in FILES {
            let text = name.as_ref().map(|name| file.text(name, &origin)).unwrap_or_default();
            assert!(!text.is_empty() && !text.contains("{{"), "{}: {text}", file.path);
        }
    }
}
