//! What is encoded is decoded again, and nothing that is decoded panics.

use std::ops::Range;

use midge_contract::{
    CLIENT_GONE, LogLine, Metadata, MetadataWriter, Outcome, PANIC,
    http1::{RequestLine, decode_fields, encode_field, encode_request_line},
};
use proptest::{
    collection::vec, option, prelude::*, sample::select, test_runner::FileFailurePersistence,
};

fn find(byte: u8, text: &[u8]) -> Option<usize> {
    text.iter().position(|other| *other == byte)
}

fn outcome() -> impl Strategy<Value = Option<Outcome>> {
    option::of(select(vec![
        Outcome::Ok,
        Outcome::ToolError,
        Outcome::ProtocolError,
        Outcome::Rejected,
        Outcome::ClientGone,
        Outcome::TimedOut,
        Outcome::Trapped,
        Outcome::Overloaded,
    ]))
}

/// Values that are not truncated.
fn value() -> impl Strategy<Value = Option<String>> {
    option::of(any::<String>().prop_filter("truncated", |text| text.len() <= 128))
}

/// Names and values as RFC 9110 has them.
fn fields() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let value = vec(prop_oneof![Just(b'\t'), b' '..=b'~', 0x80..=0xff_u8], 0..40);
    vec(("[!#$%&'*+.^_`|~0-9a-z-]{1,20}", value), 0..20)
}

/// Failures are saved beside this file.
fn config() -> ProptestConfig {
    let persistence = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { failure_persistence: Some(Box::new(persistence)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn metadata_is_decoded_as_it_was_encoded(
        era in value(), method in value(), name in value(), id in value(), outcome in outcome(),
    ) {
        let mut writer = MetadataWriter::default();
        era.iter().for_each(|era| writer.era(era));
        method.iter().for_each(|method| writer.method(method));
        name.iter().for_each(|name| writer.name(name));
        id.iter().for_each(|id| writer.id(id));
        let header = writer.finish(outcome);
        prop_assert!(header.iter().all(u8::is_ascii_graphic), "{header:?}");
        let mut metadata = Metadata::default();
        metadata.update(&header);
        let expected = Metadata {
            era: era.map(Into::into),
            method: method.map(Into::into),
            name: name.map(Into::into),
            id: id.map(Into::into),
            outcome,
        };
        prop_assert_eq!(metadata, expected);
    }

    #[test]
    fn a_long_value_is_truncated_between_characters(name in "\\PC{100,300}") {
        let mut writer = MetadataWriter::default();
        writer.name(&name);
        let header = writer.finish(None);
        let mut metadata = Metadata::default();
        metadata.update(&header);
        let decoded = metadata.name.unwrap_or_default();
        prop_assert!(name.starts_with(&*decoded));
        prop_assert!(decoded.len() == name.len() || (125..=128).contains(&decoded.len()));
    }

    #[test]
    fn a_head_is_decoded_as_it_was_encoded(
        method in "[A-Z]{1,8}", path in "/[!->@-~]{0,40}", query in option::of("[!-~]{0,20}"),
        fields in fields(),
    ) {
        let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        let mut head = Vec::new();
        encode_request_line(&mut head, &method, &target);
        let encoded: Vec<_> =
            fields.iter().map(|(name, value)| encode_field(&mut head, name, value)).collect();

        let line = RequestLine::decode(&head);
        prop_assert_eq!((line.method, line.path), (method.as_bytes(), path.as_bytes()));
        let decoded: Result<Vec<_>, _> = decode_fields(&head, line.length, find).collect();
        let decoded = decoded.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let part = |range: &Range<usize>| head[range.clone()].to_vec();
        let pairs = decoded.iter().map(|field| (part(&field.name), part(&field.value)));
        let expected =
            fields.iter().map(|(name, value)| (name.clone().into_bytes(), value.trim_ascii().to_vec()));
        prop_assert!(pairs.eq(expected), "{:?}", head);
        let names = |fields: &[midge_contract::http1::Field]| {
            fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(names(&decoded), names(&encoded));
    }

    #[test]
    fn any_bytes_can_be_decoded(bytes in vec(any::<u8>(), 0..300), start in 0..400_usize) {
        Metadata::default().update(&bytes);
        let line = RequestLine::decode(&bytes);
        prop_assert!(line.length <= bytes.len());
        for field in decode_fields(&bytes, start, find).flatten() {
            prop_assert!(field.name.start >= start && field.name.end < field.value.start);
            prop_assert!(bytes.get(field.name).is_some() && bytes.get(field.value).is_some());
        }
    }

    #[test]
    fn texts_near_the_format_can_be_decoded(text in "[ab:%+&=/? \\t\\r\\n]{0,60}") {
        Metadata::default().update(text.as_bytes());
        let line = RequestLine::decode(text.as_bytes());
        let lines = text.as_bytes()[line.length..].split_inclusive(|byte| *byte == b'\n').count();
        prop_assert_eq!(decode_fields(text.as_bytes(), line.length, find).count(), lines);
    }

    #[test]
    fn fields_are_those_of_the_lines(text in "[ab:% \\t\\r\\n\\x00\u{e4}]{0,80}", start in 0..100_usize) {
        let bytes = text.as_bytes();
        let lines = bytes.get(start..).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
        let expected = lines.map(|line| {
            let line = line.strip_suffix(b"\n")?;
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        });
        let part = |range: Range<usize>| &bytes[range];
        let found = decode_fields(bytes, start, find)
            .map(|field| field.ok().map(|field| (part(field.name), part(field.value))));
        prop_assert!(found.eq(expected), "{:?}", text);
    }

    #[test]
    fn log_lines_are_parsed_as_they_were_written(cause in "[a-z]{1,5}[ -~]{0,40}[a-z]") {
        let client_gone = format!("key {CLIENT_GONE}: {cause}");
        prop_assert_eq!(LogLine::parse(&client_gone, "key"), LogLine::ClientGone(&cause));
        let panic = format!("key {PANIC}: {cause}");
        prop_assert_eq!(LogLine::parse(&panic, "key"), LogLine::Panic(&cause));
        prop_assert_eq!(LogLine::parse(&cause, "KEY"), LogLine::Text(&cause));
    }

    #[test]
    fn any_line_without_the_key_is_text(line in any::<String>()) {
        prop_assert_eq!(LogLine::parse(&line, "5e1f"), LogLine::Text(&line));
    }

    #[test]
    fn any_name_of_an_outcome_can_be_parsed(name in "\\PC{0,20}") {
        if let Ok(outcome) = name.parse::<Outcome>() {
            prop_assert_eq!(outcome.as_str(), name);
        }
    }
}
