//! The demo: an example in the source tree that this command was built from.

use std::path::{Path, PathBuf};

use crate::{
    build::{self, Target},
    cli::source_tree,
    error::{BuildError, HostError},
};

/// Builds the demo, and returns the path of its component.
pub(super) async fn build() -> Result<PathBuf, HostError> {
    let tree = Path::new(source_tree::PATH);
    if !tree.join("examples/demo.rs").is_file() {
        return Err(BuildError::NoDemo { tree: tree.to_owned() }.into());
    }
    let demo = Target {
        path: tree.to_owned(),
        package: Some("midge".to_owned()),
        example: Some("demo".to_owned()),
        profile: "component".to_owned(),
    };
    Ok(build::build(&demo).await?)
}
