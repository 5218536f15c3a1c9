//! `midge new`: what it makes, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod project;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use project::{lock, target, tree};

/// The command under test.
const MIDGE: &str = env!("CARGO_BIN_EXE_midge");

fn new(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(MIDGE).arg("new").args(arguments).current_dir(folder).output().unwrap()
}

/// The one line on standard error of a command that refuses.
fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let output = new(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

/// All files below a folder, by their path in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_project_has_these_files() {
    let folder = tempfile::tempdir().unwrap();
    let output = new(folder.path(), &["my-server"]);
    assert!(output.status.success(), "{output:?}");
    let says = String::from_utf8(output.stdout).unwrap();
    assert_eq!(says, "Made my-server\n\nTry it:\n  cd my-server\n  midge dev\n\n");

    let project = folder.path().join("my-server");
    let golden = [
        ".cargo/config.toml",
        ".gitignore",
        "Cargo.toml",
        "README.md",
        "rust-toolchain.toml",
        "spin.toml",
        "src/lib.rs",
        "tests/component.rs",
    ];
    assert_eq!(files(&project), golden.map(PathBuf::from));
    let text = |file: &str| fs::read_to_string(project.join(file)).unwrap();
    assert_eq!(text(".gitignore"), "/target\n");
    assert!(text("README.md").starts_with("# my-server\n"));
    assert!(text("spin.toml").contains("name = \"my-server\""));
    assert!(text("spin.toml").contains("release/my_server.wasm"));
}

/// The lines of the `Cargo.toml` that say where Midge is.
fn dependencies(project: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    manifest.lines().filter(|line| line.starts_with("midge")).map(str::to_owned).collect()
}

#[test]
fn midge_is_the_tree_of_the_command_or_what_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let tree = tree().canonicalize().unwrap();
    let of_tree = [
        format!("midge = {{ path = {tree:?} }}"),
        format!("midge-host = {{ path = {:?}, default-features = false }}", tree.join("host")),
    ];
    assert!(new(folder.path(), &["own"]).status.success());
    assert_eq!(dependencies(&folder.path().join("own")), of_tree);

    let path = tree.to_str().unwrap();
    assert!(new(folder.path(), &["named", "--midge", path]).status.success());
    assert_eq!(dependencies(&folder.path().join("named")), of_tree);

    assert!(new(folder.path(), &["version", "--midge", "0.1.0"]).status.success());
    let of_version = [
        "midge = { version = \"0.1.0\" }",
        "midge-host = { version = \"0.1.0\", default-features = false }",
    ];
    assert_eq!(dependencies(&folder.path().join("version")), of_version);

    let line = refusal(folder.path(), &["none", "--midge", "."]);
    assert_eq!(
        line,
        "midge: no source tree of Midge in . (`--midge` takes its folder, or a version)\n"
    );
    assert!(!folder.path().join("none").exists());
}

#[test]
fn what_is_no_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, says) in [
        ("My Server", "lowercase"),
        ("../up", "lowercase"),
        ("async", "a word of Rust or cargo"),
        ("midge", "a crate that it uses"),
    ] {
        let output = new(folder.path(), &[name]);
        assert_eq!(output.status.code(), Some(2), "{name}: {output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(says) && error.contains(name), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert!(new(folder.path(), &["empty"]).status.success());
    let line = refusal(folder.path(), &["empty"]);
    assert_eq!(line, "midge: empty is not empty: choose another name, or empty it\n");
    fs::write(folder.path().join("file"), "mine").unwrap();
    assert!(refusal(folder.path(), &["file"]).starts_with("midge: cannot write file: "));
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "mine");
}

#[test]
fn the_guide_shows_the_test_of_a_new_project() {
    let guide = fs::read_to_string(tree().join("docs/guide/testing.md")).unwrap();
    let test = fs::read_to_string(tree().join("host/template/tests/component.rs")).unwrap();
    let (_, test) = test.split_once("\n\n").unwrap();
    assert!(guide.contains(test), "{test}");
}

#[test]
#[ignore = "builds the host once more, for the new project: some minutes"]
fn the_tests_of_a_new_project_pass() {
    let folder = tempfile::tempdir().unwrap();
    assert!(new(folder.path(), &["my-server"]).status.success());
    let project = folder.path().join("my-server");
    lock(&project);
    for arguments in [&["test"][..], &["clippy", "--all-targets", "--", "-D", "warnings"]] {
        let status = Command::new("cargo")
            .args(arguments)
            .current_dir(&project)
            .env("CARGO_TARGET_DIR", target())
            .status()
            .unwrap();
        assert!(status.success(), "{arguments:?}");
    }
}
