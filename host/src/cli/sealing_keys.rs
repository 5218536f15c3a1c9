//! Sealing keys as the operator handles them: their ids, and guests without one.

use std::time::SystemTime;

use humantime_serde::re::humantime;

use crate::{
    config::Config,
    runtime::component::Guest,
    sealing::{VARIABLE, is_granted},
};

/// The id of a key, which its tokens carry in plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyId(String);

impl KeyId {
    /// Returns the date as an id, which shows the age of the key.
    pub(super) fn of(time: SystemTime) -> Self {
        let time = humantime::format_rfc3339_seconds(time).to_string();
        Self(time.split_once('T').map_or(time.as_str(), |(day, _)| day).to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if (1..=16).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err("an id is 1 to 16 of A-Z, a-z, 0-9, `-` and `_`".to_owned())
        }
    }
}

/// Warns about a guest that seals, if it was granted no key: its first seal will fail.
pub(super) fn warn_of_missing_keys(config: &Config, guest: &Guest) {
    if guest.seals() && !is_granted(config) {
        tracing::warn!(
            target: "midge::sealing",
            "this server seals and was granted no {VARIABLE}: cursors, steps and sealed values \
             will fail, unless it has keys from elsewhere; `midge key` makes one, and \
             `--env {VARIABLE}` passes it on"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn an_id_can_be_the_date() {
        let id = KeyId::of(UNIX_EPOCH + Duration::from_secs(1_795_000_000));
        assert_eq!(id, KeyId("2026-11-18".to_owned()));
    }

    #[test]
    fn ids_are_those_that_guests_accept() {
        for id in ["a", "2026-11-18", "ABCDEFGH_ijklmno", KeyId::of(SystemTime::now()).as_str()] {
            assert!(KeyId::parse(id).is_ok(), "{id}");
        }
        for id in ["", "a:b", "a b", "a,b", "ABCDEFGH_ijklmnop", "\u{e9}"] {
            assert!(KeyId::parse(id).is_err(), "{id}");
        }
    }
}
