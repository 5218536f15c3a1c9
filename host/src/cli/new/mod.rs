//! `midge new`: creates a project with one tool and its tests.

pub(super) mod name;
pub(super) mod origin;
mod template;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use self::{name::ProjectName, origin::Origin};
use crate::error::NewError;

/// Creates a project in a folder of its name, and returns the path.
pub(super) fn create(
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

/// Checks that the folder does not exist or is empty. No file is ever overwritten.
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
