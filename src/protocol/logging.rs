//! Log messages and progress for the client.

use serde::Serialize;
use serde_json::value::RawValue;

use super::meta::ProgressToken;

/// How grave a log message is; the levels of syslog (RFC 5424), least grave first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LoggingLevel {
    /// For debugging.
    Debug,
    /// General information.
    Info,
    /// Normal but notable.
    Notice,
    /// Something may go wrong.
    Warning,
    /// Something failed.
    Error,
    /// A part does not work.
    Critical,
    /// Somebody must act at once.
    Alert,
    /// Nothing works.
    Emergency,
}

impl LoggingLevel {
    pub(crate) fn from_json(json: &RawValue) -> Option<Self> {
        Some(match json.get() {
            r#""debug""# => Self::Debug,
            r#""info""# => Self::Info,
            r#""notice""# => Self::Notice,
            r#""warning""# => Self::Warning,
            r#""error""# => Self::Error,
            r#""critical""# => Self::Critical,
            r#""alert""# => Self::Alert,
            r#""emergency""# => Self::Emergency,
            _ => return None,
        })
    }
}

/// Parameters of `notifications/message`.
#[derive(Debug, Serialize)]
pub(crate) struct LogMessage<D> {
    pub(crate) level: LoggingLevel,
    pub(crate) data: D,
}

/// Parameters of `notifications/progress`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProgressParams<'a> {
    pub(crate) progress_token: &'a ProgressToken,
    pub(crate) progress: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<&'a str>,
}
