//! Where guests find the keys they seal with, and the form of these keys.
//!
//! A key is `ID:BASE64`. Several keys are separated by blanks or commas.

/// The environment variable with the keys.
pub const ENV: &str = "MIDGE_SEALING_KEYS";

/// The keys in `wasi:config`.
pub const CONFIG: &str = "sealing_keys";

/// Length of a key in bytes, before base64.
pub const KEY_BYTES: usize = 32;

/// Separates the id from the key.
pub const ID_SEPARATOR: char = ':';

/// Length of the longest id in bytes.
const MAX_ID: usize = 16;

/// Whether a text is the id of a key: 1 to 16 of `A-Z`, `a-z`, `0-9`, `-` and `_`.
#[must_use]
pub fn is_key_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_need_no_escapes() {
        for id in ["a", "2026-11-18", "ABCDEFGH_ijklmno"] {
            assert!(is_key_id(id), "{id}");
        }
        for id in ["", "a:b", "a b", "a,b", "ABCDEFGH_ijklmnop", "\u{e9}"] {
            assert!(!is_key_id(id), "{id}");
        }
    }
}
