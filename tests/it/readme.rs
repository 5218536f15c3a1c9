//! What the README promises and no other test shows.

use std::{fs, path::Path};

/// Several packages of the workspace have programs, and cargo picks none of them by itself.
#[test]
fn a_bare_cargo_run_starts_midge() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = |folder: &str| -> toml::Table {
        let path = root.join(folder).join("Cargo.toml");
        fs::read_to_string(path).expect("a manifest").parse().expect("it is TOML")
    };
    let workspace = manifest(".");
    let members = workspace["workspace"]["default-members"].as_array().expect("a list");
    let runs = members.iter().filter_map(|member| {
        let package = manifest(member.as_str()?);
        Some(package["package"].get("default-run")?.as_str()?.to_owned())
    });
    assert_eq!(runs.collect::<Vec<_>>(), ["midge"]);
}
