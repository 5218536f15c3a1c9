//! The source tree that this command was built from.

use std::path::{Path, PathBuf};

/// Path of the tree when this crate was compiled.
pub(super) const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Returns the tree if it still exists. A crate from a registry has none.
pub(super) fn find() -> Option<PathBuf> {
    let path = Path::new(PATH);
    is_in(path).then(|| path.to_owned())
}

/// Whether a folder is a source tree of Midge.
pub(super) fn is_in(folder: &Path) -> bool {
    ["wit/world.wit", "src/lib.rs", "host/Cargo.toml"]
        .iter()
        .all(|file| folder.join(file).is_file())
}
