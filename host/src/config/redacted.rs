//! Settings in logs and error messages, without what may be secret.

use std::fmt;

/// Shows entries `NAME=VALUE` without their values.
pub(super) struct Redacted<'a>(pub(super) &'a [String]);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redact = |entry: &String| match entry.split_once('=') {
            Some((name, _)) => format!("{name}=…"),
            None => entry.clone(),
        };
        f.debug_list().entries(self.0.iter().map(redact)).finish()
    }
}
