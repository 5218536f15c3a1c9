//! Errors of the host: starting, loading, listening.
//!
//! Failures of a single exchange are not here. They end as a status and a log line.

mod build;
#[cfg(feature = "cli")]
mod new;

use std::{io, net::SocketAddr, path::PathBuf};

pub use self::build::BuildError;
#[cfg(feature = "cli")]
pub use self::new::NewError;

/// Error type of the host. Each message is one line that names the file, setting, import or address at
/// fault.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The configuration file, the environment or the flags are invalid.
    #[error("configuration: {0}")]
    Config(String),
    /// A setting has a value that the host cannot honour.
    #[error("setting `{name}`: {reason}")]
    Setting {
        /// The name of the setting, as in the configuration file.
        name: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// The WebAssembly engine cannot be started.
    #[error("cannot start the WebAssembly engine: {0}")]
    Engine(String),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a component.
    #[error("{} is not a WebAssembly component: it is {found}", path.display())]
    NotAComponent {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: &'static str,
    },
    /// The component is invalid, or needs features that this engine lacks.
    #[error("cannot compile {}: {reason}", path.display())]
    Compile {
        /// The component.
        path: PathBuf,
        /// The message of the compiler.
        reason: String,
    },
    /// The component imports what this host does not offer.
    #[error("cannot link {}: {reason}", path.display())]
    Link {
        /// The component.
        path: PathBuf,
        /// The message of the linker, which names the import.
        reason: String,
    },
    /// The component does not export a handler of HTTP requests.
    #[error("{} does not handle HTTP requests: {reason}", path.display())]
    NotAServer {
        /// The component.
        path: PathBuf,
        /// Which export is missing.
        reason: String,
    },
    /// The component does not export `wasi:cli/run`, so it cannot serve a client over standard input and
    /// output.
    #[error("{} does not run as a command: {reason}; build it with a newer SDK", path.display())]
    NotACommand {
        /// The component.
        path: PathBuf,
        /// Which export is missing.
        reason: String,
    },
    /// The component that served a client over standard input and output has failed.
    #[error("the server failed: {0}")]
    ServerFailed(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {}", bind_reason(source))]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The operating system refuses a thread, signals, random bytes or the like.
    #[error("cannot {what}: {source}")]
    System {
        /// What was asked of the system.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A guest cannot be built from source.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A project cannot be created.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    New(#[from] NewError),
}

fn bind_reason(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => "another program is using this port".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "not permitted (ports below 1024 need privileges)".to_owned()
        }
        _ => source.to_string(),
    }
}

/// Formats an error of the engine with its sources, on one line.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    format!("{error:#}").replace('\n', " ")
}
