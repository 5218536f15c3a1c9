//! Sealing keys: what guests seal by that hand values to their clients.
//!
//! Keys are text, `ID:BASE64` each, that a guest finds in its environment, or in its `wasi:config`
//! store where it is made to look there. The host makes them and
//! hands them over; whether what it was told to hand over is a key, only the guest can say.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{config::Config, error::HostError};

/// The variable in which a guest looks for its keys.
const VARIABLE: &str = "MIDGE_SEALING_KEYS";
/// The same in the store of `wasi:config`.
const SETTING: &str = "sealing_keys";
const BYTES: usize = 32;

/// A new key, as guests read it.
pub(crate) fn make(id: &str) -> Result<String, HostError> {
    let mut key = [0; BYTES];
    getrandom::fill(&mut key).map_err(|error| HostError::System {
        what: "get random bytes",
        source: io::Error::other(error.to_string()),
    })?;
    Ok(format!("{id}:{}", STANDARD.encode(key)))
}

/// Grants a key that lives as long as this process to a guest that was granted none, so that what
/// is being developed can seal.
pub(crate) fn grant_development_key(config: &mut Config) -> Result<(), HostError> {
    if grant_key(config, "dev")? {
        tracing::info!(
            target: "midge::sealing",
            "{VARIABLE} was not granted, so the guest has a new key until this run ends"
        );
    }
    Ok(())
}

/// Grants a key to a guest that was granted none and serves one client, for whom all of its seals
/// are: it lives as long as the connection.
pub(crate) fn grant_connection_key(config: &mut Config) -> Result<(), HostError> {
    grant_key(config, "stdio")?;
    Ok(())
}

/// Grants a new key, wherever a guest looks, to one that was granted none. Says whether it did.
fn grant_key(config: &mut Config, id: &str) -> Result<bool, HostError> {
    if is_granted(config) {
        return Ok(false);
    }
    let key = make(id)?;
    config.env.push(format!("{VARIABLE}={key}"));
    config.wasi_config.push(format!("{SETTING}={key}"));
    Ok(true)
}

/// Warns of a guest that will look for keys and find none: it fails when it first seals.
pub(crate) fn warn_of_missing_keys(config: &Config) {
    if !is_granted(config) {
        tracing::warn!(
            target: "midge::sealing",
            "this server seals and was granted no {VARIABLE}: cursors, steps and sealed values \
             will fail, unless it has keys from elsewhere; `midge key` makes one, and \
             `--env {VARIABLE}` passes it on"
        );
    }
}

/// Whether a component has code to seal: only then it has the name of the variable.
pub(crate) fn seals(component: &[u8]) -> bool {
    let name = VARIABLE.as_bytes();
    component.windows(name.len()).any(|window| window == name)
}

fn is_granted(config: &Config) -> bool {
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
        assert_eq!(STANDARD.decode(key).unwrap().len(), BYTES);
    }

    #[test]
    fn a_development_key_is_for_guests_that_have_none() {
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
    fn a_connection_has_a_key_wherever_its_guest_looks() {
        let mut config = granted(&[]);
        grant_connection_key(&mut config).unwrap();
        let [key] = config.env.as_slice() else { unreachable!() };
        let key = key.strip_prefix("MIDGE_SEALING_KEYS=").unwrap();
        assert!(key.starts_with("stdio:"), "{key}");
        assert_eq!(config.wasi_config, [format!("sealing_keys={key}")], "the same in both places");

        let wasi_config = vec!["sealing_keys=a:b".to_owned()];
        let mut config = Config { wasi_config: wasi_config.clone(), ..granted(&[]) };
        grant_connection_key(&mut config).unwrap();
        assert!(config.env.is_empty());
        assert_eq!(config.wasi_config, wasi_config);
    }

    #[test]
    fn a_grant_is_known_by_its_name() {
        assert!(!is_granted(&granted(&[])));
        assert!(!is_granted(&granted(&["MIDGE_SEALING_KEYS_OLD=x", "X=MIDGE_SEALING_KEYS"])));
        assert!(is_granted(&granted(&["MIDGE_SEALING_KEYS"])));
        assert!(is_granted(&granted(&["A=b", "MIDGE_SEALING_KEYS=a:b"])));
        let wasi_config = vec!["sealing_keys=a:b".to_owned()];
        assert!(is_granted(&Config { wasi_config, ..granted(&[]) }));
    }

    #[test]
    fn a_component_that_seals_is_known_by_the_variable() {
        assert!(seals(b"\0asm..set MIDGE_SEALING_KEYS; .."));
        assert!(!seals(b"\0asm..set MIDGE_SEALING_KEY; .."));
        assert!(!seals(b""));
    }
}
