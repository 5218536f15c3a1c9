//! Folders of installed packages, in the workspace's target folder.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long an installation may take.
pub(crate) const INSTALLATION: Duration = Duration::from_secs(300);

/// Where the folders are.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients")
}

/// The folder of this name, with these files in it and whatever `install` adds.
///
/// It is filled once, and again when the files or the `edition` (what else the installation
/// depends on) change. Tests that need the same folder wait for each other.
pub(crate) async fn filled(
    name: &str,
    edition: &str,
    files: &[(&str, &str)],
    install: impl AsyncFnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let folder = root().join(name);
    let _lock = lock(name).map_err(|error| format!("{name}.lock: {error}"))?;
    let stamp = folder.join("installed.txt");
    let wanted = format!("{edition}\n{files:#?}\n");
    if fs::read_to_string(&stamp).is_ok_and(|present| present == wanted) {
        return Ok(folder);
    }
    prepare(&folder, files).map_err(|error| format!("{}: {error}", folder.display()))?;
    install(&folder).await?;
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(folder)
}

/// Keeps other tests and other processes out of a folder for as long as the file is open.
fn lock(name: &str) -> io::Result<File> {
    fs::create_dir_all(root())?;
    let lock = File::create(root().join(name).with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Makes a folder that holds these files and nothing else.
fn prepare(folder: &Path, files: &[(&str, &str)]) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
}
