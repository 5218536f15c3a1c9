//! Encoding of a token's purpose: no two purposes share their bytes.

/// Joins parts so that no two lists of parts give the same bytes.
pub(super) fn join<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut joined = Vec::new();
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(parts: &[Vec<u8>]) -> Vec<u8> {
        join(parts.iter().map(Vec::as_slice))
    }

    #[test]
    fn i7_parts_do_not_run_into_each_other() {
        let purposes: [&[&[u8]]; 6] =
            [&[b"ab"], &[b"a", b"b"], &[b"ab", b""], &[b"", b"ab"], &[], &[b""]];
        for (index, one) in purposes.iter().enumerate() {
            for other in &purposes[index + 1..] {
                let join = |parts: &[&[u8]]| join(parts.iter().copied());
                assert_ne!(join(one), join(other), "{one:?} {other:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn i7_only_equal_parts_join_to_equal_bytes(
            one in prop::collection::vec(prop::collection::vec(0..2u8, 0..10), 0..4),
            other in prop::collection::vec(prop::collection::vec(0..2u8, 0..10), 0..4),
        ) {
            prop_assert_eq!(joined(&one) == joined(&other), one == other);
        }
    }
}
