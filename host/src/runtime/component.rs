//! Guests: components that are ready to be instantiated.

use std::{fmt, sync::Arc};

use super::{p2::P2Component, p3::P3Component};

/// A component that is compiled and linked. Cheap to clone; each exchange makes an instance of it.
#[derive(Clone)]
pub struct Guest {
    kind: GuestKind,
    seals: bool,
}

/// A component, by the version of `wasi:http` that it exports.
#[derive(Clone)]
pub(crate) enum GuestKind {
    P2(Arc<P2Component>),
    P3(Arc<P3Component>),
}

impl Guest {
    /// `seals`: whether the component has code that looks for sealing keys.
    pub(super) fn new(kind: GuestKind, seals: bool) -> Self {
        Self { kind, seals }
    }

    pub(crate) fn kind(&self) -> &GuestKind {
        &self.kind
    }

    /// Whether the component has code that looks for sealing keys.
    #[cfg(feature = "cli")]
    pub(crate) fn seals(&self) -> bool {
        self.seals
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest").field("seals", &self.seals).finish_non_exhaustive()
    }
}
