//! The command `midge` as its users run it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// How long the slowest step may take: a first build of a guest on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running `midge`, and what it has printed so far. Killed when it is dropped.
struct Midge {
    child: Child,
    printed: Arc<Mutex<String>>,
}

impl Midge {
    fn start(arguments: &[&str]) -> Self {
        Self::on("127.0.0.1:0", arguments)
    }

    fn on(address: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_midge"))
            .args(arguments)
            .args(["--addr", address, "--log-format", "text"])
            .env("CARGO_TARGET_DIR", target())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = Arc::default();
        gather(child.stdout.take().unwrap(), &printed);
        gather(child.stderr.take().unwrap(), &printed);
        Self { child, printed }
    }

    fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    /// Waits until it has printed a text, and gives everything it has printed.
    fn until(&self, text: &str) -> String {
        until(&format!("it prints {text:?}"), || {
            let printed = self.printed();
            printed.contains(text).then_some(printed)
        })
    }

    /// Waits until it serves, and gives its address.
    fn address(&self) -> String {
        let printed = self.until("/mcp\n");
        let line = printed.lines().find(|line| line.contains(" on http://")).unwrap();
        line.split("http://").nth(1).unwrap().trim_end_matches("/mcp").to_owned()
    }

    fn ended(&mut self) -> ExitStatus {
        until("it ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Midge {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A target folder beside the one that the tests are built in, which cargo may hold a lock on.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests")
}

fn gather(output: impl Read + Send + 'static, printed: &Arc<Mutex<String>>) {
    let printed = Arc::clone(printed);
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            printed.lock().unwrap().push_str(&(line + "\n"));
        }
    });
}

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Greets, as a legacy client, and gives the whole answer.
fn greet(address: &str) -> String {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet","arguments":{"name":"you"}}}"#;
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "POST /mcp HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// A guest project of its own, greeting with this word.
fn project(folder: &Path, greeting: &str) {
    let midge = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"greeter\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nmidge = {{ path = {midge:?} }}\nschemars = \"1\"\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(midge.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    source(folder, greeting);
}

fn source(folder: &Path, greeting: &str) {
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello.rs");
    let hello = fs::read_to_string(hello).unwrap();
    fs::write(folder.join("src/lib.rs"), hello.replace("Hello, {}", greeting)).unwrap();
}

#[test]
fn without_arguments_it_serves_the_demo() {
    let midge = Midge::start(&[]);
    let address = midge.address();
    assert!(greet(&address).contains("Hello, you!"));
    let printed = midge.until("outcome=\"ok\"");
    assert!(printed.contains(&format!("curl -s http://{address}/mcp -H")), "{printed}");
}

#[test]
fn dev_swaps_what_builds_and_shows_what_does_not() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), "Hello, {}");
    let midge = Midge::start(&["dev", folder.path().to_str().unwrap()]);
    let address = midge.address();
    assert!(greet(&address).contains("Hello, you!"));
    source(folder.path(), "Howdy, {}");
    midge.until("serving the new guest");
    assert!(greet(&address).contains("Howdy, you!"));
    source(folder.path(), "Howdy, {} and {}");
    let printed = midge.until("still serving the one before");
    assert!(printed.contains("2 positional arguments in format string"), "{printed}");
    assert!(greet(&address).contains("Howdy, you!"));
}

/// A component that imports the instance `foo:bar/baz` with a function `f`, and nothing else.
fn component_with_an_unknown_import() -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.extend(b"\x07\x0e\x01\x42\x02\x01\x40\x00\x01\x00\x04\x00\x01f\x01\x00");
    bytes.extend(b"\x0a\x10\x01\x00\x0bfoo:bar/baz\x05\x00");
    bytes
}

#[test]
fn what_cannot_be_served_is_one_line_and_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.wasm");
    fs::write(&text, "no component").unwrap();
    let unknown = folder.path().join("unknown.wasm");
    fs::write(&unknown, component_with_an_unknown_import()).unwrap();
    for (arguments, says) in [
        (vec!["serve", "/no/such/file.wasm"], "/no/such/file.wasm"),
        (vec!["serve", text.to_str().unwrap()], "text.wasm"),
        (vec!["serve", unknown.to_str().unwrap()], "foo:bar/baz"),
        (vec!["dev", folder.path().to_str().unwrap()], "Cargo.toml"),
    ] {
        let mut midge = Midge::start(&arguments);
        assert_eq!(midge.ended().code(), Some(1), "{arguments:?}");
        let printed = midge.until(says);
        assert_eq!(printed.trim().lines().count(), 1, "{arguments:?}: {printed}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let mut midge = Midge::on(&taken, &[]);
    assert_eq!(midge.ended().code(), Some(1));
    assert!(
        midge.until(&taken).contains("another program is using this port"),
        "{}",
        midge.printed()
    );
}

#[cfg(unix)]
#[test]
fn sigterm_is_a_good_end() {
    let mut midge = Midge::start(&[]);
    midge.address();
    let id = midge.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(midge.ended().code(), Some(0), "{}", midge.printed());
}
