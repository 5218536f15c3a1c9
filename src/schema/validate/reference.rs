//! References within a schema: `#`, `#/json/pointer` and `#anchor`. Nothing is ever fetched.
//!
//! A `$dynamicRef` is the same here, since no part of a schema may have an `$id` of its own: there
//! is one resource, and an anchor is there only once.

use std::borrow::Cow;

use serde_json::Value;

/// The subschema that a reference names.
pub(crate) fn resolve<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    let id = root.get("$id").and_then(Value::as_str);
    let local = id.and_then(|id| reference.strip_prefix(id.trim_end_matches('#')));
    match local.unwrap_or(reference) {
        "" => Some(root),
        local => {
            let fragment = percent_decoded(local.strip_prefix('#')?)?;
            match fragment.starts_with('/') || fragment.is_empty() {
                true => root.pointer(&fragment),
                false => anchored(root, &fragment),
            }
        }
    }
}

/// Pointers are percent-encoded in references, where names have characters that URIs do not.
fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn anchored<'s>(schema: &'s Value, anchor: &str) -> Option<&'s Value> {
    match schema {
        Value::Array(items) => items.iter().find_map(|item| anchored(item, anchor)),
        Value::Object(members) => {
            let named = |keyword| members.get(keyword).is_some_and(|name| name == anchor);
            if named("$anchor") || named("$dynamicAnchor") {
                return Some(schema);
            }
            // Values that only look like schemas.
            let schemas =
                members.iter().filter(|(name, _)| !matches!(name.as_str(), "enum" | "const"));
            schemas.into_iter().find_map(|(_, member)| anchored(member, anchor))
        }
        _ => None,
    }
}
