//! The Rust toolchain that builds a guest.

use std::{env, io, path::Path, process::Stdio};

use tokio::process::Command;

use crate::error::BuildError;

/// The target of guests, for which cargo writes components.
pub(super) const TARGET: &str = "wasm32-wasip2";

/// Returns the cargo that runs this program, or else the one in `PATH`.
pub(super) fn cargo() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Creates a command in the folder of a project, without the variables that `cargo run` has set for this
/// program.
pub(super) fn command(program: &str, project: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(project).env_remove("CARGO_ENCODED_RUSTFLAGS");
    for (name, _) in env::vars_os() {
        let ours = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if ours {
            command.env_remove(name);
        }
    }
    command
}

/// Installs the target in the toolchain of the project if it is missing.
pub(super) async fn ensure_target(project: &Path) -> Result<(), BuildError> {
    if has_target(project).await? {
        return Ok(());
    }
    tracing::info!(target: "midge::dev", "adding the Rust target {TARGET}");
    let added = command("rustup", project)
        .args(["target", "add", TARGET])
        .stdin(Stdio::null())
        .status()
        .await;
    match added {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(BuildError::NoTarget),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BuildError::NoTarget),
        Err(source) => Err(BuildError::Run { program: "rustup".to_owned(), source }),
    }
}

/// Whether the standard library of the target is installed.
async fn has_target(project: &Path) -> Result<bool, BuildError> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = command(&rustc, project)
        .args(["--print", "target-libdir", "--target", TARGET])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|source| BuildError::Run { program: rustc, source })?;
    let folder = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && Path::new(folder.trim()).is_dir())
}
