//! Settings in environment variables.

use std::collections::BTreeSet;

use figment::{
    Error, Metadata, Profile, Provider,
    providers::Env,
    value::{Dict, Map, Value},
};

/// Environment variables. Those of list settings are lists with commas, or in brackets and quotes as in
/// the file.
pub(super) struct Variables {
    metadata: Metadata,
    values: Vec<(String, String)>,
    /// The names of the list settings.
    lists: BTreeSet<String>,
}

impl Variables {
    pub(super) fn new(env: &Env, lists: BTreeSet<String>) -> Self {
        let values = env.iter().map(|(name, text)| (name.to_string(), text)).collect();
        Self { metadata: env.metadata(), values, lists }
    }

    fn value(&self, name: &str, text: &str) -> Value {
        if self.lists.contains(name) && !text.starts_with("[\"") {
            return text.split(',').map(str::trim).collect::<Vec<_>>().into();
        }
        match text.parse() {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }
}

impl Provider for Variables {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let values = self.values.iter();
        let dict = values.map(|(name, text)| (name.clone(), self.value(name, text)));
        Ok(Map::from([(Profile::Default, dict.collect())]))
    }
}

#[cfg(test)]
impl Variables {
    pub(super) fn for_test(variables: &[(&str, &str)], lists: BTreeSet<String>) -> Self {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let values = variables.iter().map(own).collect();
        Self { metadata: Env::prefixed("MIDGE_").metadata(), values, lists }
    }
}
