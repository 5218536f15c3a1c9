//! Discovery of a server: `server/discover`, and `initialize` for legacy clients.

use std::time::Duration;

use serde::Serialize;

use super::Version;
use super::capabilities::ServerCapabilities;
use super::identity::Implementation;

/// Who may share a cached result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheScope {
    /// Everybody: the result is the same whoever asks.
    Public,
    /// Only who asked.
    #[default]
    Private,
}

/// How long, and by whom, a result may be kept (modern clients only).
///
/// The default allows no caching: `ttlMs` 0, `private`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cache {
    ttl: Duration,
    scope: CacheScope,
}

impl Cache {
    /// May be kept for `ttl`, and shared by everybody.
    #[must_use]
    pub fn public(ttl: Duration) -> Self {
        Self { ttl, scope: CacheScope::Public }
    }

    /// May be kept for `ttl` by who asked.
    #[must_use]
    pub fn private(ttl: Duration) -> Self {
        Self { ttl, scope: CacheScope::Private }
    }

    /// `ttlMs`
    pub(crate) fn ttl_ms(self) -> u64 {
        u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX)
    }

    /// `cacheScope`
    pub(crate) fn scope(self) -> CacheScope {
        self.scope
    }
}

/// Result of `server/discover`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiscoverResult<'a> {
    pub(crate) supported_versions: &'static [Version],
    pub(crate) capabilities: ServerCapabilities<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<&'a str>,
    pub(crate) ttl_ms: u64,
    pub(crate) cache_scope: CacheScope,
}

/// Result of the legacy `initialize`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InitializeResult<'a> {
    pub(crate) protocol_version: Version,
    pub(crate) capabilities: ServerCapabilities<'a>,
    pub(crate) server_info: Implementation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<&'a str>,
}
