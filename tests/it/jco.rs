//! The same component under `jco serve`, which runs components on Node.js.
//!
//! jco serves one exchange at a time by one instance for all of them, so this is also the SDK under
//! reuse of its instances.

use std::{
    net::{SocketAddr, TcpListener},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use midge_tests::{LEAVINGS, Message, Wire, guests, send, soon};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::{
    clients::{available, node},
    conformance::{LEGACY, MODERN, RELEASED},
    hosts::listen,
    sealing,
};

const FILES: &[(&str, &str)] = &[
    ("package.json", include_str!("../jco/package.json")),
    ("package-lock.json", include_str!("../jco/package-lock.json")),
    ("ends_with_its_parent.mjs", include_str!("../jco/ends_with_its_parent.mjs")),
];

const SCRIPT: &str = "node_modules/@bytecodealliance/jco/dist/jco.js";

/// A running `jco serve`, killed when it is dropped.
struct Jco {
    addr: SocketAddr,
    printed: Arc<Mutex<String>>,
    child: Child,
    _generated: TempDir,
}

impl Jco {
    /// Serves a guest, unless there is nothing to serve it with.
    async fn serve(guest: &str, env: &[(&str, &str)]) -> Option<Self> {
        // jco does not tell which port it has got, so it is given one that was free just now.
        for _ in 0..5 {
            let command = available("jco serve", node::program("jco", FILES, SCRIPT).await)?;
            let mut jco = Self::start(command, guest, env);
            if soon("jco listens or ends", jco.listens()).await {
                return Some(jco);
            }
        }
        panic!("no port stays free");
    }

    fn start(mut command: Command, guest: &str, env: &[(&str, &str)]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let addr = free.expect("there is a free port");
        let generated = tempfile::tempdir().expect("there is room for generated code");
        let mut child = command
            .args(["serve", guest, "--host", "127.0.0.1", "--port", &addr.port().to_string()])
            .args(["--jco-import", "./ends_with_its_parent.mjs", "--jco-dir"])
            .arg(generated.path())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let printed = Arc::default();
        listen(child.stdout.take(), &printed);
        listen(child.stderr.take(), &printed);
        Self { addr, printed, child, _generated: generated }
    }

    /// Waits until it listens; not so if another one has taken the port.
    async fn listens(&mut self) -> bool {
        loop {
            let printed = self.printed();
            if printed.contains("Server listening @") {
                return true;
            }
            if self.child.try_wait().expect("it is ours").is_some() {
                assert!(printed.contains("EADDRINUSE"), "{printed}");
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn printed(&self) -> String {
        self.printed.lock().expect("nobody panics with it").clone()
    }

    async fn assert_serves(&self, after: &str) {
        let greet = Message::call("greet", json!({"name": "you"}));
        assert_eq!(send(self.addr, &greet).await.result_text(), "Hello, you!", "{after}");
        let printed = self.printed();
        for trouble in ["panic", "unreachable", "RuntimeError"] {
            assert!(!printed.contains(trouble), "{after}: {printed}");
        }
    }
}

#[tokio::test]
async fn jco_passes_the_conformance_suite() {
    let env = sealing::variable(&[sealing::OLD]);
    let env = env.split_once('=').expect("a variable");
    let Some(jco) = Jco::serve(guests::CONFORMANCE, &[env]).await else { return };
    for run in [MODERN, LEGACY, RELEASED] {
        run.against("jco serve", jco.addr, "").await;
    }
    let printed = jco.printed();
    assert!(
        !printed.contains("client-gone: the response body"),
        "trailers are not missed: {printed}"
    );
}

#[tokio::test]
async fn jco_survives_clients_that_go_away() {
    let Some(jco) = Jco::serve(guests::DEMO, &[]).await else { return };
    let greet = Message::call("greet", json!({"name": "you"}));
    for (how, leave) in LEAVINGS {
        let mut wire = Wire::connect(jco.addr).await;
        wire.send(greet.head("content-length: 10000\r\n")).await;
        wire.send(&greet.body[..45]).await;
        leave(wire);
        jco.assert_serves(&format!("{how} in the body")).await;

        let countdown = Message::call("countdown", json!({"seconds": 1})).with_progress();
        let mut wire = Wire::connect(jco.addr).await;
        wire.post(&countdown).await;
        wire.until("1 to go").await;
        leave(wire);
        jco.assert_serves(&format!("{how} in the stream")).await;
    }
}
