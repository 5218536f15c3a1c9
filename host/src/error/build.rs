//! Errors of building a guest from source.

use std::path::PathBuf;

/// Why a guest cannot be built from source.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no cargo project.
    #[error("no Cargo.toml in {}", path.display())]
    NoProject {
        /// The folder.
        path: PathBuf,
    },
    /// The source tree this command was built from is gone.
    #[error("there is no demo: no examples/demo.rs in {} (serve a component: `midge serve FILE`)", tree.display())]
    NoDemo {
        /// Where it was.
        tree: PathBuf,
    },
    /// A program cannot be started.
    #[error("cannot run `{program}`: {source}")]
    Run {
        /// The program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The target of components is not installed, and there is no rustup to do it.
    #[error(
        "the Rust target wasm32-wasip2 is missing: install it, with rustup: `rustup target add wasm32-wasip2`"
    )]
    NoTarget,
    /// cargo says on standard error what is wrong.
    #[error("cargo did not build the guest")]
    Failed,
    /// What cargo has built is no component.
    #[error(
        "cargo built no component: the guest's library or example needs `crate-type = [\"cdylib\"]`"
    )]
    NoComponent,
}
