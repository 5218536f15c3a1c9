//! Tokens: sealed bytes in the form in which a client holds them.
//!
//! URL-safe base64 without padding of
//! `version ‖ length of the key's id ‖ id ‖ nonce ‖ ciphertext and tag`, XChaCha20-Poly1305 of
//! `expiry ‖ content`. Everything before the ciphertext is authenticated together with the purpose.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::keys::{Key, SealingKeys};
use super::purpose;

const VERSION: u8 = 1;
/// Long enough to be random for each token, whatever number of instances draws them.
const NONCE: usize = 24;
const EXPIRY: usize = size_of::<u64>();
/// Longest token, in characters.
const MAX_TOKEN: usize = 64 << 10;

/// Why something cannot be sealed. For the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsealable {
    /// The token would be one that is refused.
    #[error("{bytes} bytes are too many to be sealed: a token has at most {MAX_TOKEN} characters")]
    TooLarge {
        /// What was to be sealed.
        bytes: usize,
    },
    /// The host gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Why a token does not open. For the log: a client learns no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsealing {
    #[error("the token is longer than {MAX_TOKEN} characters")]
    TooLarge,
    #[error("the token is not of the form that this server makes")]
    Malformed,
    #[error("the token was sealed by a key that this server does not have")]
    UnknownKey,
    #[error("the token was changed, or was made for another caller or purpose")]
    NotOurs,
    #[error("the token has expired")]
    Expired,
}

impl SealingKeys {
    /// Seals a content for one purpose, until a time in seconds since 1970.
    pub(crate) fn seal(
        &self,
        purpose: &[&[u8]],
        expires: u64,
        content: &[u8],
    ) -> Result<String, Unsealable> {
        let too_large = Unsealable::TooLarge { bytes: content.len() };
        // Before the work; what is over the limit only with what is added is found afterwards.
        if content.len() > MAX_TOKEN {
            return Err(too_large);
        }
        let key = self.first();
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(Unsealable::Random)?;
        let mut token = vec![VERSION, key.id.len() as u8];
        token.extend_from_slice(key.id.as_bytes());
        token.extend_from_slice(&nonce);
        let plaintext = [&expires.to_be_bytes(), content].concat();
        let bound = purpose::join([&token[..]].into_iter().chain(purpose.iter().copied()));
        let payload = Payload { msg: &plaintext, aad: &bound };
        let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload);
        token.extend(sealed.map_err(|_| too_large.clone())?);
        let token = URL_SAFE_NO_PAD.encode(token);
        if token.len() > MAX_TOKEN { Err(too_large) } else { Ok(token) }
    }

    /// The content of a token, where it is one for this purpose and `now`, in seconds since 1970,
    /// is before its end.
    pub(crate) fn open(
        &self,
        purpose: &[&[u8]],
        now: u64,
        token: &str,
    ) -> Result<Vec<u8>, Unsealing> {
        if token.len() > MAX_TOKEN {
            return Err(Unsealing::TooLarge);
        }
        let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| Unsealing::Malformed)?;
        let Parts { header, id, nonce, sealed } = Parts::of(&token).ok_or(Unsealing::Malformed)?;
        let key = self.find(id).ok_or(Unsealing::UnknownKey)?;
        let bound = purpose::join([header].into_iter().chain(purpose.iter().copied()));
        let mut content = cipher(key)
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &bound })
            .map_err(|_| Unsealing::NotOurs)?;
        let expires = content.first_chunk().ok_or(Unsealing::Malformed)?;
        if now >= u64::from_be_bytes(*expires) {
            return Err(Unsealing::Expired);
        }
        content.drain(..EXPIRY);
        Ok(content)
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.bytes.into())
}

