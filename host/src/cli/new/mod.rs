//! A new project: a server with one tool and its tests, ready for `midge dev`.

mod name;
mod origin;
mod template;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub(crate) use self::{name::ProjectName, origin::Origin};

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

/// Makes the project in a folder of its name, and says where.
pub(crate) fn create(
    parent: &Path,
    name: &ProjectName,
    origin: &Origin,
) -> Result<PathBuf, NewError> {
    let folder = parent.join(name.as_str());
    ensure_vacant(&folder)?;
    for file in template::FILES {
        let path = folder.join(file.path);
        write(&path, &file.text(name, origin))
            .map_err(|source| NewError::Write { path, source })?;
    }
    Ok(folder)
}

/// Nothing is ever overwritten: the folder is not there, or is empty.
fn ensure_vacant(folder: &Path) -> Result<(), NewError> {
    let path = || folder.to_owned();
    match fs::read_dir(folder).map(|mut files| files.next()) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(NewError::NotEmpty { path: path() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(NewError::Write { path: path(), source }),
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
