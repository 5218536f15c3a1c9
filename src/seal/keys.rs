//! The keys of a server: [`SealingKeys`].

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use midge_contract::sealing;

use crate::configuration::Source;

/// The keys that seal what a server hands to its clients; see [`Sealed`](crate::Sealed).
///
/// All instances of a server need the same keys, so they come from outside: by default from the
/// environment variable `MIDGE_SEALING_KEYS`, or from wherever
/// [`Server::sealing_keys`](crate::Server::sealing_keys) says. `midge key` makes one.
///
/// Each key has an id, which its tokens carry in the clear. The first key seals, all of them open:
/// to rotate, put a new key in front, and drop the old one when what it sealed has expired.
///
/// ```
/// use midge::SealingKeys;
///
/// let keys = SealingKeys::parse(
///     "2026-11:zf4u/vjdWlA/Eo3kEKkjr24QPHjJz5AXcmbM1gcxbTM= \
///      2026-08:WIaYBLcrSe3SzwDpdGi0daMCLxpdIzIQ_xEre8MajAQ",
/// )?;
/// // Ids only: what is logged by accident is not a key.
/// assert_eq!(format!("{keys:?}"), r#"SealingKeys(["2026-11", "2026-08"])"#);
///
/// let error = SealingKeys::parse("2026-11:c2hvcnQ").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the sealing key `2026-11` is not 32 bytes in base64; `midge key` makes one",
/// );
/// # Ok::<(), midge::InvalidKeys>(())
/// ```
// The bytes are not wiped: they also stand in the environment, and an instance's memory is gone
// with its exchange.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKeys {
    first: Key,
    others: Vec<Key>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) bytes: [u8; sealing::KEY_BYTES],
}

/// Why there are no keys to seal with. No message repeats what could be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// There is none.
    #[error("there are no sealing keys: set {}; `midge key` makes one", sealing::ENV)]
    Missing,
    /// Something is not of the form `ID:BASE64`.
    #[error("sealing key {number} is not ID:BASE64; `midge key` makes one")]
    Form {
        /// Which one of the keys, counted from 1.
        number: usize,
    },
    /// An id is empty, too long or has other characters.
    #[error("the id of sealing key {number} is not 1 to 16 of A-Z, a-z, 0-9, `-` and `_`")]
    Id {
        /// Which one of the keys, counted from 1.
        number: usize,
    },
    /// A key is not 32 bytes in base64.
    #[error("the sealing key `{id}` is not 32 bytes in base64; `midge key` makes one")]
    Bytes {
        /// The id of the key.
        id: String,
    },
    /// Two keys have the same id.
    #[error("there are two sealing keys `{id}`; give one of them another id")]
    Duplicate {
        /// The id of both.
        id: String,
    },
    /// The keys could not be had from where they are kept: the source of
    /// [`Server::configure`](crate::Server::configure), or whatever a function of
    /// [`Server::sealing_keys`](crate::Server::sealing_keys) asks.
    #[error("the sealing keys cannot be read: {0}")]
    Unavailable(String),
}

impl SealingKeys {
    /// The environment variable of [`SealingKeys::from_env`].
    pub const ENV: &str = sealing::ENV;

    /// Reads keys of the form `ID:BASE64`, with white space or commas between them.
    ///
    /// An id is 1 to 16 of `A-Z`, `a-z`, `0-9`, `-` and `_`; a key is 32 bytes in standard or
    /// URL-safe base64, with or without padding.
    ///
    /// # Errors
    /// When there is no key, when one is malformed, or when two have the same id.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        let entries = text.split([',', ' ', '\t', '\r', '\n']).filter(|entry| !entry.is_empty());
        let mut keys: Vec<Key> = Vec::new();
        for (entry, number) in entries.zip(1..) {
            let key = Key::parse(entry, number)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(InvalidKeys::Duplicate { id: key.id });
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(InvalidKeys::Missing)?;
        Ok(Self { first, others: keys.collect() })
    }

    /// Reads the keys in the environment variable `MIDGE_SEALING_KEYS`.
    ///
    /// # Errors
    /// As [`SealingKeys::parse`]; a variable that is not set has no key.
    pub fn from_env() -> Result<Self, InvalidKeys> {
        let text = std::env::var_os(Self::ENV).ok_or(InvalidKeys::Missing)?;
        // What is not UTF-8 is no base64 either.
        Self::parse(&text.to_string_lossy())
    }

