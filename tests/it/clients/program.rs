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
        let said = format!("{stderr}{stdout}");
        Err(format!("`{name}` failed ({}):\n{}", output.status, said.trim()))
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_failure_says_why() {
    let mut command = Command::new("sh");
    let failed = run(command.args(["-c", "echo no luck >&2; exit 3"]), Duration::from_secs(20));
    let error = failed.await.unwrap_err();
    assert_eq!(error, "`sh` failed (exit status: 3):\nno luck");
}

#[cfg(unix)]
#[tokio::test]
async fn what_does_not_end_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > pid; exec sleep 600"]).current_dir(&folder);
    let error = run(&mut command, Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error, "`sh` did not end within 1s");
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    let alive = || std::process::Command::new("kill").args(["-0", pid.trim()]).output().unwrap();
    let end = async {
        while alive().status.success() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    midge_tests::soon("the end of the program", end).await;
}
