//! A tool of the server that takes some seconds.

use serde_json::{Value, json};

use crate::{
    error::ProbeError,
    tool_monitor::{PLACEHOLDER, ToolMonitor},
};

/// Name of the tool that is used by default. It counts down and reports progress.
const DEFAULT: &str = "countdown";
/// Seconds that the default tool is asked to take.
const SECONDS: u32 = 2;

/// Tool and the arguments with which it takes some seconds.
#[derive(Clone, Debug)]
pub(crate) struct SlowTool {
    pub(crate) name: String,
    arguments: Value,
}

impl SlowTool {
    /// Picks the requested tool, or else the default one if the server lists it.
    pub(crate) fn choose(
        requested: Option<(&str, &Value)>,
        tools: &[Value],
    ) -> Result<Option<Self>, ProbeError> {
        let listed = |name: &str| tools.iter().find(|tool| tool["name"] == *name);
        match requested {
            Some((name, arguments)) => match listed(name) {
                Some(_) => Ok(Some(Self { name: name.to_owned(), arguments: arguments.clone() })),
                None => Err(ProbeError::NoSuchTool { name: name.to_owned() }),
            },
            None => Ok(listed(DEFAULT).map(Self::default_tool)),
        }
    }

    fn default_tool(tool: &Value) -> Self {
        let mut arguments = json!({"seconds": SECONDS});
        if tool["inputSchema"]["properties"].get("beacon").is_some() {
            arguments["beacon"] = PLACEHOLDER.into();
        }
        Self { name: DEFAULT.to_owned(), arguments }
    }

    /// Opens a monitor for one call, if the arguments contain the placeholder for its URL.
    pub(crate) async fn monitor(&self) -> Result<Option<ToolMonitor>, ProbeError> {
        if self.arguments.to_string().contains(PLACEHOLDER) {
            ToolMonitor::listen().await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Returns the params of a call.
    pub(crate) fn params(&self, monitor: Option<&ToolMonitor>) -> Value {
        let arguments = match monitor {
            Some(monitor) => substitute(&self.arguments, monitor.url()),
            None => self.arguments.clone(),
        };
        json!({"name": self.name, "arguments": arguments})
    }
}

/// Replaces every placeholder in `value` by the URL.
fn substitute(value: &Value, url: &str) -> Value {
    match value {
        Value::String(text) => text.replace(PLACEHOLDER, url).into(),
        Value::Array(items) => items.iter().map(|item| substitute(item, url)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), substitute(member, url))).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_every_placeholder() {
        let arguments = json!({"url": "{beacon}", "more": [1, "see {beacon}"], "no": true});
        let replaced = substitute(&arguments, "http://x");
        assert_eq!(replaced, json!({"url": "http://x", "more": [1, "see http://x"], "no": true}));
    }

    #[test]
    fn finds_the_default_tool() {
        let tools = [json!({"name": "greet"}), json!({"name": "countdown"})];
        let found = SlowTool::choose(None, &tools).ok().flatten();
        assert_eq!(found.map(|tool| tool.name).as_deref(), Some("countdown"));
        let requested = SlowTool::choose(Some(("sleep", &json!({}))), &tools);
        assert!(matches!(requested, Err(ProbeError::NoSuchTool { .. })));
    }
}
