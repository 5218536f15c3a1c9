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
    /// The source tree that this command was built from does not exist any more.
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
    /// The target of components is not installed, and rustup could not install it.
    #[error(
        "the Rust target wasm32-wasip2 is missing: install it, with rustup: `rustup target add wasm32-wasip2`"
    )]
    NoTarget,
    /// cargo has failed, and has written the reason to standard error.
    #[error("cargo did not build the guest")]
    Failed,
    /// cargo has not built a component.
    #[error(
        "cargo built no component: the guest's library or example needs `crate-type = [\"cdylib\"]`"
    )]
    NoComponent,
}
