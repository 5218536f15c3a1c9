//! Who is compared, and how each is started.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use clap::ValueEnum;

use crate::{
    artifacts::Artifacts,
    message::{Era, Message, Question},
    workload::{Spec, Tools, Wire, Workload},
};

/// A server, and the protocol version it is spoken to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contestant {
    /// hyper alone, which answers with 200 bytes that are always the same
    Hyper,
    /// rmcp, native, as its documentation has it, 2026-07-28
    Rmcp,
    /// The same, 2025-11-25
    RmcpLegacy,
    /// rmcp, native, with a router that is made once and not for each request, 2026-07-28
    RmcpTuned,
    /// tower-mcp, native, 2026-07-28
    TowerMcp,
    /// A Midge component under `midge serve`, 2026-07-28
    Midge,
    /// The same without a log line for each exchange
    MidgeQuiet,
    /// The same as `midge`, 2025-11-25
    MidgeLegacy,
    /// The same server built for WASI 0.3, a fresh instance for each exchange, 2026-07-28
    MidgeP3,
    /// The component of `midge` under `wasmtime serve`, 2026-07-28
    Wasmtime,
    /// The component of `midge-p3` under `wasmtime serve`, which reuses its instances, 2026-07-28
    WasmtimeP3,
    /// A component that always answers the same 200 bytes, under `midge serve`
    TrivialMidge,
    /// The same component under `wasmtime serve`
    TrivialWasmtime,
}

impl Contestant {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it takes part: not all know all that is asked.
    pub(crate) fn takes_part(self, workload: Workload, artifacts: &Artifacts) -> bool {
        let is_mcp = !matches!(self, Self::TrivialMidge | Self::TrivialWasmtime);
        let is_wasmtime = matches!(self, Self::Wasmtime | Self::WasmtimeP3 | Self::TrivialWasmtime);
        let has_one_tool =
            matches!(self, Self::Rmcp | Self::RmcpLegacy | Self::MidgeP3 | Self::WasmtimeP3);
        let Spec { question, wire, tools, .. } = workload.spec();
        (is_mcp || question == Question::Greet)
            && (!has_one_tool || tools == Tools::Greeters(1))
            && !(is_wasmtime && (artifacts.wasmtime.is_none() || wire == Wire::H2c))
    }

    /// The question as this contestant is asked it.
    pub(crate) fn message(self, question: Question) -> Message {
        let era = match self {
            Self::RmcpLegacy | Self::MidgeLegacy => Era::Legacy,
            _ => Era::Modern,
        };
        let message = Message::new(question, era);
        match self {
            Self::Hyper | Self::TrivialMidge | Self::TrivialWasmtime => {
                message.answered_always_the_same()
            }
            _ => message,
        }
    }

    /// The command that serves `tools` on a port of 127.0.0.1.
    pub(crate) fn command(self, artifacts: &Artifacts, tools: Tools, port: u16) -> Command {
        let component = match self {
            Self::TrivialMidge | Self::TrivialWasmtime => artifacts.component("trivial"),
            Self::MidgeP3 | Self::WasmtimeP3 => artifacts.hello_p3(),
            _ => artifacts.component(component(tools)),
        };
        let mut command = match self {
            Self::Hyper => native("hyper", artifacts, tools, port),
            Self::Rmcp | Self::RmcpLegacy => native("rmcp", artifacts, tools, port),
            Self::RmcpTuned => native("rmcp-tuned", artifacts, tools, port),
            Self::TowerMcp => native("tower-mcp", artifacts, tools, port),
            Self::Midge
            | Self::MidgeQuiet
            | Self::MidgeLegacy
            | Self::MidgeP3
            | Self::TrivialMidge => midge(artifacts, &component, port),
            Self::Wasmtime | Self::WasmtimeP3 | Self::TrivialWasmtime => {
                wasmtime(artifacts, &component, port)
            }
        };
        // What the user has in the environment is for the user's own servers.
        command.env_remove("RUST_LOG");
        if self == Self::MidgeQuiet {
            command.env("RUST_LOG", "warn");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

fn native(name: &str, artifacts: &Artifacts, tools: Tools, port: u16) -> Command {
    let mut command = Command::new(&artifacts.itself);
    let (tools, port) = (tools.to_string(), port.to_string());
    command.args(["serve", name, "--tools", &tools, "--port", &port]);
    command
}

fn midge(artifacts: &Artifacts, component: &Path, port: u16) -> Command {
    let mut command = Command::new(&artifacts.host);
    command.arg("serve").arg(component).args(["--addr", &addr(port)]);
    command.arg("--cache-dir").arg(&artifacts.cache);
    command
}

fn wasmtime(artifacts: &Artifacts, component: &Path, port: u16) -> Command {
    let program = artifacts.wasmtime.as_deref().unwrap_or(Path::new("wasmtime"));
    let mut command = Command::new(program);
    command.args(["serve", "-S", "cli", "--addr", &addr(port)]).arg(component);
    command
}

fn addr(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The component that has these tools.
fn component(tools: Tools) -> &'static str {
    match tools {
        Tools::Greeters(1) => "hello",
        Tools::Greeters(2..=20) => "tools20",
        Tools::Greeters(_) => "tools200",
        Tools::Work => "work",
    }
}
