//! What Spin 3 and 4 have for components.

use std::{collections::BTreeSet, fs, path::Path};

use midge_tests::guests;
use wit_component::{DecodedWasm, decode};
use wit_parser::{InterfaceId, Resolve, Stability, WorldItem};

const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");

/// The interfaces of WASI 0.2 in the world of an HTTP component: `wasi:cli/imports` and
/// `wasi:http/outgoing-handler`, which all of them include. In version 0.2.0 of the worlds
/// `fermyon:spin@3.0.0` (Spin 3.0; in crate spin-sdk 5.2.0, `wit/deps/spin@3.0.0`, by
/// `fermyon:spin/platform@2.0.0`), in 0.2.3 of `spin:up@3.2.0`, and in 0.2.6 of `spin:up@3.6.0`,
/// `spin:up@4.0.0` and `spin:up@4.1.0` (Spin's `wit/world.wit`).
const WASI: [&str; 24] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/tcp",
];

/// The drafts that the same worlds include: from Spin 3.0 on, and unchanged in Spin 4.1.
const DRAFTS: [&str; 4] = [
    "wasi:config/store@0.2.0-draft-2024-09-27",
    "wasi:keyvalue/atomics@0.2.0-draft2",
    "wasi:keyvalue/batch@0.2.0-draft2",
    "wasi:keyvalue/store@0.2.0-draft2",
];

/// What Spin has of its own, and its crate for WASI 0.2 asks for: in all of these worlds from Spin
/// 3.2 on. Spin 4 has `spin:sqlite/sqlite@3.1.0`, which hosts link 3.0.0 to.
const OWN: [&str; 3] =
    ["fermyon:spin/key-value@2.0.0", "fermyon:spin/variables@2.0.0", "spin:sqlite/sqlite@3.0.0"];

/// The same for its crate for WASI 0.3: in the worlds `spin:up@4.0.0` and `spin:up@4.1.0`.
const OWN_3: [&str; 3] = [
    "spin:key-value/key-value@3.0.0",
    "spin:sqlite/sqlite@3.1.0",
    "spin:variables/variables@3.0.0",
];

/// What components of WASI 0.3 may import of that version besides: in the world of `spin:up@4.1.0`
/// by `wasi:cli/imports@0.3.0` and `wasi:http/client@0.3.0`.
const WASI_3: [&str; 9] = [
    "wasi:cli/stderr@0.3.0",
    "wasi:cli/stdin@0.3.0",
    "wasi:cli/stdout@0.3.0",
    "wasi:cli/types@0.3.0",
    "wasi:clocks/monotonic-clock@0.3.0",
    "wasi:clocks/system-clock@0.3.0",
    "wasi:clocks/types@0.3.0",
    "wasi:http/client@0.3.0",
    "wasi:http/types@0.3.0",
];

struct Imports {
    resolve: Resolve,
    interfaces: Vec<InterfaceId>,
}

impl Imports {
    fn of(guest: &str) -> Self {
        let bytes = fs::read(guest).unwrap_or_else(|error| panic!("{guest}: {error}"));
        let DecodedWasm::Component(resolve, world) = decode(&bytes).expect("it decodes") else {
            panic!("{guest} is no component");
        };
        let items = resolve.worlds[world].imports.values().map(|item| match item {
            WorldItem::Interface { id, .. } => *id,
            other => panic!("{guest}: only interfaces, not {other:?}"),
        });
        let interfaces = items.collect();
        Self { resolve, interfaces }
    }

    fn names(&self) -> BTreeSet<String> {
        let name = |id: &InterfaceId| self.resolve.id_of(*id).expect("an interface has a name");
        self.interfaces.iter().map(name).collect()
    }

    /// The names of those that Spin does not have.
    fn unknown_to_spin(&self) -> Vec<String> {
        let names = self.names().into_iter();
        let is_known = |name: &str| DRAFTS.contains(&name) || OWN.contains(&name);
        names.filter(|name| !is_known(name) && !is_wasi_of_spin(name)).collect()
    }
}

