//! Runs other programs, for a bounded time.

use std::{process::Stdio, time::Duration};

use tokio::process::Command;

/// What a program printed before it ended well.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program to its end; the error tells why it did not end well. At the limit it is killed.
pub(crate) async fn run(command: &mut Command, limit: Duration) -> Result<Printed, String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(limit, output)
        .await
        .map_err(|_| format!("`{name}` did not end within {limit:?}"))?
        .map_err(|error| format!("`{name}` cannot be run: {error}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(Printed { stdout, stderr })
    } else {
        Err(format!("`{name}` failed ({}): {}", output.status, format!("{stderr}{stdout}").trim()))
    }
}