    /// Reads the keys that a configuration has as `sealing_keys`.
    pub(super) fn from_source(source: &Source) -> Result<Self, InvalidKeys> {
        let unavailable = |reason: String| InvalidKeys::Unavailable(reason);
        let text = source.get(sealing::CONFIG).map_err(|error| unavailable(error.to_string()))?;
        let missing =
            || format!("the configuration has no `{}`; `midge key` makes one", sealing::CONFIG);
        Self::parse(&text.ok_or_else(|| unavailable(missing()))?)
    }

    /// The key that seals.
    pub(super) fn first(&self) -> &Key {
        &self.first
    }

    pub(super) fn find(&self, id: &[u8]) -> Option<&Key> {
        [&self.first].into_iter().chain(&self.others).find(|key| key.id.as_bytes() == id)
    }
}

impl Key {
    fn parse(entry: &str, number: usize) -> Result<Self, InvalidKeys> {
        let (id, text) =
            entry.split_once(sealing::ID_SEPARATOR).ok_or(InvalidKeys::Form { number })?;
        if !sealing::is_key_id(id) {
            return Err(InvalidKeys::Id { number });
        }
        let url_safe = text.contains(['-', '_']);
        let engine = if url_safe { URL_SAFE_NO_PAD } else { STANDARD_NO_PAD };
        let bytes = engine.decode(text.strip_suffix('=').unwrap_or(text)).ok();
        match bytes.and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => Ok(Self { id: id.to_owned(), bytes }),
            None => Err(InvalidKeys::Bytes { id: id.to_owned() }),
        }
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> =
            [&self.first].into_iter().chain(&self.others).map(|key| key.id.as_str()).collect();
        formatter.debug_tuple("SealingKeys").field(&ids).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn z2_keys_are_read_in_all_their_spellings() {
        let bytes: [u8; 32] = std::array::from_fn(|index| index as u8);
        for text in [
            format!("a:{KEY}"),
            format!("  a:{} ", KEY.trim_end_matches('=')),
            format!("a:{KEY},b-_1:{KEY}"),
            format!("\n a:{KEY} ,\t b:{KEY}\r\n"),
        ] {
            let keys = SealingKeys::parse(&text).unwrap();
            assert_eq!((keys.first().id.as_str(), keys.first().bytes), ("a", bytes), "{text}");
            assert_eq!(keys.others.len(), text.matches(':').count() - 1);
        }
        let url = SealingKeys::parse(&format!("a:{}", "_-".repeat(21) + "8")).unwrap();
        let standard = SealingKeys::parse(&format!("a:{}", "/+".repeat(21) + "8=")).unwrap();
        assert_eq!(url, standard);
    }

    #[test]
    fn z2_keys_that_are_none_are_refused_without_being_repeated() {
        let short = "c2VjcmV0";
        for (text, error) in [
            (String::new(), InvalidKeys::Missing),
            (" ,\n".to_owned(), InvalidKeys::Missing),
            (KEY.to_owned(), InvalidKeys::Form { number: 1 }),
            (format!("a:{KEY} {short}"), InvalidKeys::Form { number: 2 }),
            (format!(":{KEY}"), InvalidKeys::Id { number: 1 }),
            (format!("{}:{KEY}", "a".repeat(17)), InvalidKeys::Id { number: 1 }),
            (format!("a:{KEY} b.c:{KEY}"), InvalidKeys::Id { number: 2 }),
            (format!("a:{short}"), InvalidKeys::Bytes { id: "a".to_owned() }),
            (format!("a:{KEY}="), InvalidKeys::Bytes { id: "a".to_owned() }),
            (format!("a:{KEY}{KEY}"), InvalidKeys::Bytes { id: "a".to_owned() }),
            (format!("a:{}", "_/".repeat(21) + "8"), InvalidKeys::Bytes { id: "a".to_owned() }),
            (format!("a:{KEY} a:{KEY}"), InvalidKeys::Duplicate { id: "a".to_owned() }),
        ] {
            let refused = SealingKeys::parse(&text).unwrap_err();
            assert_eq!(refused, error, "{text}");
            let message = refused.to_string();
            assert!(!message.contains(short) && !message.contains(&KEY[..8]), "{message}");
        }
    }

    #[test]
    fn z2_what_is_missing_says_how_to_mend_it() {
        let message = InvalidKeys::Missing.to_string();
        assert!(message.contains(SealingKeys::ENV) && message.contains("`midge key`"), "{message}");
    }
}
