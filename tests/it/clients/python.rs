//! Python in a virtual environment, and the client that runs there.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use super::{
    LeftOut,
    folder::{self, INSTALLATION},
    program,
};

const REMEDY: &str =
    "install Python 3.10 or newer with its venv module, and let pip reach its registry once";

/// The packages of the client and the script that uses them.
const CLIENT: &[(&str, &str)] = &[
    ("requirements.txt", include_str!("../../clients/python/requirements.txt")),
    ("tour.py", include_str!("../../clients/python/tour.py")),
];

/// Fails on a Python that is too old; otherwise prints what an environment depends on.
const CHECK: &str = "import sys; assert sys.version_info >= (3, 10), 'Python is older than 3.10'; \
                     print(sys.executable, sys.version)";

/// The Python of the virtual environment, below its folder.
const PYTHON: &str = if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" };

/// The script, with its packages installed.
pub(crate) async fn client() -> Result<Command, LeftOut> {
    let (mut python, folder) = environment("python", CLIENT).await?;
    python.arg(folder.join("tour.py"));
    Ok(python)
}

/// A Python with the packages of the `requirements.txt` that is among the files, and their folder.
pub(crate) async fn environment(
    name: &str,
    files: &[(&str, &str)],
) -> Result<(Command, PathBuf), LeftOut> {
    let folder = prepared(name, files).await.map_err(|why| LeftOut { why, remedy: REMEDY })?;
    Ok((isolated(folder.join(PYTHON)), folder))
}

async fn prepared(name: &str, files: &[(&str, &str)]) -> Result<PathBuf, String> {
    let (python, edition) = find().await?;
    let install = async |folder: &Path| install(python, folder).await;
    folder::filled(name, &edition, files, install).await
}

/// The name of a Python that is new enough, and the words that tell it from others.
async fn find() -> Result<(&'static str, String), String> {
    let mut reason = String::new();
    for python in ["python3", "python"] {
        let mut check = isolated(python);
        match program::run(check.args(["-c", CHECK]), Duration::from_secs(20)).await {
            Ok(printed) => return Ok((python, printed.stdout)),
            Err(error) if reason.is_empty() => reason = error,
            Err(_) => {}
        }
    }
    Err(reason)
}

async fn install(python: &str, folder: &Path) -> Result<(), String> {
    let mut venv = isolated(python);
    program::run(venv.args(["-m", "venv"]).arg(folder.join("venv")), INSTALLATION).await?;
    let mut pip = isolated(folder.join(PYTHON));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"])
        .args(["--only-binary", ":all:", "--requirement"])
        .arg(folder.join("requirements.txt"));
    program::run(&mut pip, INSTALLATION).await.map(drop)
}

/// A Python that heeds neither the user's own packages nor the environment.
fn isolated(python: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(python);
    command.args(["-I", "-B"]);
    command
}
