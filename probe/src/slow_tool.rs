//! The tool that takes its time, if the server has one.

use serde_json::{Value, json};

use super::{
    ProbeError,
    beacon::{Beacon, PLACE},
};

/// The tool that is taken without being named: it counts down and reports progress.
const KNOWN: &str = "countdown";
/// How long the known tool is told to take.
const SECONDS: u32 = 2;

/// A tool and the arguments with which it takes some seconds.
#[derive(Clone, Debug)]
pub(super) struct SlowTool {
    pub(super) name: String,
    arguments: Value,
}

impl SlowTool {
    /// The tool that was named, or else the one that is known.
    pub(super) fn choose(
        named: Option<(&str, &Value)>,
        tools: &[Value],
    ) -> Result<Option<Self>, ProbeError> {
        let listed = |name: &str| tools.iter().find(|tool| tool["name"] == *name);
        match named {
            Some((name, arguments)) => match listed(name) {
                Some(_) => Ok(Some(Self { name: name.to_owned(), arguments: arguments.clone() })),
                None => Err(ProbeError::NoSuchTool { name: name.to_owned() }),
            },
            None => Ok(listed(KNOWN).map(Self::known)),
        }
    }

    fn known(tool: &Value) -> Self {
        let mut arguments = json!({"seconds": SECONDS});
        if tool["inputSchema"]["properties"].get("beacon").is_some() {
            arguments["beacon"] = PLACE.into();
        }
        Self { name: KNOWN.to_owned(), arguments }
    }

    /// A beacon for one call, if the tool's arguments have a place for it.
    pub(super) async fn beacon(&self) -> Result<Option<Beacon>, ProbeError> {
        if self.arguments.to_string().contains(PLACE) {
            Beacon::light().await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// The params of a call.
    pub(super) fn call(&self, beacon: Option<&Beacon>) -> Value {
        let arguments = match beacon {
            Some(beacon) => filled(&self.arguments, beacon.url()),
            None => self.arguments.clone(),
        };
        json!({"name": self.name, "arguments": arguments})
    }
}

/// The value with the URL in every place for it.
fn filled(value: &Value, url: &str) -> Value {
    match value {
        Value::String(text) => text.replace(PLACE, url).into(),
        Value::Array(items) => items.iter().map(|item| filled(item, url)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), filled(member, url))).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beacon_is_put_in_every_place() {
        let arguments = json!({"url": "{beacon}", "more": [1, "see {beacon}"], "no": true});
        let filled = filled(&arguments, "http://x");
        assert_eq!(filled, json!({"url": "http://x", "more": [1, "see http://x"], "no": true}));
    }

    #[test]
    fn the_known_tool_is_found() {
        let tools = [json!({"name": "greet"}), json!({"name": "countdown"})];
        let found = SlowTool::choose(None, &tools).ok().flatten();
        assert_eq!(found.map(|tool| tool.name).as_deref(), Some("countdown"));
        let named = SlowTool::choose(Some(("sleep", &json!({}))), &tools);
        assert!(matches!(named, Err(ProbeError::NoSuchTool { .. })));
    }
}
