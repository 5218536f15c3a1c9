//! The command `midge` as its users run it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod project;

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use project::{lock, project, target, write};

/// The command under test.
const MIDGE: &str = env!("CARGO_BIN_EXE_midge");

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
        let arguments = [arguments, &["--log-format", "text"]].concat();
        let (midge, log) = Self::with_log(address, &arguments);
        gather(log, &midge.printed);
        midge
    }

    /// Starts it, and gives its log for the test to read.
    fn with_log(address: &str, arguments: &[&str]) -> (Self, ChildStderr) {
        let mut child = Command::new(MIDGE)
            .args(arguments)
            .args(["--addr", address])
            .env("CARGO_TARGET_DIR", target())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = Arc::default();
        gather(child.stdout.take().unwrap(), &printed);
        let log = child.stderr.take().unwrap();
        (Self { child, printed }, log)
    }

    #[cfg(unix)]
    fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
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
    call(address, "greet", r#"{"name":"you"}"#)
}

/// Calls a tool, as a legacy client, and gives the whole answer.
fn call(address: &str, tool: &str, arguments: &str) -> String {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
    );
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

fn example(name: &str) -> String {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    fs::read_to_string(examples.join(name)).unwrap()
}

/// The source of a guest that greets with this word.
fn greeter(greeting: &str) -> String {
    example("hello.rs").replace("Hello, {}", greeting)
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
    project(folder.path(), "greeter", &greeter("Hello, {}"));
    let midge = Midge::start(&["dev", folder.path().to_str().unwrap()]);
    let address = midge.address();
    assert!(greet(&address).contains("Hello, you!"));
    write(folder.path(), &greeter("Howdy, {}"));
    midge.until("serving the new guest");
    assert!(greet(&address).contains("Howdy, you!"));
    write(folder.path(), &greeter("Howdy, {} and {}"));
    let printed = midge.until("still serving the previous guest");
    assert!(printed.contains("2 positional arguments in format string"), "{printed}");
    assert!(greet(&address).contains("Howdy, you!"));
}

#[test]
fn a_new_project_is_served_by_dev_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let new = ["new", "my-server"];
    let made = Command::new(MIDGE).args(new).current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let project = folder.path().join("my-server");
    lock(&project);
    let midge = Midge::start(&["dev", project.to_str().unwrap()]);
    let answer = greet(&midge.address());
    assert!(answer.contains("Hello, you!"), "{answer}");
}

fn key(arguments: &[&str]) -> Output {
    Command::new(MIDGE).arg("key").args(arguments).output().unwrap()
}

#[test]
fn z2_a_key_is_one_line_and_another_one_each_time() {
    let [one, other] = [key(&[]), key(&[])].map(|output| String::from_utf8(output.stdout).unwrap());
    assert_ne!(one, other);
    let (id, bytes) = one.trim_end().split_once(':').unwrap();
    assert_eq!((id.len(), bytes.len()), ("2026-11-22".len(), 44), "{one}");
    assert_eq!(one.lines().count(), 1);
    let named = String::from_utf8(key(&["spring"]).stdout).unwrap();
    assert!(named.starts_with("spring:"), "{named}");
    let refused = key(&["no:id"]);
    assert!(!refused.status.success() && refused.stdout.is_empty());
}

/// Puts something into a cart, and gives the handle of it.
fn buy(address: &str, cart: &str) -> String {
    let answer = call(address, "add", &format!(r#"{{"name":"tea","cart":{cart}}}"#));
    let handle = answer.split(r#"\"cart\":\""#).nth(1).and_then(|rest| rest.split('\\').next());
    handle.unwrap_or_else(|| panic!("no cart in {answer}")).to_owned()
}

#[test]
fn dev_makes_a_sealing_key_for_its_run_and_serve_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), "shopper", &example("cart.rs"));
    let dev = Midge::start(&["dev", folder.path().to_str().unwrap()]);
    let address = dev.address();
    let cart = buy(&address, "null");
    write(folder.path(), &(example("cart.rs") + "\n"));
    let printed = dev.until("serving the new guest");
    assert_eq!(printed.matches("MIDGE_SEALING_KEYS was not granted").count(), 1, "{printed}");
    buy(&address, &format!("{cart:?}"));

    let component = target().join("wasm32-wasip2/debug/shopper.wasm");
    let arguments = ["serve", component.to_str().unwrap()];
    let warning = "was granted no MIDGE_SEALING_KEYS";
    let serve = Midge::start(&arguments);
    let address = serve.address();
    serve.until(warning);
    assert!(call(&address, "add", r#"{"name":"tea"}"#).contains("-32603"));

    let grant =
        format!("MIDGE_SEALING_KEYS={}", String::from_utf8(key(&[]).stdout).unwrap().trim());
    let serve = Midge::start(&[&arguments[..], &["--env", &grant]].concat());
    buy(&serve.address(), "null");
    assert!(!serve.printed().contains(warning), "{}", serve.printed());
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
fn probe_is_the_command_of_midge_probe() {
    let probe = |arguments: &[&str]| Command::new(MIDGE).arg("probe").args(arguments).output();
    let refused = probe(&["http://192.0.2.1/mcp"]).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(refused.stderr.starts_with(b"midge: 192.0.2.1:80 is not a loopback"), "{refused:?}");
    let help = String::from_utf8(probe(&["--help"]).unwrap().stdout).unwrap();
    assert!(help.starts_with("Test an MCP server against clients that disconnect"), "{help}");
    assert!(help.contains("Exit codes:"), "{help}");
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
    midge.terminate();
    assert_eq!(midge.ended().code(), Some(0), "{}", midge.printed());
}

/// Sends requests on one connection, each with a long line in the log, and reads all answers.
#[cfg(unix)]
fn flood(address: &str, requests: usize) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answers = BufReader::new(socket.try_clone().unwrap());
    let path = "x".repeat(300);
    for _ in 0..requests {
        write!(socket, "GET /{path} HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
        let mut length = 0;
        for line in answers.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty())
        {
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
        }
        io::copy(&mut answers.by_ref().take(length), &mut io::sink()).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_log_pipe_that_nobody_reads_drops_lines_and_counts_them() {
    let (midge, log) = Midge::with_log("127.0.0.1:0", &["--log-format", "json"]);
    flood(&midge.address(), 4000);
    let lines = Arc::default();
    gather(log, &lines);
    let lines: String = until("lines are counted", || {
        let lines = lines.lock().unwrap().clone();
        lines.contains("log lines were dropped").then_some(lines)
    });
    let (before, _) = lines.split_once(" log lines were dropped").unwrap();
    let (written, dropped) = before.rsplit_once('"').unwrap();
    let dropped: usize = dropped.parse().unwrap();
    let written = written.matches("midge::exchange").count();
    assert!(dropped > 0 && written + dropped <= 4000, "{written} and {dropped}");
}

#[cfg(unix)]
#[test]
fn a_log_pipe_that_nobody_reads_does_not_keep_the_command_from_ending() {
    let (mut midge, _log) =
        Midge::with_log("127.0.0.1:0", &["--log-format", "json", "--drain", "3s"]);
    flood(&midge.address(), 4000);
    let begin = Instant::now();
    midge.terminate();
    assert_eq!(midge.ended().code(), Some(0));
    assert!(begin.elapsed() < Duration::from_millis(3500), "{:?}", begin.elapsed());
}
