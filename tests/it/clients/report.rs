//! What a client saw on its tour.

use serde::Deserialize;
use serde_json::{Value, json};

/// The report; the scripts print it as JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Report {
    /// The package of the client.
    pub(crate) client: String,
    /// The version of that package.
    pub(crate) version: String,
    /// The version of the protocol that client and server settled on.
    pub(crate) protocol: String,
    /// The names of the tools.
    pub(crate) tools: Vec<String>,
    /// What `greet` said to `Midge`.
    pub(crate) greet: String,
    /// What `count_words` counted in two lines of three words.
    pub(crate) structured: Value,
    /// What `countdown` said after one second.
    pub(crate) countdown: String,
    /// The steps that it told before.
    pub(crate) progress: Vec<f64>,
    /// What `divide` made of 7 and 2.
    pub(crate) quotient: String,
    /// What `divide` said to a division by 0, if that was an error.
    pub(crate) tool_error: Option<String>,
    /// What `fetch` said of a host that nobody allowed, if that was an error.
    pub(crate) fetch_error: Option<String>,
    /// What `greet` said to no name, if that was an error.
    pub(crate) argument_error: Option<String>,
    /// The code of the JSON-RPC error that met the call of a tool that is not there.
    pub(crate) unknown_tool: Option<i32>,
}

impl Report {
    /// Checks that it is the report of a tour on which all went well.
    pub(crate) fn check(&self) {
        self.check_what_is_always_so();
        assert_eq!(self.progress, [0.0, 1.0], "{self:#?}");
        assert_mentions(self.fetch_error.as_deref(), "not allow");
    }

    /// Checks that all went well on a tour over standard streams.
    ///
    /// Clients in JavaScript hear nothing of the last step where its line is read together with the
    /// answer's: they take answers at once, and notifications a turn later.
    pub(crate) fn check_over_stdio(&self) {
        self.check_what_is_always_so();
        assert!([&[0.0, 1.0][..], &[0.0]].contains(&&*self.progress), "{self:#?}");
    }

    fn check_what_is_always_so(&self) {
        for tool in ["greet", "count_words", "countdown", "fetch", "divide"] {
            assert!(self.tools.iter().any(|listed| listed == tool), "no `{tool}`: {self:#?}");
        }
        assert_eq!(self.greet, "Hello, Midge!", "{self:#?}");
        let counts = json!({"characters": 13, "words": 3, "lines": 2});
        assert_eq!(self.structured, counts, "{self:#?}");
        assert!(!self.countdown.is_empty(), "{self:#?}");
        assert_eq!(self.quotient, "3.5", "{self:#?}");
        assert_mentions(self.tool_error.as_deref(), "divisor");
        assert_mentions(self.argument_error.as_deref(), "name");
        assert_eq!(self.unknown_tool, Some(-32602), "{self:#?}");
    }
}

/// Checks that there was an error and that its text would help to put things right.
pub(super) fn assert_mentions(error: Option<&str>, words: &str) {
    let error = error.unwrap_or_else(|| panic!("no error that mentions `{words}`"));
    assert!(error.contains(words), "the error should mention `{words}`, but says `{error}`");
}
