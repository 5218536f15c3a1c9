//! Headers that mirror the message body, and the check that both agree.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::error::{ProtocolError, excerpt};
use crate::headers::map::{self, Fields};
use crate::protocol::Version;
use crate::schema::header_params::HeaderParam;

pub(crate) const PROTOCOL_VERSION: &str = "mcp-protocol-version";

/// The version that a header names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Absent,
    Named(&'a str),
    /// Not of visible characters, blanks and tabs.
    Malformed,
}

/// The version in the headers, where the message names none: of several the first that is known.
pub(crate) fn version(headers: &Fields) -> Field<'_> {
    let mut first = Field::Absent;
    for line in headers.values(PROTOCOL_VERSION) {
        let mut rest = Some(line);
        while let Some(copy) = next_copy(&mut rest, true) {
            let field = copy.map_or(Field::Malformed, Field::Named);
            if copy.is_some_and(|version| version.parse::<Version>().is_ok()) {
                return field;
            }
            if first == Field::Absent {
                first = field;
            }
        }
    }
    first
}

/// Takes the next copy of a header from a line; `None` inside is what is no text. Some clients send
/// a header twice, on two lines or, as HTTP libraries join them, on one with commas.
// Once in a component.
#[inline(never)]
fn next_copy<'a>(rest: &mut Option<&'a [u8]>, joined: bool) -> Option<Option<&'a str>> {
    let line = rest.take()?;
    let mut copies = line.splitn(if joined { 2 } else { 1 }, |byte| *byte == b',');
    let copy = copies.next()?;
    *rest = copies.next();
    Some(map::text(copy).map(str::trim_ascii))
}

/// Compares `MCP-Protocol-Version` with the version of the body.
pub(crate) fn check_version(headers: &Fields, version: &str) -> Result<(), ProtocolError> {
    check_text(headers, ["MCP-Protocol-Version", PROTOCOL_VERSION], version, false)
}

/// Compares `Mcp-Method` with the method of the body.
pub(crate) fn check_method(headers: &Fields, method: &str) -> Result<(), ProtocolError> {
    check_text(headers, ["Mcp-Method", "mcp-method"], method, false)
}

/// Compares `Mcp-Name` with the name of what the body asks for.
pub(crate) fn check_name(headers: &Fields, name: &str) -> Result<(), ProtocolError> {
    check_text(headers, ["Mcp-Name", "mcp-name"], name, true)
}

/// Compares all copies of a header, by its title and its name, with a text that may be encoded there.
fn check_text(
    headers: &Fields,
    [title, name]: [&str; 2],
    expected: &str,
    may_be_encoded: bool,
) -> Result<(), ProtocolError> {
    // Encoded values are compared without decoding, since each text has one encoding.
    check_copies(headers, [title, name], expected, |value| match encoded(value) {
        Some(encoded) if may_be_encoded => {
            let mut encoding = vec![0; encoded.len()];
            let length = STANDARD.encode_slice(expected, &mut encoding);
            length == Ok(encoded.len()) && encoding == encoded.as_bytes()
        }
        _ => value == expected,
    })
}

/// Checks all copies of a header that must be there. The specification asks for equal values and
/// says nothing of copies. A value with commas of its own has none that are joined.
fn check_copies(
    headers: &Fields,
    [title, name]: [&str; 2],
    expected: &str,
    fits: impl Fn(&str) -> bool,
) -> Result<(), ProtocolError> {
    let joined = expected.bytes().all(|byte| byte != b',');
    let mut is_missing = true;
    for line in headers.values(name) {
        is_missing = false;
        let mut rest = Some(line);
        while let Some(copy) = next_copy(&mut rest, joined) {
            let value = copy.ok_or_else(|| malformed(title))?;
            if !fits(value) {
                return Err(mismatch(title, value, expected));
            }
        }
    }
    match is_missing {
        true => Err(ProtocolError::HeaderMismatch([title, " header is missing"].concat())),
        false => Ok(()),
    }
}

