//! JSON-RPC 2.0 as MCP uses it: the envelope of a message.

use std::borrow::Cow;

use memchr::memchr;
use serde::Serialize;
use serde_json::value::RawValue;

use super::members::{self, NotReadable};
pub use super::request_id::RequestId;

/// How deep arrays and objects of a message may nest.
pub const MAX_DEPTH: usize = 128;

/// One message from a client, its parameters still unread.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    Request(Request<'a>),
    Notification {
        method: Cow<'a, str>,
        params: Option<&'a RawValue>,
    },
    /// An answer to a question that no stateless server asks.
    Response,
}

#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) id: RequestId,
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Option<&'a RawValue>,
}

/// Why a value is no message; with the id where there was a valid one.
#[derive(Debug)]
pub(crate) struct InvalidMessage {
    pub(crate) id: Option<RequestId>,
    pub(crate) reason: &'static str,
}

impl<'a> Message<'a> {
    /// Reads the envelope of one message. What is no JSON is invalid, too.
    pub(crate) fn from_json(json: &'a str) -> Result<Self, InvalidMessage> {
        let invalid = |id, reason| InvalidMessage { id, reason };
        let names = ["jsonrpc", "id", "method", "params", "result", "error"];
        let members = members::find_in(json, names).and_then(members::all).map_err(|error| {
            invalid(
                None,
                match error {
                    NotReadable::NotAnObject => "a message must be a JSON object",
                    NotReadable::Repeated => "a member of the message occurs twice",
                    NotReadable::Unreadable => "the message cannot be read",
                },
            )
        })?;
        let [jsonrpc, id, method, params, result, error] = members;
        // An id that is `null` makes no notification of a request.
        let (method, params) = (members::present(method), members::present(params));
        let id = match id.map(|id| RequestId::from_json(id).ok_or(id)) {
            None => None,
            Some(Ok(id)) => Some(id),
            Some(Err(id)) => {
                let reason = "`id` must be a string or an integer, without fraction or exponent";
                return Err(invalid(RequestId::from_fraction(id), reason));
            }
        };
        if jsonrpc.is_none_or(|version| version.get() != "\"2.0\"") {
            return Err(invalid(id, "`jsonrpc` must be \"2.0\""));
        }
        let Some(method) = method else {
            return match result.or(error) {
                Some(_) => Ok(Message::Response),
                None => Err(invalid(id, "`method` is missing")),
            };
        };
        let Some(method) = members::string(method) else {
            return Err(invalid(id, "`method` must be a string"));
        };
        let Ok(params) = params.map_or(Ok(None), members::object) else {
            return Err(invalid(id, "`params` must be an object"));
        };
        Ok(match id {
            Some(id) => Message::Request(Request { id, method, params }),
            None => Message::Notification { method, params },
        })
    }
}

