//! What the two sides say they can do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// An object of settings of which only the presence counts; unknown members are kept.
pub type Settings = Map<String, Value>;

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<Settings>,
    /// Extensions, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<String, Value>,
    /// Experiments outside the protocol.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub experimental: BTreeMap<String, Value>,
}

/// The ways in which a client can ask its user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Elicitation {
    /// By a form. An empty `elicitation` object means this, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Settings>,
    /// By sending the user to a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Settings>,
}

/// The ways in which a client can ask its model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Sampling {
    /// With context of other servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Settings>,
    /// With tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
        self.elicitation.get_or_insert_default();
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

    /// Asks for the list of roots.
    #[must_use]
    pub fn with_roots(mut self) -> Self {
        self.roots.get_or_insert_default();
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
            let fits = if wanted.url.is_some() { has_url } else { has_form };
            missing.elicitation = (!fits).then(|| wanted.clone());
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
        for (id, settings) in &needed.extensions {
            if !self.extensions.contains_key(id) {
                missing.extensions.insert(id.clone(), settings.clone());
            }
        }
        let any = missing != ClientCapabilities::default();
        any.then(|| serde_json::value::to_raw_value(&missing).unwrap_or_default())
    }
}

/// What the server can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerCapabilities {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tools: Option<Settings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logging: Option<Settings>,
}
