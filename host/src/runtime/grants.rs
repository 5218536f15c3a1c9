//! What the configuration grants to guests.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime_wasi_config::WasiConfigVariables;

use super::{admission::Admission, keyvalue};
use crate::{
    config::{Config, HostRule},
    error::HostError,
};

/// Everything that guests were granted by name. Resolved once, when the host starts.
pub(crate) struct Grants {
    pub(super) env: Vec<(String, String)>,
    pub(super) config: Arc<WasiConfigVariables>,
    pub(super) spin_config: Arc<BTreeMap<String, String>>,
    pub(super) keyvalue: Arc<keyvalue::Stores>,
    pub(super) outbound: Arc<[HostRule]>,
    pub(super) memory: usize,
    pub(super) admission: Arc<Admission>,
}

impl Grants {
    pub(crate) fn new(config: &Config, admission: &Arc<Admission>) -> Result<Self, HostError> {
        let env = config.env.iter().map(|entry| variable(entry)).collect::<Result<_, _>>()?;
        let pairs = config.wasi_config.iter().map(|entry| setting(entry));
        let pairs: BTreeMap<_, _> = pairs.collect::<Result<_, _>>()?;
        Ok(Self {
            env,
            config: Arc::new(pairs.clone().into_iter().collect()),
            spin_config: Arc::new(pairs),
            keyvalue: Arc::new(keyvalue::Stores::new(config)?),
            outbound: config.allow_outbound.clone().into(),
            memory: usize::try_from(config.memory).unwrap_or(usize::MAX),
            admission: Arc::clone(admission),
        })
    }
}

/// Parses `NAME=VALUE`, or takes the host's own value of `NAME`.
fn variable(entry: &str) -> Result<(String, String), HostError> {
    let refuse = |reason: String| HostError::Setting { name: "env", reason };
    match entry.split_once('=') {
        Some(("", _)) => Err(refuse(format!("`{entry}` has no name"))),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => match std::env::var(entry) {
            Ok(value) => Ok((entry.to_owned(), value)),
            Err(error) => Err(refuse(format!("cannot pass on `{entry}`: {error}"))),
        },
    }
}

/// Parses `NAME=VALUE`.
fn setting(entry: &str) -> Result<(String, String), HostError> {
    match entry.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(HostError::Setting {
            name: "wasi_config",
            reason: format!("`{entry}` is not NAME=VALUE"),
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_a_value_or_is_passed_on() {
        assert_eq!(variable("A=b=c").unwrap(), ("A".into(), "b=c".into()));
        assert_eq!(variable("CARGO_PKG_NAME").unwrap().1, "midge-host");
        assert!(variable("=x").is_err());
        assert!(variable("MIDGE_TEST_SURELY_UNSET").is_err());
        assert!(setting("x").is_err());
    }
}