struct Parts<'a> {
    /// Everything before the ciphertext.
    header: &'a [u8],
    id: &'a [u8],
    nonce: &'a [u8; NONCE],
    sealed: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(token: &'a [u8]) -> Option<Self> {
        let (&[VERSION, id_length], rest) = token.split_first_chunk()? else { return None };
        let (id, rest) = rest.split_at_checked(id_length.into())?;
        let (nonce, sealed) = rest.split_first_chunk()?;
        let header = token.get(..token.len() - sealed.len())?;
        Some(Self { header, id, nonce, sealed })
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    const PURPOSE: [&[u8]; 6] =
        [b"request-state", b"shop", b"=ada", b"tools/call", b"book", b"{\"seat\":1}"];
    const NOW: u64 = 1_800_000_000;
    const END: u64 = NOW + 60;

    fn keys(ids: &[&str]) -> SealingKeys {
        let key = |id: &&str| format!("{id}:{}", STANDARD.encode([id.as_bytes()[0]; 32]));
        SealingKeys::parse(&ids.iter().map(key).collect::<Vec<_>>().join(" ")).unwrap()
    }

    fn sealed(content: &[u8]) -> String {
        keys(&["a"]).seal(&PURPOSE, END, content).unwrap()
    }

    fn open(token: &str) -> Result<Vec<u8>, Unsealing> {
        keys(&["a"]).open(&PURPOSE, NOW, token)
    }

    proptest! {
        #[test]
        fn i6_what_was_sealed_opens(content: Vec<u8>, purpose: Vec<Vec<u8>>, now in 0..END) {
            let purpose: Vec<&[u8]> = purpose.iter().map(Vec::as_slice).collect();
            let token = keys(&["a"]).seal(&purpose, END, &content).unwrap();
            prop_assert_eq!(keys(&["a"]).open(&purpose, now, &token), Ok(content));
        }

        #[test]
        fn i6_no_input_opens_or_panics(token in ".{0,200}", bytes: Vec<u8>) {
            prop_assert!(open(&token).is_err());
            let encoded = URL_SAFE_NO_PAD.encode([&[VERSION, 1, b'a'], &bytes[..]].concat());
            prop_assert!(open(&encoded).is_err());
        }

        #[test]
        fn i6_a_token_with_any_character_changed_does_not_open(
            content: Vec<u8>,
            at: prop::sample::Index,
            to in any::<char>(),
        ) {
            let token = sealed(&content);
            let at = at.index(token.len());
            prop_assume!(!token[at..].starts_with(to));
            let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
            prop_assert!(open(&changed).is_err(), "{token} {changed}");
        }

        #[test]
        fn i6_a_token_with_any_byte_changed_added_or_missing_does_not_open(
            content: Vec<u8>,
            at: prop::sample::Index,
            change in 1..=u8::MAX,
            added in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            let token = URL_SAFE_NO_PAD.decode(sealed(&content)).unwrap();
            let at = at.index(token.len());
            let mut changed = token.clone();
            changed[at] ^= change;
            let cut = token[..at].to_vec();
            let longer = [&token[..], &added].concat();
            let inside = [&token[..at], &added, &token[at..]].concat();
            for bytes in [changed, cut, longer, inside] {
                prop_assert!(open(&URL_SAFE_NO_PAD.encode(&bytes)).is_err(), "{bytes:?}");
            }
        }
    }

    /// Contents of three lengths, so that the last character has two, four and no unused bits.
    #[test]
    fn i6_every_change_of_one_bit_of_a_token_is_noticed() {
        for content in [&b"1"[..], b"12", b"123"] {
            let token = sealed(content);
            let changes = (0..token.len()).flat_map(|at| (0..7).map(move |bit| (at, 1u8 << bit)));
            for (at, flip) in changes {
                let mut changed = token.clone().into_bytes();
                changed[at] ^= flip;
                let changed = String::from_utf8(changed).unwrap();
                assert!(open(&changed).is_err(), "{token} {changed}");
            }
        }
    }

    #[test]
    fn i6_a_longer_or_shorter_token_does_not_open() {
        for content in [&b""[..], b"1", b"12", b"123"] {
            let token = sealed(content);
            for end in 0..token.len() {
                assert!(open(&token[..end]).is_err(), "{token} {end}");
                assert!(open(&token[end + 1..]).is_err(), "{token} {end}");
            }
            for more in ["A", "AA", "AAAA", "=", "==", " ", "\n", "\0", "."] {
                assert!(open(&format!("{token}{more}")).is_err(), "{token} {more:?}");
                assert!(open(&format!("{more}{token}")).is_err(), "{token} {more:?}");
            }
            assert!(open(&token.to_lowercase()).is_err() && open(&token.to_uppercase()).is_err());
        }
    }

    #[test]
    fn i7_a_token_opens_for_its_own_purpose_only() {
        let token = sealed(b"x");
        for part in 0..PURPOSE.len() {
            let mut other = PURPOSE;
            other[part] = b"other";
            assert_eq!(keys(&["a"]).open(&other, NOW, &token), Err(Unsealing::NotOurs), "{part}");
            assert!(keys(&["a"]).open(&PURPOSE[..part], NOW, &token).is_err());
        }
        let split: [&[u8]; 2] = [b"request", b"-state"];
        let split = [&split[..], &PURPOSE[1..]].concat();
        assert_eq!(keys(&["a"]).open(&split, NOW, &token), Err(Unsealing::NotOurs));
    }

    #[test]
    fn i7_a_token_opens_until_it_expires() {
        let token = sealed(b"x");
        let at = |now| keys(&["a"]).open(&PURPOSE, now, &token);
        assert_eq!(at(END - 1), Ok(b"x".to_vec()));
        assert_eq!([at(END), at(END + 1), at(u64::MAX)], [const { Err(Unsealing::Expired) }; 3]);
    }

    #[test]
    fn i8_keys_rotate() {
        let old = keys(&["old"]).seal(&PURPOSE, END, b"x").unwrap();
        let both = keys(&["new", "old"]);
        let new = both.seal(&PURPOSE, END, b"x").unwrap();
        assert_eq!(both.open(&PURPOSE, NOW, &old), Ok(b"x".to_vec()));
        let rotated = keys(&["new"]);
        assert_eq!(rotated.open(&PURPOSE, NOW, &new), Ok(b"x".to_vec()));
        assert_eq!(rotated.open(&PURPOSE, NOW, &old), Err(Unsealing::UnknownKey));
        // An id says which key to try, and nothing else.
        let renamed = SealingKeys::parse(&format!("a:{}", STANDARD.encode([b'o'; 32]))).unwrap();
        assert_eq!(renamed.open(&PURPOSE, NOW, &sealed(b"x")), Err(Unsealing::NotOurs));
    }

    #[test]
    fn i9_the_same_content_is_never_the_same_token_and_is_not_in_it() {
        let content = b"a secret of the server, as long as a line";
        let (one, other) = (sealed(content), sealed(content));
        assert_ne!(one, other);
        let bytes = URL_SAFE_NO_PAD.decode(one).unwrap();
        assert!(!bytes.windows(8).any(|window| content.starts_with(window)));
    }

    #[test]
    fn i6_tokens_have_a_greatest_length() {
        let overhead = 2 + "a".len() + NONCE + EXPIRY + 16;
        let most = MAX_TOKEN / 4 * 3 - overhead;
        let longest = sealed(&vec![b'x'; most]);
        assert_eq!(longest.len(), MAX_TOKEN);
        assert_eq!(open(&longest).map(|content| content.len()), Ok(most));
        for bytes in [most + 1, MAX_TOKEN + 1] {
            let refused = keys(&["a"]).seal(&PURPOSE, END, &vec![b'x'; bytes]);
            assert_eq!(refused, Err(Unsealable::TooLarge { bytes }));
        }
        assert_eq!(open(&format!("{longest}AAAA")), Err(Unsealing::TooLarge));
    }
}
