//! Capabilities of clients and servers.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// An object of settings of which only the presence counts; unknown members are kept.
pub type Settings = Map<String, Value>;

/// Reads settings as clients write them: `null` for none, `[]` for an empty object.
fn settings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Settings>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Object(settings) => Ok(Some(settings)),
        Value::Array(items) if items.is_empty() => Ok(Some(Settings::new())),
        Value::Null => Ok(None),
        _ => Err(D::Error::custom("settings must be an object")),
    }
}

fn entries<'de, D>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(settings(deserializer)?.unwrap_or_default().into_iter().collect())
}

/// What the client can do, as it says in each request. Unknown members are tolerated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClientCapabilities {
    /// It asks the user questions (`elicitation/create`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elicitation: Option<Elicitation>,
    /// It asks its model (`sampling/createMessage`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
    /// It names the folders that it works on (`roots/list`).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "settings")]
    pub roots: Option<Settings>,
    /// Extensions, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "entries")]
    pub extensions: BTreeMap<String, Value>,
    /// Experiments outside the protocol.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "entries")]
    pub experimental: BTreeMap<String, Value>,
}

/// The ways in which a client can ask its user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Elicitation {
    /// By a form. An empty `elicitation` object means this, too.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "settings")]
    pub form: Option<Settings>,
    /// By sending the user to a URL.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "settings")]
    pub url: Option<Settings>,
}

/// The ways in which a client can ask its model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Sampling {
    /// With context of other servers.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "settings")]
    pub context: Option<Settings>,
    /// With tools.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "settings")]
    pub tools: Option<Settings>,
}

impl ClientCapabilities {
    /// No capability at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Asks for questions to the user by a form.
    #[must_use]
    pub fn with_elicitation(mut self) -> Self {
        self.elicitation.get_or_insert_default().form.get_or_insert_default();
        self
    }

    /// Asks for sending the user to a URL.
    #[must_use]
    pub fn with_url_elicitation(mut self) -> Self {
        self.elicitation.get_or_insert_default().url.get_or_insert_default();
        self
    }

    /// Asks for questions to the client's model.
    #[must_use]
    pub fn with_sampling(mut self) -> Self {
        self.sampling.get_or_insert_default();
        self
    }

    /// Asks for questions to the client's model that offer it tools.
    #[must_use]
    pub fn with_sampling_tools(mut self) -> Self {
        self.sampling.get_or_insert_default().tools.get_or_insert_default();
        self
    }

    /// Asks for questions to the client's model that have it see the context of servers.
    #[must_use]
    pub fn with_sampling_context(mut self) -> Self {
        self.sampling.get_or_insert_default().context.get_or_insert_default();
        self
    }

    /// Asks for the list of roots.
    #[must_use]
    pub fn with_roots(mut self) -> Self {
        self.roots.get_or_insert_default();
        self
    }

    /// Asks for an extension, by its id.
    #[must_use]
    pub fn with_extension(mut self, id: impl Into<String>) -> Self {
        self.extensions.insert(id.into(), Value::Object(Settings::new()));
        self
    }

    /// These capabilities and others.
    #[must_use]
    pub(crate) fn and(mut self, other: &Self) -> Self {
        if let Some(elicitation) = &other.elicitation {
            let own = self.elicitation.get_or_insert_default();
            own.form = own.form.take().or_else(|| elicitation.form.clone());
            own.url = own.url.take().or_else(|| elicitation.url.clone());
        }
        if let Some(sampling) = &other.sampling {
            let own = self.sampling.get_or_insert_default();
            own.context = own.context.take().or_else(|| sampling.context.clone());
            own.tools = own.tools.take().or_else(|| sampling.tools.clone());
        }
        self.roots = self.roots.or_else(|| other.roots.clone());
        self.extensions.extend(other.extensions.clone());
        self.experimental.extend(other.experimental.clone());
        self
    }

