//! Compiles the guests to components and writes down where they are.
//!
//! The generated `guests.rs` has a path constant for each guest, and a macro that goes through
//! those that misbehave, so that one without a test is noticed.
#![allow(clippy::panic, clippy::expect_used, reason = "a build script fails by panicking")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "component";
/// The guests of the package `midge` that are tested.
const EXAMPLES: [&str; 4] = ["hello", "cart", "demo", "conformance"];
/// The builds of the one that needs features, which are those of a family of hosts.
const NOTES: [(&str, &str); 2] = [("notes_spin", "spin"), ("notes", "keyvalue,wasi-config")];
/// The guests in `tests/guests/` that do not misbehave in one way of their own.
const OTHERS: [&str; 6] = ["answers", "configured", "on_spin", "stains", "subscribes", "told"];
/// Those of them that are servers of the SDK, which are built for WASI 0.3 as well.
const SDK: [&str; 3] = ["answers", "stains", "subscribes"];
/// The guest that uses what Spin has for WASI 0.3, and what stands in for Spin.
const ON_SPIN_P3: [(&str, &str, &[&str]); 2] =
    [("midge", "places", &["p3", "spin"]), ("midge-test-guests", "stands_in_for_spin", &["spin"])];

fn main() {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let target_dir = target_dir();
    add_target();
    let misbehaving = guests(&here);
    let own: Vec<&str> = misbehaving.iter().map(String::as_str).chain(OTHERS).collect();
    let built = target_dir.join(TARGET).join(PROFILE).join("examples");
    let built_p3 = target_dir.join("p3");
    // First, since the others are to stay where cargo puts both.
    let p3 = compile_p3(&built, &built_p3, &target_dir);
    compile("midge", &EXAMPLES, &[], &target_dir);
    for (name, features) in NOTES {
        compile("midge", &["notes"], &[features], &target_dir);
        copy(&built.join("notes.wasm"), &built.join(format!("{name}.wasm")));
    }
    compile("midge-test-guests", &own, &[], &target_dir);

    for name in p3.iter().chain(&["notes"]).chain(&own) {
        watch_sources(&built.join(format!("{name}.d")));
    }
    for file in ["guests", "guests/Cargo.toml", "../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", here.join(file).display());
    }
    let p3 = constants(&built_p3, p3.iter());
    let p3 = format!("/// The guests for WASI 0.3.\npub mod p3 {{\n{p3}}}\n");
    let notes = NOTES.map(|(name, _)| name);
    let p2 = constants(&built, EXAMPLES.iter().chain(&notes).chain(&own));
    let code = p2 + &p3 + &for_each(&misbehaving);
    let out = PathBuf::from(variable("OUT_DIR"));
    fs::write(out.join("guests.rs"), code).expect("OUT_DIR can be written");
}

/// Builds the guests for WASI 0.3 and keeps them in a folder of their own. Gives their names.
fn compile_p3(built: &Path, built_p3: &Path, target_dir: &Path) -> Vec<&'static str> {
    compile("midge", &EXAMPLES, &["p3"], target_dir);
    compile("midge-test-guests", &SDK, &["p3"], target_dir);
    for (package, name, features) in ON_SPIN_P3 {
        compile(package, &[name], features, target_dir);
    }
    fs::create_dir_all(built_p3).expect("the target folder can be written");
    let on_spin = ON_SPIN_P3.map(|(_, name, _)| name);
    let names: Vec<&str> = EXAMPLES.iter().chain(&SDK).chain(&on_spin).copied().collect();
    for name in names.iter().map(|name| format!("{name}.wasm")) {
        copy(&built.join(&name), &built_p3.join(&name));
    }
    names
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A folder of their own, since cargo holds a lock on the one it is building into. Not in
/// `OUT_DIR`, so that all is not built again when that gets a new name.
fn target_dir() -> PathBuf {
    let out = PathBuf::from(variable("OUT_DIR"));
    let build = out.ancestors().find(|path| path.ends_with("build"));
    let profile = build.and_then(Path::parent);
    profile.and_then(Path::parent).unwrap_or(&out).join("guests")
}

