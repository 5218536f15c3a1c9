//! What is generated and kept in the repository is what would be generated now.

use std::path::Path;

use wit_bindgen_core::{Files, WorldGenerator, wit_parser::Resolve};
use wit_bindgen_rust::{Opts, WithOption};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The interfaces that `wasip2` has bindings of already, and where.
const OF_WASIP2: [(&str, &str); 5] = [
    ("wasi:io/error@0.2.12", "wasip2::io::error"),
    ("wasi:io/poll@0.2.12", "wasip2::io::poll"),
    ("wasi:io/streams@0.2.12", "wasip2::io::streams"),
    ("wasi:clocks/monotonic-clock@0.2.12", "wasip2::clocks::monotonic_clock"),
    ("wasi:http/types@0.2.12", "wasip2::http::types"),
];

/// As `wit-bindgen rust` makes them with the options in the head of `src/sys/p2/bindings.rs`.
fn bindings() -> String {
    let with = OF_WASIP2.map(|(name, path)| (name.to_owned(), WithOption::Path(path.to_owned())));
    let options = Opts {
        format: true,
        runtime_path: Some("wit_bindgen::rt".to_owned()),
        with: with.into(),
        default_bindings_module: Some("$crate::__private::bindings".to_owned()),
        export_macro_name: Some("export".to_owned()),
        pub_export_macro: true,
        ..Opts::default()
    };
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(Path::new(ROOT).join("wit")).expect("wit/ is right");
    let world = resolve.select_world(&[package], Some("whole-exchanges")).expect("it is there");
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files).expect("they are generated");
    let (_, code) = files.iter().next().expect("a file");
    String::from_utf8(code.to_vec()).expect("Rust is UTF-8")
}

#[test]
fn bindings_are_those_of_the_wit() {
    let kept = std::fs::read_to_string(Path::new(ROOT).join("src/sys/p2/bindings.rs")).unwrap();
    let generated = bindings();
    let differing = kept.lines().zip(generated.lines()).find(|(kept, new)| kept != new);
    assert_eq!(differing, None, "src/sys/p2/bindings.rs is old, or wit-bindgen is another");
    assert_eq!(kept.lines().count(), generated.lines().count());
}
