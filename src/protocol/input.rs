//! Requests of a server to its client within a request (multi round-trip requests).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// One question in an answer of the type `input_required`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct InputRequest {
    pub(crate) method: &'static str,
    pub(crate) params: Box<RawValue>,
}

/// Result of a request that cannot be answered before the client has answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InputRequiredResult<'a> {
    pub(crate) input_requests: BTreeMap<&'a str, &'a InputRequest>,
    pub(crate) request_state: String,
}

/// Parameters of `elicitation/create`.
#[derive(Debug, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub(crate) enum ElicitParams<'a> {
    #[serde(rename_all = "camelCase")]
    Form {
        message: &'a str,
        requested_schema: &'a Value,
    },
    Url {
        message: &'a str,
        url: &'a str,
    },
}

/// What the user did with a question.
#[derive(Debug, Deserialize)]
pub(crate) struct ElicitResult {
    pub(crate) action: ElicitAction,
    #[serde(default)]
    pub(crate) content: Option<Value>,
}

/// What the user did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ElicitAction {
    Accept,
    Decline,
    Cancel,
}

/// A folder that the client works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Root {
    /// A `file://` URI.
    pub uri: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Result of `roots/list`.
#[derive(Debug, Deserialize)]
pub(crate) struct ListRootsResult {
    pub(crate) roots: Vec<Root>,
}
