//! What components ask of their host, and how large they are.

use std::{collections::BTreeSet, fs, path::Path};

use midge_tests::guests;
use wit_component::{DecodedWasm, decode, targets};
use wit_parser::{Resolve, WorldItem};

const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");

fn read(guest: &str) -> Vec<u8> {
    fs::read(guest).unwrap_or_else(|error| panic!("{guest}: {error}"))
}

/// The interfaces that a component imports and those that it exports.
fn versioned(guest: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let DecodedWasm::Component(resolve, world) = decode(&read(guest)).expect("it decodes") else {
        panic!("{guest} is no component");
    };
    let world = &resolve.worlds[world];
    let names = |items: &mut dyn Iterator<Item = &WorldItem>| {
        let name = |item: &WorldItem| match item {
            WorldItem::Interface { id, .. } => resolve.id_of(*id).expect("an interface has a name"),
            other => panic!("{guest}: only interfaces, not {other:?}"),
        };
        items.map(name).collect()
    };
    (names(&mut world.imports.values()), names(&mut world.exports.values()))
}

/// What a component imports, with versions.
pub(crate) fn imports(guest: &str) -> BTreeSet<String> {
    versioned(guest).0
}

/// What a component imports and exports, without versions.
fn interfaces(guest: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (imports, exports) = versioned(guest);
    let plain = |names: BTreeSet<String>| {
        names.iter().map(|name| name.split('@').next().unwrap_or_default().to_owned()).collect()
    };
    (plain(imports), plain(exports))
}

/// What every component of WASI 0.2 exports for HTTP.
const HTTP: [&str; 2] = ["wasi:http/incoming-handler", "midge:mcp/exchange"];

/// Those, and what every component of the SDK exports.
fn exporting(handlers: &[&str]) -> BTreeSet<String> {
    handlers.iter().chain(&["wasi:cli/run"]).map(|name| (*name).to_owned()).collect()
}

#[test]
fn guests_stay_within_the_world_of_the_sdk() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(Path::new(WIT)).expect("wit/ is right");
    let p2 = [guests::HELLO, guests::CART, guests::DEMO, guests::ANSWERS, guests::SUBSCRIBES];
    let p3 = {
        use guests::p3::{ANSWERS, CART, DEMO, HELLO, SUBSCRIBES};
        [HELLO, CART, DEMO, ANSWERS, SUBSCRIBES]
    };
    for (name, guests) in [("server", p2), ("server-p3", p3)] {
        let world = resolve.select_world(&[package], Some(name)).expect("it has the world");
        for guest in guests {
            let targeted = targets(&resolve, world, &read(guest), true);
            assert!(targeted.is_ok(), "{guest} targets midge:mcp/{name}: {targeted:?}");
        }
    }
}

/// Two drafts go with it, in the versions of one family of hosts.
#[test]
fn guests_with_state_stay_within_their_worlds() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(Path::new(WIT)).expect("wit/ is right");
    let families = ["stateful-server", "spin-stateful-server"];
    for (guest, own) in [(guests::NOTES, families[0]), (guests::NOTES_SPIN, families[1])] {
        for family in families {
            let world = resolve.select_world(&[package], Some(family)).expect("it has the world");
            let targeted = targets(&resolve, world, &read(guest), true);
            assert_eq!(targeted.is_ok(), family == own, "{guest} and {family}: {targeted:?}");
        }
    }
}

/// The host has its own copies of what both sides speak, since it is a package of its own.
#[test]
fn host_and_guest_have_the_same_drafts() {
    let (host, guest) = (Path::new(WIT).join("../host/wit"), Path::new(WIT).join("deps"));
    let files = fs::read_dir(&host).expect("host/wit is there");
    let names: Vec<_> = files.map(|file| file.expect("it can be read").file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for name in names {
        let read = |folder: &Path| fs::read_to_string(folder.join(&name)).expect("it is in both");
        assert_eq!(read(&host), read(&guest), "{name:?}");
    }
}

#[test]
fn hello_imports_only_what_it_uses() {
    for (hello, handlers) in
        [(guests::HELLO, &HTTP[..]), (guests::p3::HELLO, &["wasi:http/handler"])]
    {
        let (imports, exports) = interfaces(hello);
        assert_eq!(exports, exporting(handlers), "what it is for");
        for import in &imports {
            for other in ["filesystem", "sockets", "http/outgoing-handler", "http/client"] {
                assert!(!import.contains(other), "{import}, among {imports:?}");
            }
        }
    }
}

#[test]
fn guests_for_p3_import_the_first_version_of_it() {
    for guest in [guests::p3::HELLO, guests::p3::DEMO] {
        let text = read(guest);
        let names = |version: &str| text.windows(version.len()).any(|at| at == version.as_bytes());
        assert!(names("wasi:http/handler@0.3.0"), "{guest}");
        for later in ["0.3.1", "0.3.2", "0.3.3"] {
            assert!(!names(&format!("wasi:http/types@{later}")), "{guest}: {later}");
        }
    }
}

#[test]
fn demo_imports_no_files_and_no_sockets() {
    let (imports, exports) = interfaces(guests::DEMO);
    assert_eq!(exports, exporting(&HTTP), "what it is for");
    assert!(imports.contains("wasi:http/outgoing-handler"), "a tool fetches: {imports:?}");
    for import in &imports {
        for other in ["filesystem", "sockets"] {
            assert!(!import.contains(other), "{import}, among {imports:?}");
        }
    }
}

#[test]
fn components_are_small() {
    for (guest, limit) in [
        (guests::HELLO, 300_000),
        (guests::CART, 360_000),
        (guests::DEMO, 600_000),
        (guests::CONFORMANCE, 900_000),
        (guests::p3::HELLO, 360_000),
        (guests::p3::DEMO, 620_000),
        (guests::NOTES, 420_000),
        (guests::NOTES_SPIN, 420_000),
    ] {
        let size = read(guest).len();
        assert!(size <= limit, "{guest} has {size} bytes, over {limit}");
    }
}

#[test]
fn only_guests_that_seal_have_the_code_for_it() {
    let name = b"MIDGE_SEALING_KEYS";
    let seals = |guest: &str| read(guest).windows(name.len()).any(|window| window == name);
    // By this name the host knows whom to warn of missing keys.
    assert!(seals(guests::CART));
    assert!(!seals(guests::HELLO) && !seals(guests::DEMO));
}

#[test]
fn a_guest_outside_the_world_is_found_out() {
    let mut resolve = Resolve::default();
    let world = "package midge:mcp; world server { }";
    let package = resolve.push_str("empty.wit", world).expect("an empty world");
    let world = resolve.select_world(&[package], Some("server")).expect("it has the world");
    assert!(targets(&resolve, world, &read(guests::HELLO), true).is_err(), "the check is one");
}
