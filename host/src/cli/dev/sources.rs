//! The source files of a component.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Reads the source files of a component from the dependency file that cargo writes beside it.
pub(super) fn sources(component: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(component.with_extension("d")).unwrap_or_default();
    let Some((_, files)) = text.lines().next().and_then(|line| line.split_once(": ")) else {
        return Vec::new();
    };
    // A space in a name is escaped as `\ `.
    files
        .replace("\\ ", "\0")
        .split_ascii_whitespace()
        .map(|file| PathBuf::from(file.replace('\0', " ")))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_from_the_dependency_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guest.d");
        fs::write(&file, "/t/guest.wasm: /src/lib.rs /my\\ src/a.rs\n").unwrap();
        assert_eq!(
            sources(&file.with_extension("wasm")),
            [Path::new("/src/lib.rs"), Path::new("/my src/a.rs")]
        );
        assert!(sources(&folder.path().join("none.wasm")).is_empty());
    }
}
