//! Guest projects in temporary folders.
#![allow(dead_code, reason = "not every test binary uses all of it")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A target folder beside the one that the tests are built in, which cargo may hold a lock on.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests")
}

/// A guest project of its own, of this name and source.
pub(crate) fn project(folder: &Path, name: &str, source: &str) {
    let midge = tree();
    fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nmidge = {{ path = {midge:?} }}\nschemars = \"1\"\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    lock(folder);
    write(folder, source);
}

/// Gives a project the versions of this workspace, which need not be looked for.
pub(crate) fn lock(folder: &Path) {
    fs::copy(tree().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
}

/// The source tree.
pub(crate) fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

pub(crate) fn write(folder: &Path, source: &str) {
    fs::write(folder.join("src/lib.rs"), source).unwrap();
}
