//! The same component under another host: `wasmtime serve`.
//!
//! The command comes from PyPI into the target folder. What a machine cannot install is left out
//! with a word about it; with `CI=true` that fails.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use midge_tests::{LEAVINGS, Message, Wire, guests, send, soon};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

use crate::clients::{LeftOut, available, program, python};

/// A release of wasmtime: the name of its folder, and the package.
#[derive(Clone, Copy)]
pub(crate) struct Release(&'static str, &'static str);

/// The newest.
const NEWEST: Release = Release("wasmtime", include_str!("../hosts/wasmtime.txt"));
/// The long-term line that our host is built with.
pub(crate) const V48: Release = Release("wasmtime-48", include_str!("../hosts/wasmtime-48.txt"));
/// The long-term line before it, the oldest that is still mended.
pub(crate) const V36: Release = Release("wasmtime-36", include_str!("../hosts/wasmtime-36.txt"));

/// Prints where the command of the package is.
const FIND: &str = "import os, wasmtime_cli; \
                    print(os.path.join(os.path.dirname(wasmtime_cli.__file__), 'wasmtime'))";

/// The command, or why there is none.
pub(crate) async fn wasmtime() -> Result<PathBuf, LeftOut> {
    release(NEWEST).await
}

async fn release(Release(folder, requirements): Release) -> Result<PathBuf, LeftOut> {
    let files = [("requirements.txt", requirements)];
    let (mut python, _) = python::environment(folder, &files).await?;
    let found = program::run(python.args(["-c", FIND]), Duration::from_secs(20)).await;
    let path = PathBuf::from(found.expect("the package is installed").stdout.trim());
    make_executable(&path).expect("it is ours");
    Ok(path)
}

/// The package forgets to.
#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A running `wasmtime serve`, killed when it is dropped.
pub(crate) struct Wasmtime {
    addr: SocketAddr,
    printed: Arc<Mutex<String>>,
    _child: Child,
}

impl Wasmtime {
    /// Serves a guest, unless there is nothing to serve it with.
    pub(crate) async fn serve(guest: &str) -> Option<Self> {
        Self::serve_with(guest, &[]).await
    }

    /// Serves a guest by a release, with what that is given of other grants.
    pub(crate) async fn serve_by(release: Release, guest: &str, options: &[&str]) -> Option<Self> {
        let program = available("wasmtime serve", self::release(release).await)?;
        Some(Self::start(program, guest, options).await)
    }

    /// Serves a guest with variables in its environment.
    pub(crate) async fn serve_with(guest: &str, env: &[&str]) -> Option<Self> {
        let options: Vec<&str> = env.iter().flat_map(|variable| ["--env", *variable]).collect();
        Self::serve_by(NEWEST, guest, &options).await
    }

    async fn start(program: PathBuf, guest: &str, options: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(["serve", "-S", "cli", "--addr", "127.0.0.1:0"])
            .args(options)
            .arg(guest)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("wasmtime starts");
        let printed = Arc::default();
        listen(child.stdout.take(), &printed);
        listen(child.stderr.take(), &printed);
        let addr = soon("wasmtime's address", address(&printed)).await;
        Self { addr, printed, _child: child }
    }

    /// Where it is served.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        self.printed.lock().expect("nobody panics with it").clone()
    }

    /// Checks that a call is answered as it should be, and that no guest has trapped so far.
    pub(crate) async fn assert_serves(&self, after: &str) {
        let answer = send(self.addr, &greet()).await;
        assert_eq!(answer.result_text(), "Hello, you!", "{after}: the next call");
        let printed = self.printed();
        for trouble in ["trap", "panic", "unreachable"] {
            assert!(!printed.contains(trouble), "{after}: {printed}");
        }
    }
}

/// Keeps what a program prints.
pub(crate) fn listen(
    pipe: Option<impl AsyncRead + Unpin + Send + 'static>,
    printed: &Arc<Mutex<String>>,
) {
    let printed = Arc::clone(printed);
    let mut lines = BufReader::new(pipe.expect("the pipe is there")).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            printed.lock().expect("nobody panics with it").push_str(&(line + "\n"));
        }
    });
}

