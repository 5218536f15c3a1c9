//! Subscriptions on the wire.

use serde::{Deserialize, Serialize};

use super::jsonrpc::RequestId;
use super::members;

/// What a client wants to be told of, or what the server agrees to tell. Kinds that this server does
/// not know are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Filter {
    #[serde(skip_serializing_if = "std::ops::Not::not", deserialize_with = "members::or_default")]
    pub(crate) tools_list_changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not", deserialize_with = "members::or_default")]
    pub(crate) prompts_list_changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not", deserialize_with = "members::or_default")]
    pub(crate) resources_list_changed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "members::or_default")]
    pub(crate) resource_subscriptions: Vec<String>,
}

/// The `_meta` of everything that is said on a subscription.
#[derive(Debug, Serialize)]
pub(crate) struct SubscriptionMeta<'a> {
    #[serde(rename = "io.modelcontextprotocol/subscriptionId")]
    pub(crate) subscription_id: &'a RequestId,
}

/// Parameters of the notifications on a subscription.
#[derive(Debug, Serialize)]
pub(crate) struct SubscriptionParams<'a> {
    #[serde(rename = "_meta")]
    pub(crate) meta: SubscriptionMeta<'a>,
    /// Of `notifications/subscriptions/acknowledged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) notifications: Option<&'a Filter>,
    /// Of `notifications/resources/updated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uri: Option<&'a str>,
}
