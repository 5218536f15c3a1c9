//! Errors of creating a project.

use std::{io, path::PathBuf};

/// Why a project cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The folder exists and is not empty.
    #[error("{} is not empty: choose another name, or empty it", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The folder of the project cannot be read or written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// `--midge` names a folder that is not a source tree of Midge.
    #[error(
        "no source tree of Midge in {} (`--midge` takes its folder, or a version)", path.display()
    )]
    NoMidge {
        /// The folder.
        path: PathBuf,
    },
}
