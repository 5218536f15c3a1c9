//! What runs on Spin: manifests are of the form that Spin reads, and components import only what it
//! has.

mod imports;
mod manifest;
mod runs;

use std::{
    fs,
    path::{Path, PathBuf},
};

use self::manifest::{Manifest, check};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// All manifests of the repository: that of the demo, of the template, and those in `deploy/`.
fn manifests() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    let is_manifest = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("spin.") && name.ends_with(".toml")
    };
    let entries = fs::read_dir(root.join("deploy")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(is_manifest).collect();
    found.push(root.join("spin.toml"));
    found.push(root.join("host/template/spin.toml"));
    found.sort();
    found
}

/// A manifest as it is when it is used: a template with its placeholders filled in.
fn text(path: &Path) -> String {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace("{{name}}", "\"my-server\"").replace("{{crate}}", "my_server")
}

#[test]
fn manifests_are_of_the_form_that_spin_reads() {
    let found = manifests();
    assert!(found.len() >= 5, "{found:?}");
    for path in found {
        let problems = check(&text(&path), path.parent());
        assert_eq!(problems, [""; 0], "{}", path.display());
    }
}

#[test]
fn manifests_in_the_docs_are_of_that_form() {
    let docs = fs::read_to_string(Path::new(ROOT).join("docs/deploy.md")).unwrap();
    let blocks = docs.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let of_spin = blocks.filter(|block| block.contains("[component."));
    let mut count = 0;
    for block in of_spin {
        count += 1;
        let block: Vec<&str> = block.lines().map(str::trim_start).collect();
        let whole = format!(
            "spin_manifest_version = 2\n{}\n[application]\nname = \"x\"\n",
            block.join("\n")
        );
        let manifest: Result<Manifest, _> = toml::from_str(&whole);
        let problems = manifest.map(|manifest| manifest.problems_of_components());
        assert_eq!(problems, Ok(Vec::new()), "{whole}");
    }
    assert!(count > 0, "the docs show how variables are handed on");
}
