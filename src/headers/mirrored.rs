//! Headers that mirror the message body, and the check that both agree.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::error::ProtocolError;
use crate::headers::map::{self, Fields};
use crate::schema::header_params::HeaderParam;

pub(crate) const PROTOCOL_VERSION: &str = "mcp-protocol-version";
const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";

/// A header that may occur once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Absent,
    Once(&'a str),
    /// Repeated, or not of visible characters, blanks and tabs.
    Malformed,
}

impl<'a> Field<'a> {
    pub(crate) fn of(headers: &'a Fields, name: &'a str) -> Self {
        let mut values = headers.values(name);
        match (values.next(), values.next()) {
            (None, _) => Field::Absent,
            (Some(value), None) => match map::text(value) {
                Some(text) => Field::Once(text.trim_ascii()),
                None => Field::Malformed,
            },
            (Some(_), Some(_)) => Field::Malformed,
        }
    }
}

/// Compares `MCP-Protocol-Version` with the version of the body.
pub(crate) fn check_version(headers: &Fields, version: &str) -> Result<(), ProtocolError> {
    check_plain(headers, "MCP-Protocol-Version", PROTOCOL_VERSION, version)
}

/// Compares `Mcp-Method` with the method of the body.
pub(crate) fn check_method(headers: &Fields, method: &str) -> Result<(), ProtocolError> {
    check_plain(headers, "Mcp-Method", METHOD, method)
}

/// Compares `Mcp-Name` with the name of what the body asks for.
pub(crate) fn check_name(headers: &Fields, name: &str) -> Result<(), ProtocolError> {
    match required(headers, "Mcp-Name", NAME)? {
        value if decode("Mcp-Name", value)? == name => Ok(()),
        value => Err(mismatch("Mcp-Name", value, name)),
    }
}

fn check_plain(
    headers: &Fields,
    title: &str,
    name: &str,
    expected: &str,
) -> Result<(), ProtocolError> {
    match required(headers, title, name)? {
        value if value == expected => Ok(()),
        value => Err(mismatch(title, value, expected)),
    }
}

/// Compares the headers of declared parameters with the arguments; `None` for arguments that cannot
/// be read.
pub(crate) fn check_params(
    headers: &Fields,
    params: &[HeaderParam],
    arguments: Option<&Value>,
) -> Result<(), ProtocolError> {
    for HeaderParam { path, header } in params {
        let title = format!("Mcp-Param-{header}");
        // A handler may skip what cannot be read here, as a member that is too deep, and read the
        // rest.
        let arguments = arguments.ok_or_else(not_comparable)?;
        check_param(headers, &title, argument(Some(arguments), path)?)?;
    }
    Ok(())
}

/// The argument at a path; `None` where it is absent or null.
fn argument<'a>(
    mut value: Option<&'a Value>,
    path: &[String],
) -> Result<Option<&'a Value>, ProtocolError> {
    for name in path {
        value = match value {
            Some(Value::Object(members)) => members.get(name),
            None | Some(Value::Null) => None,
            // Serde reads a struct from a list, too, where names say nothing.
            Some(_) => return Err(not_comparable()),
        };
    }
    Ok(value.filter(|value| !value.is_null()))
}

/// Arguments that a header could be kept from saying.
fn not_comparable() -> ProtocolError {
    ProtocolError::HeaderMismatch("the arguments cannot be compared with their headers".to_owned())
}

