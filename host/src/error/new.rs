//! Errors of creating a project.

use std::{io, path::PathBuf};

/// Why a project cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The folder is taken.
    #[error("{} is not empty: choose another name, or empty it", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// What is to be the project's folder cannot be looked into, or written to.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// `--midge` names a folder in which there is no Midge.
    #[error(
        "no source tree of Midge in {} (`--midge` takes its folder, or a version)", path.display()
    )]
    NoMidge {
        /// The folder.
        path: PathBuf,
    },
}
