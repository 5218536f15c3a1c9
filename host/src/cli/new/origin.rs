//! Where a new project gets Midge from.

use std::{convert::Infallible, path::PathBuf, str::FromStr};

use crate::{cli::source_tree, error::NewError};

/// The value of `--midge`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A source tree.
    Tree(PathBuf),
    /// A version on crates.io.
    Version(String),
}

impl FromStr for Origin {
    type Err = Infallible;

    /// A version begins with a digit or an operator of cargo's version requirements. A folder whose name
    /// does is `./2`.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_version = text
            .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '=' | '^' | '~' | '<' | '>'));
        Ok(if is_version {
            Self::Version(text.to_owned())
        } else {
            Self::Tree(PathBuf::from(text))
        })
    }
}

impl Origin {
    /// Returns what this command was built from: its source tree if it still exists, or its version.
    pub(crate) fn own() -> Self {
        source_tree::find()
            .map_or_else(|| Self::Version(env!("CARGO_PKG_VERSION").to_owned()), Self::Tree)
    }

    /// Makes the path absolute, and checks that it is a source tree of Midge.
    pub(crate) fn resolve(self) -> Result<Self, NewError> {
        match self {
            Self::Tree(path) => match path.canonicalize() {
                Ok(tree) if source_tree::is_in(&tree) => Ok(Self::Tree(tree)),
                _ => Err(NewError::NoMidge { path }),
            },
            version @ Self::Version(_) => Ok(version),
        }
    }

    /// Returns the version or the path of a dependency on a crate of Midge, as pairs of a TOML table.
    /// `folder` is the folder of the crate in the source tree.
    pub(super) fn dependency(&self, folder: Option<&str>) -> String {
        match self {
            Self::Tree(tree) => {
                let path = folder.map_or_else(|| tree.clone(), |folder| tree.join(folder));
                format!("path = {}", toml(&path.to_string_lossy()))
            }
            Self::Version(version) => format!("version = {}", toml(version)),
        }
    }
}

/// Quotes a string for TOML, as for JSON.
pub(super) fn toml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    #[test]
    fn versions_and_folders_are_distinguished() {
        for version in ["0.1.0", "1", "=0.1.2", ">=1, <3"] {
            assert_eq!(origin(version), Origin::Version(version.to_owned()));
        }
        for folder in [".", "../midge", "/src/midge", "midge", "./2"] {
            assert_eq!(origin(folder), Origin::Tree(PathBuf::from(folder)));
        }
    }

    #[test]
    fn a_folder_without_midge_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Origin::Tree(folder.path().to_owned());
        assert!(matches!(tree.resolve(), Err(NewError::NoMidge { .. })));
        let none = Origin::Tree(folder.path().join("none"));
        assert!(matches!(none.resolve(), Err(NewError::NoMidge { .. })));
    }

    #[test]
    fn a_dependency_is_valid_toml_for_every_folder() {
        let tree = Origin::Tree(PathBuf::from("/a \"b\"/\u{1}"));
        assert_eq!(tree.dependency(Some("host")), r#"path = "/a \"b\"/\u0001/host""#);
        assert_eq!(origin("0.1.0").dependency(Some("host")), r#"version = "0.1.0""#);
    }
}
