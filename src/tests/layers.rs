//! The order of modules in `ARCHITECTURE.md` is the one of the code, in the SDK and in the host.

mod imports;

use std::collections::{BTreeMap, BTreeSet};

use imports::{Module, Tree};

/// Modules, each with those it imports.
type Arrows<'a> = BTreeMap<&'a Module, BTreeSet<Module>>;

/// Layers of modules: the line of `ARCHITECTURE.md` that starts with these words. The modules that
/// import no other are first.
fn layers(start: &str) -> Vec<Vec<&'static str>> {
    let text = include_str!("../../ARCHITECTURE.md");
    let order = text.split('`').find(|text| text.starts_with(start)).unwrap();
    order.split(" ← ").map(|layer| layer.split(", ").collect()).collect()
}

/// Asserts that each module at the top of a tree imports only modules of the layers before its own.
#[track_caller]
fn assert_order(folder: &str, start: &str) {
    let (tree, layers) = (Tree::read(folder), layers(start));
    let layer = |name: &str| layers.iter().position(|layer| layer.contains(&name));
    let mut count = 0;
    for (module, imported) in tree.arrows() {
        let name = &module[0];
        assert!(layer(name).is_some(), "`{name}` is not in the line `{start} …`");
        for other in imported.iter().filter(|other| other[0] != *name) {
            assert!(layer(&other[0]) < layer(name), "{module:?} imports {other:?}");
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

/// The modules that are on an import cycle or between two, and what they import there.
fn cyclic(mut arrows: Arrows<'_>) -> Arrows<'_> {
    loop {
        let before = arrows.len();
        let importing: BTreeSet<Module> = arrows.keys().map(|module| (*module).clone()).collect();
        let imported: BTreeSet<Module> = arrows.values().flatten().cloned().collect();
        arrows.retain(|module, others| {
            others.retain(|other| importing.contains(other));
            !others.is_empty() && imported.contains(*module)
        });
        if arrows.len() == before {
            return arrows;
        }
    }
}

#[test]
fn modules_of_the_sdk_import_only_those_to_their_left() {
    assert_order("src", "protocol ←");
}

#[test]
fn modules_of_the_host_import_only_those_to_their_left() {
    assert_order("host/src", "config, error");
}

#[test]
fn no_files_of_the_sdk_import_each_other() {
    let tree = Tree::read("src");
    let mut arrows = tree.arrows();
    // The files of a folder share the items of its `mod.rs`, which declares them.
    arrows.iter_mut().for_each(|(module, others)| {
        others.retain(|other| !other.starts_with(module) && !module.starts_with(other));
    });
    assert_eq!(cyclic(arrows), BTreeMap::new());
}

#[test]
fn no_files_of_the_host_import_each_other() {
    let tree = Tree::read("host/src");
    assert_eq!(cyclic(tree.arrows()), BTreeMap::new());
}
