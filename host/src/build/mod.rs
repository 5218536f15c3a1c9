//! Builds guests from source with cargo.

mod toolchain;

use std::{fmt, path::PathBuf, process::Stdio};

use serde::Deserialize;
use tokio::process::Command;

use crate::error::BuildError;

/// What to build with cargo.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The folder of the `Cargo.toml`.
    pub(crate) path: PathBuf,
    pub(crate) package: Option<String>,
    pub(crate) example: Option<String>,
    pub(crate) profile: String,
}

impl Target {
    /// Checks that there is a cargo project.
    pub(crate) fn ensure_project(&self) -> Result<(), BuildError> {
        if self.path.join("Cargo.toml").is_file() {
            Ok(())
        } else {
            Err(BuildError::NoProject { path: self.path.clone() })
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `.` would not name the project.
        let path = self.path.canonicalize();
        let path = path.as_ref().unwrap_or(&self.path).display();
        match &self.example {
            Some(example) => write!(f, "example {example} of {path}"),
            None => write!(f, "{path}"),
        }
    }
}

/// Builds a component and returns its path. cargo writes to standard error as usual.
pub(crate) async fn build(target: &Target) -> Result<PathBuf, BuildError> {
    target.ensure_project()?;
    toolchain::ensure_target(&target.path).await?;
    let mut cargo = cargo(target);
    let run = |source| BuildError::Run { program: toolchain::cargo(), source };
    // Not `output()`, which would capture standard error too.
    let output = cargo.spawn().map_err(run)?.wait_with_output().await.map_err(run)?;
    if !output.status.success() {
        return Err(BuildError::Failed);
    }
    component(&output.stdout, target.example.as_deref())
}

fn cargo(target: &Target) -> Command {
    let mut cargo = toolchain::command(&toolchain::cargo(), &target.path);
    cargo
        .args(["build", "--message-format", "json-render-diagnostics"])
        .args(["--target", toolchain::TARGET, "--profile", &target.profile])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    if let Some(package) = &target.package {
        cargo.args(["--package", package]);
    }
    match &target.example {
        Some(example) => cargo.args(["--example", example]),
        None => cargo.arg("--lib"),
    };
    cargo
}

#[derive(Deserialize)]
struct Message {
    target: Artifact,
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Artifact {
    name: String,
}

/// Finds the component in the messages of cargo: the last one, or that of the example.
fn component(messages: &[u8], example: Option<&str>) -> Result<PathBuf, BuildError> {
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Message>(line).ok())
        .filter(|message| example.is_none_or(|example| message.target.name == example))
        .flat_map(|message| message.filenames)
        .rfind(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .ok_or(BuildError::NoComponent)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::path::Path;

    use super::*;

    const MESSAGES: &[u8] =
        br#"{"reason":"compiler-artifact","target":{"name":"dep"},"filenames":["/t/libdep.rlib"]}
{"reason":"compiler-artifact","target":{"name":"guest"},"filenames":["/t/guest.wasm"]}
{"reason":"compiler-artifact","target":{"name":"demo"},"filenames":["/t/demo.wasm"]}
{"reason":"build-finished","success":true}
"#;

    #[test]
    fn the_component_is_found_in_the_messages_of_cargo() {
        assert_eq!(component(MESSAGES, None).unwrap(), Path::new("/t/demo.wasm"));
        assert_eq!(component(MESSAGES, Some("guest")).unwrap(), Path::new("/t/guest.wasm"));
        assert!(matches!(component(MESSAGES, Some("dep")), Err(BuildError::NoComponent)));
    }

    #[test]
    fn a_target_is_displayed_as_its_folder() {
        let target = |example: Option<&str>| Target {
            path: PathBuf::from("."),
            package: None,
            example: example.map(str::to_owned),
            profile: "dev".to_owned(),
        };
        let here = Path::new(".").canonicalize().unwrap();
        assert_eq!(target(None).to_string(), here.display().to_string());
        let example = target(Some("demo")).to_string();
        assert_eq!(example, format!("example demo of {}", here.display()));
    }
}
