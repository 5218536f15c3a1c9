//! The order of modules in `ARCHITECTURE.md` is the one of the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Modules that each layer has, the ones that know nothing of the others first.
fn layers() -> Vec<Vec<String>> {
    let text = include_str!("../../ARCHITECTURE.md");
    let order = text.split('`').find(|text| text.starts_with("protocol ← ")).unwrap();
    let layers = order.split(" ← ").map(|layer| layer.split(", ").map(str::to_owned).collect());
    layers.collect()
}

/// Adds all modules that a file, or the files of a folder, name by `crate::`. Unit tests may know
/// everything: they are at the end of their files.
fn read(path: &Path, known: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            read(&entry.unwrap().path(), known);
        }
        return;
    }
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    for rest in code.split("crate::").skip(1) {
        let names = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap());
        let count = if rest.starts_with('{') { usize::MAX } else { 1 };
        for name in names.split([',', ';']).take(count) {
            let name = name.trim().split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next();
            known.extend(name.map(str::to_owned));
        }
    }
}

/// What each module knows.
fn modules() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name != "lib" && name != "tests" {
            read(&path, modules.entry(name).or_default());
        }
    }
    modules
}

#[test]
fn every_module_knows_only_those_to_its_left() {
    let (layers, modules) = (layers(), modules());
    let place = |name: &str| layers.iter().position(|layer| layer.iter().any(|m| m == name));
    let unnamed: Vec<_> = modules.keys().filter(|name| place(name).is_none()).collect();
    assert!(unnamed.is_empty(), "not in ARCHITECTURE.md: {unnamed:?}");
    let edges = modules.iter().flat_map(|(name, known)| known.iter().map(move |to| (name, to)));
    let edges: Vec<_> =
        edges.filter(|(name, to)| name != to && modules.contains_key(*to)).collect();
    assert!(edges.len() > 40, "{}", edges.len());
    for (name, to) in edges {
        assert!(place(to) < place(name), "`{name}` knows `{to}`");
    }
}