/// Waits until the address is told.
async fn address(printed: &Mutex<String>) -> SocketAddr {
    loop {
        let text = printed.lock().expect("nobody panics with it").clone();
        if let Some((_, rest)) = text.split_once("Serving HTTP on http://")
            && let Some((addr, _)) = rest.split_once('/')
        {
            return addr.parse().expect("an address");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The demo of each world.
const DEMOS: [&str; 2] = [guests::DEMO, guests::p3::DEMO];

fn greet() -> Message {
    Message::call("greet", json!({"name": "you"}))
}

#[tokio::test]
async fn wasmtime_serves_the_demo() {
    for demo in DEMOS {
        let Some(wasmtime) = Wasmtime::serve(demo).await else { return };
        tour(&wasmtime).await;
    }
}

/// What the demo is asked under every release.
pub(crate) async fn tour(wasmtime: &Wasmtime) {
    let send = async |message: Message| send(wasmtime.addr, &message).await;
    let discover = send(Message::modern("server/discover", json!({}))).await;
    assert_eq!(discover.json()["result"]["supportedVersions"], json!(["2026-07-28"]), "discover");
    let list = send(Message::modern("tools/list", json!({}))).await;
    assert_eq!(list.json()["result"]["tools"].as_array().map(Vec::len), Some(5), "all tools");
    assert_eq!(send(greet()).await.result_text(), "Hello, you!", "a call");
    let initialize = send(Message::initialize()).await;
    assert_eq!(initialize.json()["result"]["protocolVersion"], "2025-11-25", "a legacy client");
    let countdown = Message::call("countdown", json!({"seconds": 1})).with_progress();
    let countdown = send(countdown).await;
    assert!(countdown.complete, "the stream ends as it should");
    assert_eq!(countdown.events().len(), 3, "progress twice, and the result");
    let refused = send(greet().header("origin", "https://evil.example.com")).await;
    assert_eq!(refused.status, 403, "a refusal");
    assert_eq!(send(Message::of_bytes("{")).await.code(), Some(-32700), "no JSON");
    let words = json!({"text": "word ".repeat(100_000)});
    let counted = send(Message::call("count_words", words)).await;
    assert_eq!(counted.json()["result"]["structuredContent"]["words"], 100_000, "large");
    wasmtime.assert_serves("all of it").await;
}

#[tokio::test]
async fn wasmtime_survives_clients_that_go_away() {
    for demo in DEMOS {
        let Some(wasmtime) = Wasmtime::serve(demo).await else { return };
        leave_in_all_ways(&wasmtime).await;
    }
}

/// Clients that go away, at four moments.
pub(crate) async fn leave_in_all_ways(wasmtime: &Wasmtime) {
    let countdown = || Message::call("countdown", json!({"seconds": 2}));
    for (how, leave) in LEAVINGS {
        let mut wire = Wire::connect(wasmtime.addr).await;
        wire.send(greet().head("content-length: 10000\r\n")).await;
        wire.send(&greet().body[..45]).await;
        leave(wire);
        wasmtime.assert_serves(&format!("{how} in the body")).await;

        let mut wire = Wire::connect(wasmtime.addr).await;
        wire.send(greet().head("transfer-encoding: chunked\r\n") + "1000\r\n{").await;
        leave(wire);
        wasmtime.assert_serves(&format!("{how} in a chunk")).await;

        let mut wire = Wire::connect(wasmtime.addr).await;
        wire.post(&countdown().accept("application/json")).await;
        leave(wire);
        wasmtime.assert_serves(&format!("{how} before the head")).await;

        let mut wire = Wire::connect(wasmtime.addr).await;
        wire.post(&countdown().with_progress()).await;
        wire.until("2 to go").await;
        leave(wire);
        wasmtime.assert_serves(&format!("{how} in the stream")).await;
    }
    // The guests of the clients that have left write to nobody before they end.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    wasmtime.assert_serves("the ends of all").await;
    let printed = wasmtime.printed();
    assert!(printed.contains("midge: client-gone: "), "the guest says so: {printed}");
}

#[tokio::test]
async fn wasmtime_passes_on_the_400_to_a_client_that_still_reads() {
    for demo in DEMOS {
        let Some(wasmtime) = Wasmtime::serve(demo).await else { return };
        let mut wire = Wire::connect(wasmtime.addr).await;
        wire.send(greet().head("content-length: 10000\r\n")).await;
        wire.send(&greet().body).await;
        wire.half_close().await;
        assert_eq!(wire.answer().await.status, 400, "the client is told");
        wasmtime.assert_serves("half-close").await;
    }
}

#[tokio::test]
async fn a_panic_is_answered_under_wasmtime_too() {
    for guest in [guests::ANSWERS, guests::p3::ANSWERS] {
        answers_panics(guest).await;
    }
}

async fn answers_panics(guest: &str) {
    let Some(wasmtime) = Wasmtime::serve(guest).await else { return };
    let answer = send(wasmtime.addr, &Message::call("panics", json!({})).id("mine")).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert_eq!(answer.code(), Some(-32603), "{}", answer.text());
    assert_eq!(answer.json()["id"], "mine", "with its id");
    let streaming = Message::call("panics_streaming", json!({})).id("mine").with_progress();
    let answer = send(wasmtime.addr, &streaming).await;
    assert_eq!(answer.code(), Some(-32603), "{}", answer.text());
    assert!(wasmtime.printed().contains("midge: panic: the tool panics"), "the log has it");
}
