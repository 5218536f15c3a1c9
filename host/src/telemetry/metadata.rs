//! Fields of a response that a guest writes for its host. The host strips them.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use midge_contract::{Metadata, header as names};

const EXCHANGE: HeaderName = HeaderName::from_static(names::EXCHANGE);
const RUN_TO_COMPLETION: HeaderName = HeaderName::from_static(names::RUN_TO_COMPLETION);

/// Metadata of an exchange as the guest has sent it. Parsed once, for the access log.
#[derive(Debug, Default)]
pub(super) struct RawMetadata(Vec<HeaderValue>);

impl RawMetadata {
    /// Moves the metadata out of the fields of a head or of trailers.
    pub(super) fn take(&mut self, fields: &mut HeaderMap) {
        if let header::Entry::Occupied(entry) = fields.entry(EXCHANGE) {
            self.0.extend(entry.remove_entry_mult().1);
        }
    }

    pub(super) fn parse(&self) -> Metadata<'_> {
        let mut metadata = Metadata::default();
        self.0.iter().for_each(|value| metadata.update(value.as_bytes()));
        metadata
    }
}

/// Removes the field that asks the host not to cut the exchange. Returns whether it was there.
pub(super) fn take_run_to_completion(head: &mut HeaderMap) -> bool {
    head.remove(RUN_TO_COMPLETION).is_some()
}

/// Removes the announcement of a trailer that the client does not get.
pub(super) fn strip_trailer_announcement(head: &mut HeaderMap) {
    let is_ours =
        |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(EXCHANGE.as_str().as_bytes());
    if head.get(header::TRAILER).is_some_and(is_ours) {
        head.remove(header::TRAILER);
    }
}

#[cfg(test)]
mod tests {
    use midge_contract::Outcome;

    use super::*;

    fn fields(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_head_is_read_and_stripped() {
        let mut head = fields(&[
            (EXCHANGE, "era=modern&method=tools%2Fcall&name=a+b&id=%221%22&outcome=tool-error"),
            (RUN_TO_COMPLETION, "1"),
            (header::TRAILER, "Midge-Exchange"),
            (header::CONTENT_TYPE, "application/json"),
        ]);
        let mut raw = RawMetadata::default();
        raw.take(&mut head);
        assert!(take_run_to_completion(&mut head));
        strip_trailer_announcement(&mut head);
        let metadata = raw.parse();
        assert_eq!(metadata.name.as_deref(), Some("a b"));
        assert_eq!(metadata.outcome, Some(Outcome::ToolError));
        assert_eq!(head.len(), 1);
    }

    #[test]
    fn trailers_add_to_the_head() {
        let mut raw = RawMetadata::default();
        raw.take(&mut fields(&[(EXCHANGE, "name=add&outcome=ok")]));
        raw.take(&mut fields(&[(EXCHANGE, "outcome=client-gone")]));
        assert_eq!(raw.parse().name.as_deref(), Some("add"));
        assert_eq!(raw.parse().outcome, Some(Outcome::ClientGone));
    }
}
