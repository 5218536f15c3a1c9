//! Checks for what a form cannot express.

use serde_json::{Map, Value};

/// Reason for a type that is not a field of a form.
pub(super) const NO_FIELD: &str =
    "a form has strings, numbers, booleans, choices and lists of choices only";

/// Keywords that do not restrict values.
const NOTES: [&str; 6] = ["$comment", "deprecated", "examples", "readOnly", "title", "writeOnly"];

/// Fails if a schema has keywords left that restrict values.
pub(super) fn no_more(from: &Map<String, Value>) -> Result<(), String> {
    match from.keys().find(|key| !is_note(key)) {
        Some(key) => Err(format!("`{key}` is more than a form can ask for")),
        None => Ok(()),
    }
}

/// Whether a keyword does not restrict values.
pub(super) fn is_note(key: &str) -> bool {
    NOTES.contains(&key) || key.starts_with("x-")
}
