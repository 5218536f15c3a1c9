use std::fmt;
use std::str::FromStr;

use super::code;

/// A revision of the protocol.
///
/// Ordered by age, so that `version >= Version::V2025_06_18` reads as it should. Everything that
/// one revision may carry and another may not is answered by a method of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// `2025-03-26`: the oldest legacy revision, and what a client means that names none.
    V2025_03_26,
    /// `2025-06-18`: legacy, with structured results and resource links.
    V2025_06_18,
    /// `2025-11-25`: the newest legacy revision.
    V2025_11_25,
    /// `2026-07-28`: the stateless revision, with metadata in every request.
    V2026_07_28,
}

/// A protocol version that this SDK does not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unsupported protocol version")]
pub struct UnknownVersion;

impl Version {
    /// The versions named by `server/discover` and in the error for an unsupported version in
    /// metadata.
    pub const MODERN: &'static [Version] = Self::ALL.split_at(1).0;

    /// The versions that `initialize` may ask for, the newest first.
    pub(crate) const LEGACY: &'static [Version] = Self::ALL.split_at(1).1;

    /// The versions that a request without metadata may name in its header, the newest first.
    pub(crate) const ALL: &'static [Version] =
        &[Version::V2026_07_28, Version::V2025_11_25, Version::V2025_06_18, Version::V2025_03_26];

    /// The newest version that `initialize` may answer.
    pub const NEWEST_LEGACY: Version = Version::V2025_11_25;

    /// The version as it is written on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Version::V2025_03_26 => "2025-03-26",
            Version::V2025_06_18 => "2025-06-18",
            Version::V2025_11_25 => "2025-11-25",
            Version::V2026_07_28 => "2026-07-28",
        }
    }

    /// Whether this is a stateless revision: no handshake, metadata in every request.
    #[must_use]
    pub fn is_modern(self) -> bool {
        self >= Version::V2026_07_28
    }

    /// Whether a body may be an array of messages.
    pub(crate) fn allows_batches(self) -> bool {
        self == Version::V2025_03_26
    }

    /// Whether results carry `resultType`, cache hints and the server's identity in `_meta`.
    pub(crate) fn has_result_envelope(self) -> bool {
        self.is_modern()
    }

    /// Whether tools, resources and implementations may carry `title` and `_meta`.
    pub(crate) fn has_titles(self) -> bool {
        self >= Version::V2025_06_18
    }

    /// Whether tools and implementations may carry `icons`, and implementations a description.
    pub(crate) fn has_icons(self) -> bool {
        self >= Version::V2025_11_25
    }

    /// Whether a tool may publish an output schema and answer with structured content.
    pub(crate) fn has_structured_content(self) -> bool {
        self >= Version::V2025_06_18
    }

    /// Whether structured content may be any JSON value, not an object only.
    pub(crate) fn structured_content_may_be_any_value(self) -> bool {
        self.is_modern()
    }

    /// Whether content may be a link to a resource.
    pub(crate) fn has_resource_links(self) -> bool {
        self >= Version::V2025_06_18
    }

    /// The number of the error for a resource that does not exist.
    pub(crate) fn resource_not_found_code(self) -> i32 {
        if self.is_modern() { code::INVALID_PARAMS } else { code::LEGACY_RESOURCE_NOT_FOUND }
    }

    /// Whether a server may ask the client for input in its answer.
    pub(crate) fn has_input_requests(self) -> bool {
        self.is_modern()
    }

    /// Whether the two sides may declare extensions.
    pub(crate) fn has_extensions(self) -> bool {
        self >= Version::V2025_11_25
    }

    /// Whether a schema inside `properties` may be `true` or `false`.
    pub(crate) fn allows_boolean_schemas(self) -> bool {
        self.is_modern()
    }

    /// Whether log messages need a level in the request; before, the server's default decides.
    pub(crate) fn needs_log_level_in_request(self) -> bool {
        self.is_modern()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "2025-03-26" => Ok(Version::V2025_03_26),
            "2025-06-18" => Ok(Version::V2025_06_18),
            "2025-11-25" => Ok(Version::V2025_11_25),
            "2026-07-28" => Ok(Version::V2026_07_28),
            _ => Err(UnknownVersion),
        }
    }
}

impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