fn malformed(title: &str) -> ProtocolError {
    let reason = " header has characters that a header may not have";
    ProtocolError::HeaderMismatch([title, reason].concat())
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
            Some(Value::Array(items)) if items.is_empty() => None,
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
        if !headers.contains(title) {
            return Ok(());
        }
        let reason = format!("{title} is sent, but the body has no such argument");
        return Err(ProtocolError::HeaderMismatch(reason));
    };
    let written = argument.as_str().map_or_else(|| argument.to_string(), str::to_owned);
    check_copies(headers, [title, title], &written, |value| {
        let Some(decoded) = decode(value) else { return false };
        match argument {
            Value::String(text) => *text == decoded,
            Value::Bool(flag) => decoded == if *flag { "true" } else { "false" },
            Value::Number(number) => same_number(number, &decoded),
            // Not a type that a header can repeat.
            _ => false,
        }
    })
}

/// Whether a header names the same number, however it writes it: `42.0` is 42.
fn same_number(number: &serde_json::Number, text: &str) -> bool {
    let Ok(other) = text.parse::<serde_json::Number>() else { return false };
    // Only where one of them is a fraction may both be compared as such: large integers differ
    // where their nearest fractions do not.
    *number == other || ((number.is_f64() || other.is_f64()) && number.as_f64() == other.as_f64())
}

fn mismatch(title: &str, value: &str, expected: &str) -> ProtocolError {
    let (value, expected) = (excerpt(value), excerpt(expected));
    ProtocolError::HeaderMismatch(format!(
        "{title} header value '{value}' does not match body value '{expected}'"
    ))
}

/// Returns the Base64 of a value that a header cannot carry as it is: `=?base64?…?=`, standard
/// Base64 with padding, of UTF-8. Every other value is literal.
fn encoded(value: &str) -> Option<&str> {
    value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="))
}

/// Undoes that encoding; `None` for what is not encoded as it should be.
fn decode(value: &str) -> Option<Cow<'_, str>> {
    let Some(encoded) = encoded(value) else { return Some(value.into()) };
    let bytes = STANDARD.decode(encoded).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
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
    }

    #[test]
    fn a1_equal_copies_of_a_header_count_as_one() {
        let version = |lines: &[&'static str]| {
            let lines: Vec<_> = lines.iter().map(|line| (PROTOCOL_VERSION, *line)).collect();
            let headers = headers(&lines);
            match version(&headers) {
                Field::Named(version) => version.to_owned(),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(version(&[]), "Absent");
        assert_eq!(version(&["caf\u{e9}"]), "Malformed");
        assert_eq!(version(&["2025-11-25, 2025-11-25"]), "2025-11-25");
        assert_eq!(version(&["2025-11-25", "2025-11-25"]), "2025-11-25");
        assert_eq!(version(&["2024-11-05,2025-06-18", "2025-11-25"]), "2025-06-18", "first known");
        assert_eq!(version(&["a, b"]), "a");
        let name = |lines: &[&'static str], expected: &str| {
            let lines: Vec<_> = lines.iter().map(|line| ("mcp-name", *line)).collect();
            check_name(&headers(&lines), expected).map_err(|error| error.to_string())
        };
        for copies in
            [&["add", "add"][..], &["add, add"], &["add,add", "add"], &["=?base64?YWRk?=, add"]]
        {
            assert_eq!(name(copies, "add"), Ok(()), "{copies:?}");
        }
        assert_eq!(name(&["a, b"], "a, b"), Ok(()), "a name may have commas");
        for differing in [&["add", "sub"][..], &["add, sub"], &["sub", "add"], &["add, "], &[","]] {
            assert!(name(differing, "add").is_err(), "{differing:?}");
        }
    }

    #[test]
    fn h21_a_mismatch_says_what_differs() {
        let error = check_name(&headers(&[("mcp-name", "foo")]), "bar").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Header mismatch: Mcp-Name header value 'foo' does not match body value 'bar'"
        );
        assert!(check_name(&Fields::default(), "bar").is_err());
        let long = "x".repeat(10_000);
        let error = check_name(&headers(&[("mcp-name", &long)]), &long[1..]).unwrap_err();
        assert!(error.to_string().len() < 300, "{error}");
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
        assert!(check(&[], r#"{"filter":[]}"#), "a5");
    }
}