/// Whether a file in `tests/guests/` is not a guest that misbehaves.
fn is_another(name: &str) -> bool {
    name == "lib" || OTHERS.contains(&name) || ON_SPIN_P3.iter().any(|(_, other, _)| *other == name)
}

/// The misbehaving guests: all files beside the package's library, but for the others.
fn guests(here: &Path) -> Vec<String> {
    let folder = here.join("guests");
    let entries = fs::read_dir(&folder).expect("tests/guests can be read");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("tests/guests can be read").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| !is_another(name))
        .collect();
    names.sort();
    names
}

/// Adds the target to the toolchain where it is missing.
fn add_target() {
    let rustc = Command::new(variable("RUSTC")).args(["--print", "sysroot"]).output();
    let sysroot = rustc.expect("rustc runs").stdout;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot).trim());
    if sysroot.join("lib/rustlib").join(TARGET).is_dir() {
        return;
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    if !added.is_ok_and(|status| status.success()) {
        panic!(
            "the tests need the Rust target {TARGET}, and `rustup target add {TARGET}` did not \
             give it; install it the way this toolchain was installed"
        );
    }
}

/// Builds examples of a package to components.
fn compile(package: &str, examples: &[&str], features: &[&str], target_dir: &Path) {
    let mut cargo = Command::new(variable("CARGO"));
    cargo.args(["build", "--quiet", "--package", package, "--target", TARGET]);
    cargo.args(["--profile", PROFILE]);
    for example in examples {
        cargo.args(["--example", example]);
    }
    for feature in features {
        cargo.args(["--features", feature]);
    }
    cargo.env("CARGO_TARGET_DIR", target_dir);
    // What the outer cargo was told is for the native target.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let outer = text.starts_with("CARGO_FEATURE_")
            || text.starts_with("CARGO_CFG_")
            || text.starts_with("CARGO_PROFILE_")
            || text.starts_with("CARGO_BUILD_");
        let flags = ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER"];
        if outer || flags.contains(&text.as_ref()) || text == "RUSTC_WRAPPER" {
            cargo.env_remove(&name);
        }
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "the guests of `{package}` do not build, see above");
}

/// Keeps a component under another name, before another build has the one that it has.
fn copy(from: &Path, to: &Path) {
    if from != to {
        fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}

/// Has this script run again when a source of a guest changes: they are in the file that rustc
/// writes for make.
fn watch_sources(dependencies: &Path) {
    let text = fs::read_to_string(dependencies)
        .unwrap_or_else(|error| panic!("{}: {error}", dependencies.display()));
    let Some((_, sources)) = text.lines().next().unwrap_or_default().split_once(": ") else {
        return;
    };
    for source in sources.replace("\\ ", "\0").split_whitespace() {
        println!("cargo::rerun-if-changed={}", source.replace('\0', " "));
    }
}

fn constants<'a>(built: &Path, names: impl Iterator<Item = &'a &'a str>) -> String {
    let constant = |name: &&str| {
        let path = built.join(format!("{name}.wasm"));
        assert!(path.is_file(), "{} was not built; is it in Cargo.toml?", path.display());
        let constant = name.to_uppercase();
        format!("/// The guest `{name}`.\npub const {constant}: &str = {path:?};\n")
    };
    names.map(constant).collect()
}

fn for_each(misbehaving: &[String]) -> String {
    let calls: String = misbehaving.iter().map(|name| format!("$name!({name}); ")).collect();
    format!(
        "/// Calls a macro with the name of each misbehaving guest.\n#[macro_export]\n\
         macro_rules! for_each_misbehaving_guest {{\n    ($name:ident) => {{ {calls} }};\n}}\n"
    )
}
