//! The source tree this command was built from: where the demo is, and Midge itself.

use std::path::{Path, PathBuf};

/// The tree, as it was when this crate was compiled.
pub(crate) const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The tree, if it is still there: a crate that was installed from a registry has none.
pub(crate) fn find() -> Option<PathBuf> {
    let path = Path::new(PATH);
    is_in(path).then(|| path.to_owned())
}

/// Whether there is a source tree of Midge in a folder.
pub(crate) fn is_in(folder: &Path) -> bool {
    ["wit/world.wit", "src/lib.rs", "host/Cargo.toml"]
        .iter()
        .all(|file| folder.join(file).is_file())
}
