//! A server that is a process, and its client's ends of the streams.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use midge_tests::{VERSION, guests, soon};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
};

use crate::{clients::available, hosts};

/// The command `midge` of this workspace.
const MIDGE: &str = env!("CARGO_BIN_EXE_midge-under-test");

/// What runs a component as a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    Midge,
    Wasmtime,
}

/// The command line that serves a guest, unless there is nothing to serve it with. The arguments
/// are the runner's own.
pub(crate) async fn command_line(
    runner: Runner,
    guest: &str,
    arguments: &[&str],
) -> Option<Vec<String>> {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned());
    Some(match runner {
        Runner::Midge => {
            let cache = guests::cache().join("cache");
            let fixed = [MIDGE, "stdio", guest, "--log-format", "json", "--cache-dir"];
            let fixed = fixed.map(str::to_owned).into_iter();
            fixed.chain([cache.display().to_string()]).chain(arguments).collect()
        }
        Runner::Wasmtime => {
            let program: PathBuf = available("wasmtime run", hosts::wasmtime().await)?;
            let fixed = [program.display().to_string(), "run".into(), "-S".into(), "http".into()];
            fixed.into_iter().chain(arguments).chain([guest.to_owned()]).collect()
        }
    })
}

/// A server at work. Killed when it is dropped.
pub(super) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: Option<BufReader<ChildStdout>>,
    printed: Arc<Mutex<String>>,
    printing: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a server, unless there is nothing to start.
    pub(super) async fn start(runner: Runner, guest: &str, arguments: &[&str]) -> Option<Self> {
        let line = command_line(runner, guest, arguments).await?;
        let mut child = Command::new(&line[0])
            .args(&line[1..])
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let printed = Arc::<Mutex<String>>::default();
        let (errors, lines) = (child.stderr.take().unwrap(), Arc::clone(&printed));
        let printing = tokio::spawn(async move {
            let mut errors = BufReader::new(errors).lines();
            while let Ok(Some(line)) = errors.next_line().await {
                lines.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Some(Self {
            input: child.stdin.take(),
            output: child.stdout.take().map(BufReader::new),
            child,
            printed,
            printing: Some(printing),
        })
    }

    /// Sends bytes. That nobody takes them is not looked at: the test will see it.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input is open");
        let _ = input.write_all(bytes).await;
        let _ = input.flush().await;
    }

    pub(super) async fn say(&mut self, message: &Value) {
        self.send(format!("{message}\n").as_bytes()).await;
    }

    /// Calls a tool as a modern client.
    pub(super) async fn call(&mut self, id: u32, tool: &str, arguments: Value) {
        self.say(&modern_call(id, tool, arguments)).await;
    }

    /// Sends bytes and closes the input, while the test goes on.
    pub(super) fn send_beside(&mut self, bytes: Vec<u8>) {
        let mut input = self.input.take().expect("the input is open");
        tokio::spawn(async move {
            let _ = input.write_all(&bytes).await;
        });
    }

    pub(super) async fn cancel(&mut self, id: u32) {
        let params = json!({"requestId": id});
        let method = "notifications/cancelled";
        self.say(&json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    /// The next message.
    pub(super) async fn hear(&mut self) -> Value {
        let line = self.line().await;
        let message = serde_json::from_str(&line);
        message.unwrap_or_else(|error| panic!("{error}: {line:?}\n{}", self.printed()))
    }

    /// The next message that is an answer.
    pub(super) async fn answer(&mut self) -> Value {
        loop {
            let message = self.hear().await;
            if message.get("method").is_none() {
                return message;
            }
        }
    }

    /// Checks that nothing more is said.
    pub(super) async fn hear_the_end(&mut self) {
        assert_eq!(self.line().await, "", "{}", self.printed());
    }

    async fn line(&mut self) -> String {
        let (mut line, output) = (String::new(), self.output.as_mut().unwrap());
        soon("a message", output.read_line(&mut line)).await.expect("it can be read");
        line
    }

    /// Reads a part of what is said.
    pub(super) async fn hear_part(&mut self, bytes: usize) {
        let (mut part, output) = (vec![0; bytes], self.output.as_mut().unwrap());
        soon("a part of a message", output.read_exact(&mut part)).await.expect("it is said");
    }

    pub(super) fn close_input(&mut self) {
        self.input = None;
    }

    pub(super) fn close_output(&mut self) {
        self.output = None;
    }

    pub(super) fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.expect("`kill` is there").success());
    }

    /// Waits until it has printed a text on standard error.
    pub(super) async fn until_printed(&self, text: &str) {
        let printed = async {
            while !self.printed().contains(text) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        soon(text, printed).await;
    }

    /// What it has printed on standard error so far.
    pub(super) fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    /// Waits for its end. Says how it ended, and what it printed on standard error.
    pub(super) async fn ended(&mut self) -> (ExitStatus, String) {
        let status = soon("its end", self.child.wait()).await.expect("it is ours");
        if let Some(printing) = self.printing.take() {
            soon("the end of its output", printing).await.expect("nothing fails");
        }
        (status, self.printed())
    }

    /// Waits for its end, which is an ordinary one.
    pub(super) async fn ended_well(&mut self) -> String {
        let (status, printed) = self.ended().await;
        assert_eq!(status.code(), Some(0), "{status}: {printed}");
        printed
    }
}

/// A call of a tool by a modern client.
pub(super) fn modern_call(id: u32, tool: &str, arguments: Value) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/logLevel": "debug",
        "progressToken": id,
    });
    let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

/// The lines of `midge` that are warnings or worse.
pub(super) fn complaints(printed: &str) -> Vec<Value> {
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    lines.filter(|line| line["level"] != "INFO").collect()
}