    /// What of `needed` is not here, as JSON; `None` where nothing is missing.
    pub(crate) fn missing(&self, needed: &ClientCapabilities) -> Option<Box<RawValue>> {
        let mut missing = ClientCapabilities::default();
        if let Some(wanted) = &needed.elicitation {
            let has = self.elicitation.as_ref();
            let has_url = has.is_some_and(|has| has.url.is_some());
            // `{}` means forms; a client that lists only `url` has none.
            let has_form = has.is_some_and(|has| has.form.is_some() || has.url.is_none());
            let lacks_form = wanted.form.is_some() && !has_form;
            let lacks_url = wanted.url.is_some() && !has_url;
            missing.elicitation = (lacks_form || lacks_url).then(|| Elicitation {
                form: wanted.form.clone().filter(|_| lacks_form),
                url: wanted.url.clone().filter(|_| lacks_url),
            });
        }
        if let Some(wanted) = &needed.sampling {
            let has = self.sampling.as_ref();
            let fits = has.is_some_and(|has| {
                (wanted.tools.is_none() || has.tools.is_some())
                    && (wanted.context.is_none() || has.context.is_some())
            });
            missing.sampling = (!fits).then(|| wanted.clone());
        }
        if needed.roots.is_some() && self.roots.is_none() {
            missing.roots.clone_from(&needed.roots);
        }
        missing.extensions = without(&needed.extensions, &self.extensions);
        missing.experimental = without(&needed.experimental, &self.experimental);
        let any = missing != ClientCapabilities::default();
        any.then(|| serde_json::value::to_raw_value(&missing).unwrap_or_default())
    }
}

/// The entries of `needed` whose keys `declared` has not.
fn without(
    needed: &BTreeMap<String, Value>,
    declared: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let lacking = needed.iter().filter(|(id, _)| !declared.contains_key(*id));
    lacking.map(|(id, settings)| (id.clone(), settings.clone())).collect()
}

/// What the server can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerCapabilities<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tools: Option<ListCapability>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompts: Option<ListCapability>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<ListCapability>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completions: Option<Settings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logging: Option<Settings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extensions: Option<&'a BTreeMap<String, Value>>,
}

/// What is in a list, and whether clients can learn of changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListCapability {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) list_changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) subscribe: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn missing(declared: Value, needed: &ClientCapabilities) -> Option<Value> {
        let declared: ClientCapabilities = serde_json::from_value(declared).unwrap();
        declared.missing(needed).map(|json| serde_json::from_str(json.get()).unwrap())
    }

    #[test]
    fn i3_what_is_missing_is_an_object_of_capabilities() {
        let form = ClientCapabilities::none().with_elicitation();
        let both = ClientCapabilities::none().with_elicitation().with_url_elicitation();
        let url = json!({ "elicitation": { "url": {} } });
        assert_eq!(
            missing(json!({ "elicitation": {} }), &form),
            None,
            "an empty object means forms"
        );
        assert_eq!(missing(url.clone(), &form), Some(json!({ "elicitation": { "form": {} } })));
        assert_eq!(missing(json!({ "elicitation": {} }), &both), Some(url));
        let all = json!({ "elicitation": { "form": {}, "url": {} } });
        assert_eq!(missing(all.clone(), &both), None);
        assert_eq!(missing(json!({}), &both), Some(all));
        let sampling = ClientCapabilities::none().with_sampling();
        assert_eq!(missing(json!({ "sampling": { "new": 1 } }), &sampling), None);
        assert_eq!(missing(json!({}), &sampling), Some(json!({ "sampling": {} })));
        let php = json!({ "elicitation": [], "roots": [], "extensions": [], "experimental": null });
        assert_eq!(missing(php, &form.clone().with_roots()), None, "a5");
        assert!(missing(json!({ "elicitation": null }), &form).is_some(), "a4");
        let mut trial = ClientCapabilities::none();
        trial.experimental.insert("x".to_owned(), json!({}));
        assert_eq!(missing(json!({}), &trial), Some(json!({ "experimental": { "x": {} } })));
    }
}
