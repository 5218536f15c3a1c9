//! What components ask of their host, and how large they are.

use std::{collections::BTreeSet, fs, path::Path};

use midge_tests::guests;
use wit_component::{DecodedWasm, decode, targets};
use wit_parser::{Resolve, WorldItem};

const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");

fn read(guest: &str) -> Vec<u8> {
    fs::read(guest).unwrap_or_else(|error| panic!("{guest}: {error}"))
}

/// The interfaces that a component imports and those that it exports, without their versions.
fn interfaces(guest: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let DecodedWasm::Component(resolve, world) = decode(&read(guest)).expect("it decodes") else {
        panic!("{guest} is no component");
    };
    let world = &resolve.worlds[world];
    let names = |items: &mut dyn Iterator<Item = &WorldItem>| {
        let name = |item: &WorldItem| match item {
            WorldItem::Interface { id, .. } => {
                let name = resolve.id_of(*id).expect("an interface has a name");
                name.split('@').next().unwrap_or_default().to_owned()
            }
            other => panic!("{guest}: only interfaces, not {other:?}"),
        };
        items.map(name).collect()
    };
    (names(&mut world.imports.values()), names(&mut world.exports.values()))
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
