//! What exchanges of one instance could share: nothing of their own.
//!
//! Under WASI 0.3 an instance may have several exchanges, also at once. Whatever is mutable and
//! outlives one of them could show one client what belongs to another.

use std::fs;
use std::path::{Path, PathBuf};

/// What the panic hook needs, see `sys/panic.rs`; whether the instance is in its `run`, which is the
/// only call that such an instance ever has; where the generated bindings of WASI 0.2 leave a result,
/// whose instances have one exchange; and the stores of unit tests, which no component has.
const ALLOWED: [&str; 4] =
    ["sys/panic.rs", "sys/stdio.rs", "sys/p2/bindings.rs", "sys/keyvalue/memory.rs"];

/// What mutable statics are made of.
const MUTABLE: [&str; 12] = [
    "Cell<", "Lock<", "Once<", "OnceLock", "LazyLock", "OnceCell", "LazyCell", "Mutex<", "Atomic",
    "Rc<", "Arc<", "*mut ",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, found),
            false => found.push(path),
        }
    }
}

/// Why a source shares what it must not, if it does.
fn shares(code: &str) -> Option<&str> {
    let mut lines = code.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    lines.find(|line| {
        let is_static = ["static ", "pub static ", "pub(crate) static ", "pub(super) static "]
            .iter()
            .any(|start| line.starts_with(start));
        line.contains("thread_local!")
            || line.contains("static mut ")
            || is_static && MUTABLE.iter().any(|kind| line.contains(kind))
    })
}

#[test]
fn exchanges_share_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut files, mut allowed) = (Vec::new(), 0);
    sources(&root, &mut files);
    assert!(files.len() > 100, "{}", files.len());
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        if name.starts_with("tests/") {
            continue;
        }
        let code = fs::read_to_string(&file).unwrap();
        match shares(&code) {
            Some(_) if ALLOWED.contains(&name) => allowed += 1,
            Some(line) => panic!("{name} shares something between exchanges: {line}"),
            None => {}
        }
    }
    assert_eq!(allowed, ALLOWED.len(), "an exception that is none");
}

#[test]
fn what_is_shared_is_found() {
    for code in [
        "static mut COUNT: u32 = 0;",
        "    static COUNT: AtomicU32 = AtomicU32::new(0);",
        "pub(crate) static CACHE: OnceLock<String> = OnceLock::new();",
        "thread_local! {",
        "static ALL: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Mutex::default);",
    ] {
        assert!(shares(code).is_some(), "{code}");
    }
    for code in
        ["static NAMES: [&str; 2] = [\"a\", \"b\"];", "// static mut", "x: &'static Cell<u8>"]
    {
        assert!(shares(code).is_none(), "{code}");
    }
}
