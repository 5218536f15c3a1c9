//! Sealing keys of guests.
//!
//! Guests seal values that pass through their clients. They read their keys, `ID:BASE64` each, from the
//! variable `MIDGE_SEALING_KEYS`, or from their `wasi:config` store. The host makes keys and passes them
//! on; it does not check keys that it was given.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};

pub(crate) use midge_contract::sealing::ENV as VARIABLE;
use midge_contract::sealing::{CONFIG as SETTING, ID_SEPARATOR, KEY_BYTES};

use crate::{config::Config, error::HostError};

/// Makes a random key, in the form that guests read.
pub(crate) fn make(id: &str) -> Result<String, HostError> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| HostError::System {
        what: "get random bytes",
        source: io::Error::other(error.to_string()),
    })?;
    Ok(format!("{id}{ID_SEPARATOR}{}", STANDARD.encode(key)))
}

/// Grants a random key until the end of this process, unless the guest was granted one, so that guests
/// can seal while they are developed.
pub(crate) fn grant_development_key(config: &mut Config) -> Result<(), HostError> {
    if grant_key(config, "dev")? {
        tracing::info!(
            target: "midge::sealing",
            "{VARIABLE} was not granted, so the guest has a new key until this run ends"
        );
    }
    Ok(())
}

/// Grants a random key in both places, unless one is granted. Returns whether it did.
pub(crate) fn grant_key(config: &mut Config, id: &str) -> Result<bool, HostError> {
    if is_granted(config) {
        return Ok(false);
    }
    let key = make(id)?;
    config.env.push(format!("{VARIABLE}={key}"));
    config.wasi_config.push(format!("{SETTING}={key}"));
    Ok(true)
}

/// Whether a component has code that seals: only then does it contain the name of the variable.
pub(crate) fn seals(component: &[u8]) -> bool {
    let name = VARIABLE.as_bytes();
    component.windows(name.len()).any(|window| window == name)
}

/// Whether a key is granted.
pub(crate) fn is_granted(config: &Config) -> bool {
    let names = |entries: &[String], name| {
        entries.iter().any(|entry| entry.split('=').next() == Some(name))
    };
    names(&config.env, VARIABLE) || names(&config.wasi_config, SETTING)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn granted(env: &[&str]) -> Config {
        Config { env: env.iter().map(ToString::to_string).collect(), ..Config::default() }
    }

    #[test]
    fn a_key_is_random_and_carries_its_id() {
        let [one, other] = [make("2026-11-18").unwrap(), make("2026-11-18").unwrap()];
        assert_ne!(one, other);
        let key = one.strip_prefix("2026-11-18:").unwrap();
        assert_eq!(STANDARD.decode(key).unwrap().len(), KEY_BYTES);
    }

    #[test]
    fn a_development_key_is_granted_only_without_another() {
        let mut config = granted(&["A=b"]);
        grant_development_key(&mut config).unwrap();
        let [a, key] = config.env.as_slice() else { unreachable!() };
        assert_eq!(a, "A=b");
        let key = key.strip_prefix("MIDGE_SEALING_KEYS=").unwrap();
        assert!(key.starts_with("dev:"), "{key}");
        assert_eq!(config.wasi_config, [format!("sealing_keys={key}")], "the same in both places");

        for own in ["MIDGE_SEALING_KEYS=a:b", "MIDGE_SEALING_KEYS"] {
            let mut config = granted(&[own]);
            grant_development_key(&mut config).unwrap();
            assert_eq!(config.env, [own]);
        }
    }

    #[test]
    fn a_key_is_granted_in_both_places() {
        let mut config = granted(&[]);
        grant_key(&mut config, "stdio").unwrap();
        let [key] = config.env.as_slice() else { unreachable!() };
        let key = key.strip_prefix("MIDGE_SEALING_KEYS=").unwrap();
        assert!(key.starts_with("stdio:"), "{key}");
        assert_eq!(config.wasi_config, [format!("sealing_keys={key}")], "the same in both places");

        let wasi_config = vec!["sealing_keys=a:b".to_owned()];
        let mut config = Config { wasi_config: wasi_config.clone(), ..granted(&[]) };
        grant_key(&mut config, "stdio").unwrap();
        assert!(config.env.is_empty());
        assert_eq!(config.wasi_config, wasi_config);
    }

    #[test]
    fn grants_are_found_by_name() {
        assert!(!is_granted(&granted(&[])));
        assert!(!is_granted(&granted(&["MIDGE_SEALING_KEYS_OLD=x", "X=MIDGE_SEALING_KEYS"])));
        assert!(is_granted(&granted(&["MIDGE_SEALING_KEYS"])));
        assert!(is_granted(&granted(&["A=b", "MIDGE_SEALING_KEYS=a:b"])));
        let wasi_config = vec!["sealing_keys=a:b".to_owned()];
        assert!(is_granted(&Config { wasi_config, ..granted(&[]) }));
    }

    #[test]
    fn a_component_that_seals_contains_the_variable() {
        assert!(seals(b"\0asm..set MIDGE_SEALING_KEYS; .."));
        assert!(!seals(b"\0asm..set MIDGE_SEALING_KEY; .."));
        assert!(!seals(b""));
    }
}
