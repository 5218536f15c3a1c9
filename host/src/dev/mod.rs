//! Guests built from source.

/// Why a guest cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("not built")]
pub struct BuildError;
