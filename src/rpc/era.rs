//! The era of a client: modern, with metadata in every request, or legacy.

use crate::error::ProtocolError;
use crate::headers::mirrored::Field;
use crate::protocol::Version;
use crate::protocol::meta::RequestMeta;

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// By a stateless revision; whether a supported one is still to be checked.
    Modern,
    Legacy(Version),
}

impl Era {
    /// Returns the name of the era in the metadata of an exchange.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Modern => "modern",
            Self::Legacy(_) => "legacy",
        }
    }
}

/// Decides by the version in the body, then by the header, then by the method. That a request has
/// a `_meta` says nothing: legacy clients send their progress tokens in it.
pub(crate) fn decide<'h>(
    method: &str,
    meta: &RequestMeta<'_>,
    header: impl FnOnce() -> Field<'h>,
) -> Result<Era, ProtocolError> {
    let modern_key = meta.protocol_version.is_some()
        || meta.client_capabilities.is_some()
        || meta.client_info.is_some()
        || meta.log_level.is_some();
    if modern_key {
        return Ok(Era::Modern);
    }
    let requested = match header() {
        Field::Absent if method == "initialize" => {
            return Ok(Era::Legacy(Version::NEWEST_LEGACY));
        }
        // What a client means that names no version: legacy clients did not always.
        Field::Absent => return Ok(Era::Legacy(Version::V2025_03_26)),
        Field::Named(text) => match text.parse::<Version>() {
            Ok(version) if version.is_modern() => return Ok(Era::Modern),
            Ok(version) => return Ok(Era::Legacy(version)),
            Err(_) => text,
        },
        Field::Malformed => "(malformed header)",
    };
    let supported = if method == "initialize" { Version::LEGACY } else { Version::ALL };
    Err(ProtocolError::UnsupportedVersion { supported, requested: requested.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn era(method: &str, meta: &str, header: Option<&str>) -> Result<Era, String> {
        let raw = RawValue::from_string(meta.to_owned()).unwrap();
        let meta = RequestMeta::read(&raw).unwrap();
        decide(method, &meta, || header.map_or(Field::Absent, Field::Named))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn v1_to_v7_the_decision_table() {
        const VERSION: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
        const LEGACY_META: &str = r#"{"progressToken":1}"#;
        let legacy = |version| Ok(Era::Legacy(version));
        let unsupported = |text: &str| Err(format!("Unsupported protocol version: {text}"));
        for (row, method, meta, header, expected) in [
            ("V1", "initialize", VERSION, None, Ok(Era::Modern)),
            ("V1", "tools/list", VERSION, Some("2025-06-18"), Ok(Era::Modern)),
            (
                "A4",
                "tools/list",
                r#"{"io.modelcontextprotocol/protocolVersion":null}"#,
                Some("2025-06-18"),
                legacy(Version::V2025_06_18),
            ),
            ("V2", "ping", r#"{"io.modelcontextprotocol/clientInfo":{}}"#, None, Ok(Era::Modern)),
            ("V2", "ping", r#"{"io.modelcontextprotocol/logLevel":"info"}"#, None, Ok(Era::Modern)),
            ("V3", "tools/list", "{}", Some("2026-07-28"), Ok(Era::Modern)),
            ("V3", "initialize", "{}", Some("2026-07-28"), Ok(Era::Modern)),
            ("V4", "initialize", "{}", None, legacy(Version::V2025_11_25)),
            ("V4", "initialize", "{}", Some("2025-03-26"), legacy(Version::V2025_03_26)),
            ("V5", "tools/list", LEGACY_META, Some("2025-06-18"), legacy(Version::V2025_06_18)),
            ("V6", "tools/list", LEGACY_META, None, legacy(Version::V2025_03_26)),
            ("V6", "server/discover", "{}", None, legacy(Version::V2025_03_26)),
            ("V7", "tools/list", "{}", Some("2024-11-05"), unsupported("2024-11-05")),
            ("V7", "initialize", "{}", Some("garbage"), unsupported("garbage")),
        ] {
            assert_eq!(era(method, meta, header), expected, "{row} {method} {meta} {header:?}");
        }
    }
}
