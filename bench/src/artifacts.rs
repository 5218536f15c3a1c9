//! Builds what is compared: the host and the components, the way users build them.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::BenchError;

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "component";

/// Programs and components.
#[derive(Clone, Debug)]
pub(crate) struct Artifacts {
    /// This program, which has the native servers in it.
    pub(crate) itself: PathBuf,
    /// The command `midge`.
    pub(crate) host: PathBuf,
    /// The command `wasmtime`, where there is one.
    pub(crate) wasmtime: Option<PathBuf>,
    /// Folder for compiled code.
    pub(crate) cache: PathBuf,
    target_dir: PathBuf,
}

impl Artifacts {
    pub(crate) fn build() -> Result<Self, BenchError> {
        if cfg!(debug_assertions) {
            return Err(BenchError::Debug);
        }
        let itself = env::current_exe()?;
        let release = itself.parent().unwrap_or(Path::new("."));
        let target_dir = release.parent().unwrap_or(release).to_owned();
        let host = release.join(format!("midge{}", env::consts::EXE_SUFFIX));
        let cache = target_dir.join("bench-cache");
        fs::create_dir_all(&cache)?;
        let artifacts = Self { host, wasmtime: wasmtime(), cache, target_dir, itself };
        artifacts.cargo("midge-host", &["--release", "--bin", "midge"], None)?;
        artifacts.build_hello_p3()?;
        artifacts.components(None)?;
        Ok(artifacts)
    }

    /// Builds `hello` for WASI 0.3, and copies it away: the other one gets the same name.
    fn build_hello_p3(&self) -> Result<(), BenchError> {
        let wasm = ["--target", TARGET, "--profile", PROFILE];
        let hello = ["--example", "hello", "--features", "p3"];
        self.cargo("midge", &[&wasm[..], &hello].concat(), None)?;
        fs::copy(self.component("hello"), self.hello_p3())?;
        Ok(())
    }

    /// Where `hello` for WASI 0.3 is.
    pub(crate) fn hello_p3(&self) -> PathBuf {
        component(&self.target_dir, "hello-p3")
    }

    /// Builds the components; `names` is a folder for builds that keep the names of functions.
    pub(crate) fn components(&self, names: Option<&Path>) -> Result<(), BenchError> {
        let wasm = ["--target", TARGET, "--profile", PROFILE];
        self.cargo("midge", &[&wasm[..], &["--example", "hello"]].concat(), names)?;
        self.cargo("midge-bench-guests", &[&wasm[..], &["--examples"]].concat(), names)
    }

    fn cargo(
        &self,
        package: &'static str,
        arguments: &[&str],
        names: Option<&Path>,
    ) -> Result<(), BenchError> {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or(OsString::from("cargo")));
        cargo.args(["build", "--quiet", "--package", package]).args(arguments);
        cargo.arg("--target-dir").arg(names.unwrap_or(&self.target_dir));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        if names.is_some() {
            cargo.env("CARGO_PROFILE_COMPONENT_STRIP", "none");
        }
        if cargo.status()?.success() { Ok(()) } else { Err(BenchError::Build(package)) }
    }

    /// Where a component is.
    pub(crate) fn component(&self, name: &str) -> PathBuf {
        component(&self.target_dir, name)
    }

    /// A folder of its own for builds that keep the names of functions.
    pub(crate) fn names(&self) -> PathBuf {
        self.target_dir.join("bench-names")
    }
}

/// Where a component is below a target folder.
pub(crate) fn component(target_dir: &Path, name: &str) -> PathBuf {
    let examples = target_dir.join(TARGET).join(PROFILE).join("examples");
    examples.join(format!("{name}.wasm"))
}

/// The command `wasmtime`: what `MIDGE_BENCH_WASMTIME` says, or the first in `PATH`.
fn wasmtime() -> Option<PathBuf> {
    if let Some(path) = env::var_os("MIDGE_BENCH_WASMTIME") {
        return Some(path.into());
    }
    let name = format!("wasmtime{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
}
