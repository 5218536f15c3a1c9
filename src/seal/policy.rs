//! Sealing keys and principals of a server, as each request carries them.

use super::{InvalidKeys, SealingKeys};
use crate::configuration::Source;
use crate::headers::map::{Fields, Headers};

pub(crate) type MakeKeys = fn() -> Result<SealingKeys, InvalidKeys>;
pub(crate) type FindPrincipal = fn(&Headers<'_>) -> Option<String>;

/// How a server seals. Nothing is read or linked before something is to be sealed.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// The server's name: what one server has sealed is nothing to another with the same keys.
    pub(crate) server: String,
    /// `None` for the configuration: a function here would be linked into every server.
    pub(crate) keys: Option<MakeKeys>,
    /// `None` for the environment.
    pub(crate) configuration: Option<Source>,
    pub(crate) principal: Option<FindPrincipal>,
}

impl Policy {
    pub(crate) fn keys(&self) -> Result<SealingKeys, InvalidKeys> {
        match (self.keys, &self.configuration) {
            (Some(keys), _) => keys(),
            (None, Some(source)) => SealingKeys::from_source(source),
            (None, None) => SealingKeys::from_env(),
        }
    }

    /// The caller, as a part of a purpose. No name that a caller can have is that of the anonymous.
    pub(crate) fn principal(&self, headers: &Fields) -> Vec<u8> {
        match self.principal.and_then(|find| find(&Headers::new(headers))) {
            Some(name) => ["=", &name].concat().into_bytes(),
            None => b"anonymous".to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(user: Option<&str>) -> Vec<u8> {
        let find: FindPrincipal = |headers| headers.get("x-user").map(str::to_owned);
        let policy =
            Policy { server: "s".into(), keys: None, configuration: None, principal: Some(find) };
        let mut fields = Fields::default();
        if let Some(user) = user {
            fields.push("X-User", user);
        }
        policy.principal(&fields)
    }

    #[test]
    fn z1_nobody_can_be_called_anonymous() {
        let anonymous = principal(None);
        for user in ["anonymous", "", "=anonymous"] {
            assert_ne!(principal(Some(user)), anonymous, "{user}");
        }
        assert_ne!(principal(Some("")), principal(Some("=")));
    }
}
