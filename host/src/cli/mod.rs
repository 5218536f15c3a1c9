//! The `midge` command.

mod address;
mod announce;
mod demo;
mod dev;
mod flags;
mod logging;
mod new;
mod sealing_keys;
mod serve;
mod settings;
mod source_tree;
mod variables;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use clap::{Args, Parser, Subcommand};
use tokio::runtime::Runtime;

use self::{
    announce::{SampleRequest, announce, print},
    flags::Flags,
    logging::LogFormat,
    new::{name::ProjectName, origin::Origin},
    sealing_keys::KeyId,
};
use crate::{
    build::Target, config::Config, error::HostError, net::server::Server, runtime::host::Host,
    sealing, stdio,
};

const AFTER_HELP: &str = "\
A TIME has a unit: 500ms, 10s, 2m. A SIZE is bytes or has a unit: 64KiB, 4MiB.
Each setting is also an environment variable: MIDGE_MAX_EXCHANGES for --max-exchanges. Those that are
repeatable are lists with commas: MIDGE_ALLOW_HOST=a.example,b.example. Flags win over variables, and
these over the configuration file.";

/// Runs MCP servers that are WebAssembly components, a fresh instance for every exchange.
///
/// Without a command it builds and serves the demo of the source tree it was built from.
#[derive(Debug, Parser)]
#[command(name = "midge", version, args_conflicts_with_subcommands = true)]
#[command(after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a project: a server with one tool, and its tests
    New {
        /// Name of the server, its package and its folder
        #[arg(value_parser = ProjectName::parse)]
        name: ProjectName,
        /// Midge to build it with: a version on crates.io, or the folder of a source tree
        /// [default: the tree this command was built from, or else its version]
        #[arg(long, value_name = "VERSION|FOLDER")]
        midge: Option<Origin>,
    },
    /// Serve a component (without one: the demo)
    #[command(after_help = AFTER_HELP)]
    Serve {
        /// The component to serve: a .wasm file
        component: Option<PathBuf>,
        #[command(flatten)]
        common: Common,
    },
    /// Serve one client over standard input and output, as desktop clients start local servers
    #[command(after_help = AFTER_HELP)]
    Stdio {
        /// The component to serve: a .wasm file
        component: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Build a guest with cargo, serve it, and rebuild it when its sources change
    #[command(after_help = AFTER_HELP)]
    Dev {
        /// Folder of the guest's Cargo.toml
        #[arg(default_value = ".")]
        path: PathBuf,
        /// Build this example instead of the package's library
        #[arg(long, value_name = "NAME")]
        example: Option<String>,
        /// Cargo profile to build with
        #[arg(long, value_name = "NAME", default_value = "dev")]
        profile: String,
        #[command(flatten)]
        common: Common,
    },
    /// Print a new sealing key, as the variable MIDGE_SEALING_KEYS of a guest takes it
    Key {
        /// Name of the key, which what it seals carries in the clear [default: today's date]
        #[arg(value_parser = KeyId::parse)]
        id: Option<KeyId>,
    },
    /// Test an MCP server against clients that disconnect
    Probe(midge_probe::cli::Arguments),
}

#[derive(Args, Debug)]
struct Common {
    /// Configuration file (TOML); its keys are the flags under the headings below, with `_` for `-`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Log lines for people or for machines; RUST_LOG filters them
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    #[command(flatten)]
    flags: Flags,
}

impl Common {
    /// Starts the log and a host.
    fn start(&self) -> Result<Host, HostError> {
        logging::install(self.log_format)?;
        Host::new(self.configuration()?)
    }

    /// Starts the log and a host that grants guests a sealing key for this run.
    fn start_development(&self) -> Result<Host, HostError> {
        logging::install(self.log_format)?;
        let mut config = self.configuration()?;
        sealing::grant_development_key(&mut config)?;
        Host::new(config)
    }

    fn configuration(&self) -> Result<Config, HostError> {
        settings::load(self.config.as_deref(), &self.flags)
    }
}

/// Runs the command with the arguments of the process, and returns its exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the runtime: {error}")),
    };
    let result = runtime.block_on(run(cli));
    // Without waiting for a write to a client that does not read and keeps the pipe open.
    runtime.shutdown_background();
    let code = result.unwrap_or_else(|error| fail(&error.to_string()));
    logging::flush();
    code
}

fn fail(reason: &str) -> ExitCode {
    logging::print_error(reason);
    ExitCode::FAILURE
}

/// Runs a command until it is done or a signal ends it.
///
/// # Errors
///
/// If the server cannot be started.
pub async fn run(cli: Cli) -> Result<ExitCode, HostError> {
    match cli.command {
        None => serve(None, &cli.common).await?,
        Some(Command::Serve { component, common }) => serve(component, &common).await?,
        Some(Command::Stdio { component, common }) => stdio(&component, &common).await?,
        Some(Command::Dev { path, example, profile, common }) => {
            let target = Target { path, package: None, example, profile };
            // Before the log is started.
            target.ensure_project()?;
            dev::run(&common.start_development()?, target).await?;
        }
        Some(Command::New { name, midge }) => create(&name, midge)?,
        Some(Command::Key { id }) => key(id)?,
        Some(Command::Probe(arguments)) => {
            return Ok(midge_probe::cli::run(arguments, "midge").await);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(component: Option<PathBuf>, common: &Common) -> Result<(), HostError> {
    let (host, path, sample) = match component {
        Some(path) => (common.start()?, path, SampleRequest::ListTools),
        None => (common.start_development()?, demo::build().await?, SampleRequest::CallGreet),
    };
    let guest = host.load(&path)?;
    sealing_keys::warn_of_missing_keys(host.config(), &guest);
    let server = Server::bind(&host, guest, host.config().addr).await?;
    announce(server.local_addr(), &path.display().to_string(), sample)?;
    serve::until_signalled(server).await
}

async fn stdio(path: &Path, common: &Common) -> Result<(), HostError> {
    logging::install(common.log_format)?;
    // One instance suffices, and the host reserves address space for each.
    let config = Config { max_exchanges: 1, ..common.configuration()? };
    stdio::serve(config, path).await
}

fn create(name: &ProjectName, midge: Option<Origin>) -> Result<(), HostError> {
    let origin = midge.unwrap_or_else(Origin::own).resolve()?;
    let folder = new::create(Path::new(""), name, &origin)?;
    print(&format!("Made {0}\n\nTry it:\n  cd {0}\n  midge dev\n", folder.display()))
}

fn key(id: Option<KeyId>) -> Result<(), HostError> {
    let id = id.unwrap_or_else(|| KeyId::of(SystemTime::now()));
    print(&sealing::make(id.as_str())?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
