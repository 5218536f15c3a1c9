//! How a client learns what a server is: `server/discover`, and `initialize` before it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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
        Self {
            ttl,
            scope: CacheScope::Public,
        }
    }

    /// May be kept for `ttl` by who asked.
    #[must_use]
    pub fn private(ttl: Duration) -> Self {
        Self {
            ttl,
            scope: CacheScope::Private,
        }
    }

    pub(crate) fn hints(self) -> CacheHints {
        let ttl_ms = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        CacheHints {
            ttl_ms,
            cache_scope: self.scope,
        }
    }
}

/// The members that cacheable results carry.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CacheHints {
    ttl_ms: u64,
    cache_scope: CacheScope,
}

/// Result of `server/discover`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiscoverResult<'a> {
    pub(crate) supported_versions: &'static [Version],
    pub(crate) capabilities: ServerCapabilities,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) cache: CacheHints,
}

/// Parameters of the legacy `initialize`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InitializeParams {
    pub(crate) protocol_version: String,
    #[serde(rename = "capabilities")]
    pub(crate) _capabilities: serde_json::Map<String, serde_json::Value>,
    #[serde(rename = "clientInfo")]
    pub(crate) _client_info: Implementation,
}

/// Result of the legacy `initialize`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InitializeResult<'a> {
    pub(crate) protocol_version: Version,
    pub(crate) capabilities: ServerCapabilities,
    pub(crate) server_info: Implementation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<&'a str>,
}