fn check_param(
    headers: &Fields,
    title: &str,
    argument: Option<&Value>,
) -> Result<(), ProtocolError> {
    let Some(argument) = argument else {
        return match Field::of(headers, title) {
            Field::Absent => Ok(()),
            _ => Err(ProtocolError::HeaderMismatch(format!(
                "{title} is sent, but the body has no such argument"
            ))),
        };
    };
    let value = required(headers, title, title)?;
    let decoded = decode(title, value)?;
    let fits = match argument {
        Value::String(text) => *text == decoded,
        Value::Bool(flag) => decoded == if *flag { "true" } else { "false" },
        Value::Number(number) => same_number(number, &decoded),
        // Not a type that a header can repeat.
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let written = argument.as_str().map_or_else(|| argument.to_string(), str::to_owned);
    Err(mismatch(title, value, &written))
}

/// Whether a header names the same number, however it writes it: `42.0` is 42.
fn same_number(number: &serde_json::Number, text: &str) -> bool {
    let Ok(other) = text.parse::<serde_json::Number>() else { return false };
    // Only where one of them is a fraction may both be compared as such: large integers differ
    // where their nearest fractions do not.
    *number == other || ((number.is_f64() || other.is_f64()) && number.as_f64() == other.as_f64())
}

fn required<'a>(headers: &'a Fields, title: &str, name: &'a str) -> Result<&'a str, ProtocolError> {
    match Field::of(headers, name) {
        Field::Once(value) => Ok(value),
        Field::Absent => Err(ProtocolError::HeaderMismatch(format!("{title} header is missing"))),
        Field::Malformed => Err(ProtocolError::HeaderMismatch(format!(
            "{title} header is repeated or has characters that a header may not have"
        ))),
    }
}

fn mismatch(title: &str, value: &str, expected: &str) -> ProtocolError {
    ProtocolError::HeaderMismatch(format!(
        "{title} header value '{value}' does not match body value '{expected}'"
    ))
}

/// Undoes the encoding of values that a header cannot carry: `=?base64?…?=`, standard Base64 with
/// padding, of UTF-8. Everything else is literal.
fn decode<'a>(title: &str, value: &'a str) -> Result<Cow<'a, str>, ProtocolError> {
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="))
    else {
        return Ok(value.into());
    };
    let bytes = STANDARD.decode(encoded).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(Cow::Owned).ok_or_else(|| {
        ProtocolError::HeaderMismatch(format!("{title} header is not valid Base64 of UTF-8"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> Fields {
        let mut headers = Fields::default();
        pairs.iter().for_each(|(name, value)| headers.push(name, *value));
        headers
    }

    #[test]
    fn h20_values_are_case_sensitive_and_trimmed() {
        assert!(check_method(&headers(&[("mcp-method", "tools/list")]), "tools/list").is_ok());
        assert!(check_name(&headers(&[("mcp-name", "  add \t")]), "add").is_ok());
        assert!(check_method(&headers(&[("mcp-method", "TOOLS/LIST")]), "tools/list").is_err());
        let repeated = headers(&[("mcp-name", "add"), ("mcp-name", "add")]);
        assert!(check_name(&repeated, "add").is_err());
    }

    #[test]
    fn h21_a_mismatch_says_what_differs() {
        let error = check_name(&headers(&[("mcp-name", "foo")]), "bar").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Header mismatch: Mcp-Name header value 'foo' does not match body value 'bar'"
        );
        assert!(check_name(&Fields::default(), "bar").is_err());
        assert!(check_name(&headers(&[("mcp-name", "b\u{e4}r")]), "b\u{e4}r").is_err());
    }

    #[test]
    fn h22_base64_sentinel_is_strict() {
        let name =
            |value: &str, expected: &str| check_name(&headers(&[("mcp-name", value)]), expected);
        assert!(name("=?base64?SGVsbG8=?=", "Hello").is_ok());
        assert!(name("=?base64?w6TDtsO8?=", "\u{e4}\u{f6}\u{fc}").is_ok());
        for wrong in ["=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "=?base64?/w==?="] {
            assert!(name(wrong, "Hello").is_err(), "{wrong}");
        }
        for literal in ["SGVsbG8=", "=?base64?SGVsbG8=", "SGVsbG8=?=", "=?BASE64?SGVsbG8=?="] {
            assert!(name(literal, literal).is_ok(), "{literal}");
        }
    }

    #[test]
    fn h23_parameters_are_compared_by_type() {
        let param = |path: &[&str], header: &str| HeaderParam {
            path: path.iter().map(|name| (*name).to_owned()).collect(),
            header: header.to_owned(),
        };
        let params = [
            param(&["region"], "Region"),
            param(&["limit"], "Limit"),
            param(&["filter", "deep"], "Deep"),
        ];
        let check = |pairs: &[(&'static str, &str)], arguments: &str| {
            let arguments = serde_json::from_str(arguments).ok();
            check_params(&headers(pairs), &params, arguments.as_ref()).is_ok()
        };
        let region = ("mcp-param-region", "eu");
        assert!(check(&[region], r#"{"region":"eu"}"#));
        assert!(!check(&[region], r#"{"region":"us"}"#));
        assert!(!check(&[], r#"{"region":"eu"}"#), "missing");
        assert!(!check(&[region], "{}"), "sent without an argument");
        assert!(!check(&[region], r#"{"region":null}"#), "sent for null");
        assert!(check(&[("mcp-param-limit", "42.0")], r#"{"limit":42}"#));
        assert!(!check(&[("mcp-param-limit", "43")], r#"{"limit":42}"#));
        assert!(!check(&[("mcp-param-limit", "x")], r#"{"limit":42}"#));
        let large = ("mcp-param-limit", "18446744073709551614");
        assert!(check(&[large], r#"{"limit":18446744073709551614}"#));
        assert!(!check(&[large], r#"{"limit":18446744073709551615}"#));
        assert!(!check(&[("mcp-param-limit", "{}")], r#"{"limit":{}}"#), "no such type");
        assert!(check(&[("mcp-param-deep", "true")], r#"{"filter":{"deep":true}}"#));
        assert!(!check(&[("mcp-param-deep", "True")], r#"{"filter":{"deep":true}}"#));
        assert!(check(&[("mcp-param-other", "x")], "{}"), "not declared");
        let deep = format!(r#"{{"region":"eu","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        for unread in [&deep, r#"{"region":"eu","x":"\ud800"}"#, r#"{"region":"eu","x":1e999}"#] {
            assert!(!check(&[], unread), "a handler might skip `x`: {unread}");
        }
        assert!(!check(&[], r#"{"filter":[true]}"#), "a struct may be read from a list");
        assert!(check(&[], r#"{"filter":null}"#));
    }
}