/// Counts the values in a JSON text: each is behind a bracket or a comma. An empty list or object
/// counts as two. `None` for a text that nests deeper than [`MAX_DEPTH`].
pub(crate) fn count_values(text: &str) -> Option<usize> {
    // What is opened must be closed again: a shorter text is no JSON, if it nests too deep. Nor
    // does it have more values than any server reads.
    if text.len() <= 2 * MAX_DEPTH {
        return Some(1);
    }
    let (mut depth, mut values, mut rest) = (0_usize, 1, text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => rest = behind_string(after),
            b',' => values += 1,
            b'[' | b'{' if depth == MAX_DEPTH => return None,
            b'[' | b'{' => {
                depth += 1;
                values += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Some(values)
}

/// What comes after a string, of which the first quote is read. From quote to quote, since large
/// bodies are large by their strings.
pub(crate) fn behind_string(mut text: &[u8]) -> &[u8] {
    while let Some((string, after)) = memchr(b'"', text).and_then(|end| text.split_at_checked(end))
    {
        text = after.get(1..).unwrap_or_default();
        // A quote behind an odd number of backslashes is a part of the string.
        if string.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0 {
            return text;
        }
    }
    &[]
}

/// A JSON text without line breaks. They can only be white space in JSON: inside of strings they
/// are escaped.
pub(crate) fn on_one_line(json: &str) -> Cow<'_, str> {
    const BREAKS: [char; 2] = ['\r', '\n'];
    if json.contains(BREAKS) { json.replace(BREAKS, " ").into() } else { json.into() }
}

/// A notification from the server.
#[derive(Debug, Serialize)]
pub(crate) struct Notification<P> {
    jsonrpc: &'static str,
    method: &'static str,
    params: P,
}

impl<P> Notification<P> {
    pub(crate) fn new(method: &'static str, params: P) -> Self {
        Self { jsonrpc: "2.0", method, params }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::vec,
        prelude::*,
        sample::{Index, select},
    };
    use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

    use super::*;
    use crate::tests::properties::cases;

    #[test]
    fn only_brackets_outside_of_strings_nest() {
        let nests_too_deep = |text: &str| count_values(text).is_none();
        let open = " ".repeat(2 * MAX_DEPTH) + &"[".repeat(MAX_DEPTH);
        assert!(!nests_too_deep(&open));
        assert!(nests_too_deep(&format!("{open}{{")));
        assert!(nests_too_deep(&format!(r#"["\\",{open}"#)), "an escaped backslash ends nothing");
        for inside in [r#""["#, r#""a[","]""#, r#""\"["#, r#""\\\"[""#, r#""b"],["#] {
            assert!(!nests_too_deep(&format!("{open}{inside}")), "{inside}");
        }
    }

    #[test]
    fn values_are_counted_outside_of_strings() {
        let long = " ".repeat(2 * MAX_DEPTH);
        for (json, count) in [
            ("1", 1),
            ("[1,2,3]", 4),
            (r#"{"a,[b":1,"c":[2,3]}"#, 5),
            (r#"[",","\\",[[5]]]"#, 6),
            ("[]", 2),
        ] {
            assert_eq!(count_values(&format!("{long}{json}")), Some(count), "{json}");
        }
    }

    /// The members of an object in their order, as `serde_json` reads them.
    struct Members(Vec<(String, Box<RawValue>)>);

    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Pairs;

            impl<'de> Visitor<'de> for Pairs {
                type Value = Members;

                fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    formatter.write_str("an object")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        members.push(member);
                    }
                    Ok(Members(members))
                }
            }

            deserializer.deserialize_map(Pairs)
        }
    }

    /// Kind, id, method and parameters of a message, read in the plainest way.
    type Envelope = (&'static str, Option<RequestId>, String, Option<String>);

    fn read_plainly(json: &str) -> Option<Envelope> {
        let Members(members) = serde_json::from_str(json).ok()?;
        let find = |name: &str| {
            let mut found = members.iter().filter(|(other, _)| other == name);
            let member = found.next().map(|(_, value)| value.get());
            if found.next().is_some() { Err(()) } else { Ok(member) }
        };
        let [jsonrpc, id, method, params, result, error] =
            ["jsonrpc", "id", "method", "params", "result", "error"].map(find);
        let (result, error) = (result.ok()?, error.ok()?);
        let id = match id.ok()? {
            None => None,
            Some(json) => match serde_json::from_str(json).ok()? {
                serde_json::Value::String(id) => Some(RequestId(members::quoted(&id).into())),
                serde_json::Value::Number(_) if !json.contains(['.', 'e', 'E']) => {
                    Some(RequestId(json.into()))
                }
                _ => return None,
            },
        };
        let is_present = |value: &&str| *value != "null";
        let (params, method) = (params.ok()?.filter(is_present), method.ok()?.filter(is_present));
        if jsonrpc.ok()?? != "\"2.0\"" {
            return None;
        }
        let Some(method) = method else {
            let is_response = result.or(error).is_some();
            return is_response.then(|| ("response", None, String::new(), None));
        };
        let method = serde_json::from_str(method).ok()?;
        // An empty list stands for an empty object.
        let params = params.filter(|params| *params != "[]");
        if params.is_some_and(|params| !params.starts_with('{')) {
            return None;
        }
        let kind = if id.is_some() { "request" } else { "notification" };
        Some((kind, id, method, params.map(str::to_owned)))
    }

    fn read(json: &str) -> Option<Envelope> {
        Some(match Message::from_json(json).ok()? {
            Message::Request(Request { id, method, params }) => {
                let params = params.map(|params| params.get().to_owned());
                ("request", Some(id), method.into_owned(), params)
            }
            Message::Notification { method, params } => {
                let params = params.map(|params| params.get().to_owned());
                ("notification", None, method.into_owned(), params)
            }
            Message::Response => ("response", None, String::new(), None),
        })
    }

    /// A member of an envelope, usually one that is right.
    fn member() -> impl Strategy<Value = String> {
        let names = [
            "jsonrpc",
            "id",
            "method",
            "params",
            "result",
            "error",
            "m\\u0065thod",
            "x",
            "",
            "i\\u0064",
        ];
        let values = [
            r#""2.0""#,
            r#""2\u002e0""#,
            "null",
            "1",
            "-0",
            "1.0",
            "1e2",
            "9223372036854775807",
            "9223372036854775808",
            r#""a\"b\\""#,
            r#""\ud83e\udd80""#,
            r#""\ud83e""#,
            "{}",
            r#"{"id":1}"#,
            "[]",
            "[{}]",
            "true",
            r#""tools/call""#,
            " {\n} ",
            "\"\u{1f980}\"",
        ];
        let any = (select(names.to_vec()), select(values.to_vec()))
            .prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            4 => Just(r#""jsonrpc":"2.0""#.to_owned()),
            2 => Just(r#""id" : 7"#.to_owned()),
            3 => Just(r#""method":"ping""#.to_owned()),
            1 => Just(r#""params":{"a":[1,"}"]}"#.to_owned()),
            4 => any,
        ]
    }

    fn envelope() -> impl Strategy<Value = String> {
        vec(member(), 0..6).prop_map(|members| format!("{{{}}}", members.join(",")))
    }

    /// A text with a few characters replaced, removed or added.
    fn damaged() -> impl Strategy<Value = String> {
        let pieces =
            ["", "", "\"", "\\", "{", "}", "[", "]", ":", ",", " ", "0", "-", "u", "\u{e4}"];
        let damage = (any::<Index>(), 0..2_usize, select(pieces.to_vec()));
        (envelope(), vec(damage, 1..4)).prop_map(|(text, damages)| {
            let mut text: Vec<char> = text.chars().collect();
            for (at, removed, added) in damages {
                let at = at.index(text.len() + 1);
                text.splice(at..(at + removed).min(text.len()), added.chars());
            }
            text.into_iter().collect()
        })
    }

    /// How deep a text nests, byte by byte.
    fn depth(text: &str) -> usize {
        let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
        for byte in text.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'[' | b'{' if !in_string => depth += 1,
                b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        deepest
    }

    proptest! {
        #![proptest_config(cases(4000))]

        #[test]
        fn an_envelope_is_read_as_in_the_plainest_way(json in envelope()) {
            prop_assert_eq!(read(&json), read_plainly(&json), "{}", json);
        }

        #[test]
        fn a_damaged_envelope_is_read_as_in_the_plainest_way(json in damaged()) {
            prop_assert_eq!(read(&json), read_plainly(&json), "{}", json);
        }

        #[test]
        fn the_depth_of_a_text_is_that_of_its_brackets(
            pieces in vec((select(&["[", "{", "]", "\"[\"", r#""\"[""#, r#""\\""#, "x"][..]), 1..40_usize), 0..20),
        ) {
            let text: String = pieces.iter().map(|(piece, times)| piece.repeat(*times)).collect();
            if text.len() > 2 * MAX_DEPTH {
                prop_assert_eq!(count_values(&text).is_none(), depth(&text) > MAX_DEPTH, "{}", text);
            }
        }
    }
}
