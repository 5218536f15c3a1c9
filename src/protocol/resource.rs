//! Resources on the wire.

use serde::Serialize;
use serde_json::{Map, Value};

use super::content::{Annotations, ResourceContents};
use super::discover::{Cache, CacheScope};
use super::identity::Icon;

/// One resource, or one template of resources, in the answer to a list method.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceDefinition<'a> {
    #[serde(flatten)]
    pub(crate) address: Address<'a>,
    pub(crate) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mime_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<Annotations>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    pub(crate) icons: &'a [Icon],
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<&'a Map<String, Value>>,
}

/// Where a resource is: at one URI, or at all that a template stands for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Address<'a> {
    Uri(&'a str),
    UriTemplate(&'a str),
}

/// Result of `resources/read`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReadResourceResult {
    pub(crate) contents: Vec<ResourceContents>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_scope: Option<CacheScope>,
}

impl ReadResourceResult {
    /// Contents, and how long they may be kept, for clients whose version has cache hints.
    pub(crate) fn new(contents: Vec<ResourceContents>, cache: Option<Cache>) -> Self {
        let (ttl_ms, cache_scope) = (cache.map(Cache::ttl_ms), cache.map(Cache::scope));
        Self { contents, ttl_ms, cache_scope }
    }
}