/// Whether Spin has an interface in some version 0.2.x, which all such versions are linked to.
fn is_wasi_of_spin(name: &str) -> bool {
    let is_patch = |version: &str| version.parse::<u32>().is_ok();
    name.split_once("@0.2.").is_some_and(|(name, patch)| is_patch(patch) && WASI.contains(&name))
}

#[test]
fn components_for_spin_import_only_what_spin_3_and_4_have() {
    for guest in
        [guests::HELLO, guests::CART, guests::DEMO, guests::CONFORMANCE, guests::NOTES_SPIN]
    {
        assert_eq!(Imports::of(guest).unknown_to_spin(), [""; 0], "{guest}");
    }
}

#[test]
fn components_of_wasi_3_import_only_what_spin_4_1_has() {
    for guest in [guests::p3::HELLO, guests::p3::CART, guests::p3::DEMO] {
        let unknown = Imports::of(guest).unknown_to_spin();
        let (known, unknown): (Vec<_>, Vec<_>) =
            unknown.into_iter().partition(|name| WASI_3.contains(&name.as_str()));
        assert_eq!(unknown, [""; 0], "{guest}");
        assert!(known.contains(&"wasi:http/types@0.3.0".to_owned()), "{guest}: {known:?}");
    }
}

#[test]
fn a_handler_has_what_spin_gives_by_the_crate_of_spin() {
    let imports = Imports::of(guests::ON_SPIN);
    assert_eq!(imports.unknown_to_spin(), [""; 0]);
    let names = imports.names();
    assert!(OWN.iter().all(|own| names.contains(*own)), "{names:?}");
}

#[test]
fn a_handler_of_wasi_3_has_what_spin_gives_by_the_feature() {
    let imports = Imports::of(guests::p3::PLACES);
    let unknown = imports.unknown_to_spin();
    let (own, others): (BTreeSet<_>, BTreeSet<_>) =
        unknown.iter().map(String::as_str).partition(|name| OWN_3.contains(name));
    assert_eq!(own, BTreeSet::from(OWN_3));
    assert!(others.iter().all(|name| WASI_3.contains(name)), "{others:?}");
    assert!(imports.names().contains(DRAFTS[0]), "its origins are variables of Spin");
    // The feature alone, for WASI 0.2, brings nothing of it.
    let notes = Imports::of(guests::NOTES_SPIN).names();
    assert!(!notes.iter().any(|name| name.starts_with("spin:")), "{notes:?}");
}

#[test]
fn components_for_others_have_drafts_that_spin_has_not() {
    let drafts = ["wasi:config/store@0.2.0-rc.1", "wasi:keyvalue/store@0.2.0-draft"];
    assert_eq!(Imports::of(guests::NOTES).unknown_to_spin(), drafts);
    let spin = Imports::of(guests::NOTES_SPIN).names();
    assert!(spin.contains("wasi:keyvalue/store@0.2.0-draft2"), "{spin:?}");
    assert!(!Imports::of(guests::HELLO).names().iter().any(|name| name.contains("-draft")));
}

/// A host of 0.2.0 links a component of 0.2.12 by what it uses: as long as that was there in 0.2.0.
#[test]
fn components_use_only_what_wasi_had_from_the_start() {
    let mut wit = Resolve::default();
    wit.push_path(Path::new(WIT)).expect("wit/ is right");
    let mut checked = 0;
    for guest in [guests::HELLO, guests::CART, guests::DEMO, guests::CONFORMANCE, guests::NOTES] {
        let Imports { resolve, interfaces } = Imports::of(guest);
        for id in interfaces {
            let name = resolve.id_of(id).expect("an interface has a name");
            if !is_wasi_of_spin(&name) {
                continue;
            }
            let (_, whole) = wit
                .interfaces
                .iter()
                .find(|(whole, _)| wit.id_of(*whole).as_ref() == Some(&name))
                .unwrap_or_else(|| panic!("wit/ has no {name}"));
            for function in resolve.interfaces[id].functions.keys() {
                let stability = &whole.functions[function].stability;
                let since = match stability {
                    Stability::Stable { since, .. } => since.to_string(),
                    other => panic!("{guest}: {name} {function} is {other:?}"),
                };
                assert_eq!(since, "0.2.0", "{guest}: {name} {function}");
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
}
