//! Result of `sampling/createMessage`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::protocol::content::Role;

/// What the client's model has said, or rather what the client says that it has: like all that
/// comes from there, it may be anything.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CreateMessageResult {
    /// Who says it: the model.
    pub role: Role,
    /// The name of the model.
    pub model: String,
    /// Why it stopped, where that is known: `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, or
    /// whatever else the model's provider says.
    #[serde(default)]
    pub stop_reason: Option<String>,
    /// What it says.
    #[serde(deserialize_with = "one_or_many")]
    pub content: Vec<SamplingContent>,
}

impl CreateMessageResult {
    /// The texts in it, one after the other.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.content.iter().map(|block| match block {
            SamplingContent::Text { text } => text,
            _ => "",
        });
        texts.collect()
    }

    /// The uses of tools in it.
    pub fn tool_uses(&self) -> impl Iterator<Item = &ToolUse> {
        self.content.iter().filter_map(SamplingContent::as_tool_use)
    }

    /// Whether results can be told apart by the ids of the tool uses.
    pub(crate) fn has_distinct_ids(&self) -> bool {
        let mut ids = BTreeSet::new();
        self.tool_uses().all(|tool_use| ids.insert(&tool_use.id))
    }
}

/// One piece of what a model says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SamplingContent {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image {
        /// Its bytes.
        data: Vec<u8>,
        /// Their type.
        mime_type: String,
    },
    /// A sound.
    Audio {
        /// Its bytes.
        data: Vec<u8>,
        /// Their type.
        mime_type: String,
    },
    /// The model wants a tool to be run.
    ToolUse(ToolUse),
    /// Something that this version of the SDK does not know, as it came.
    Other(Map<String, Value>),
}

/// A tool that a model wants to be run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ToolUse {
    /// By which its result is known.
    pub id: String,
    /// The name of the tool, which may be one that it was not offered.
    pub name: String,
    /// The arguments, which may not fit the tool's schema.
    pub input: Map<String, Value>,
    /// What the client wants to see again with it.
    meta: Option<Value>,
}

impl SamplingContent {
    pub(super) fn as_tool_use(&self) -> Option<&ToolUse> {
        match self {
            Self::ToolUse(tool_use) => Some(tool_use),
            _ => None,
        }
    }

    /// Reads a block; `None` for one that is not what its type says.
    fn read(mut block: Map<String, Value>) -> Option<Self> {
        let Some(Value::String(kind)) = block.get("type") else { return None };
        Some(match kind.as_str() {
            "text" => Self::Text { text: string(block.remove("text"))? },
            "image" => Self::Image {
                data: bytes(block.get("data"))?,
                mime_type: string(block.remove("mimeType"))?,
            },
            "audio" => Self::Audio {
                data: bytes(block.get("data"))?,
                mime_type: string(block.remove("mimeType"))?,
            },
            "tool_use" => Self::ToolUse(ToolUse {
                id: string(block.remove("id"))?,
                name: string(block.remove("name"))?,
                input: object(block.remove("input"))?,
                meta: block.remove("_meta"),
            }),
            _ => Self::Other(block),
        })
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Text { text } => json!({ "type": "text", "text": text }),
            Self::Image { data, mime_type } => {
                json!({ "type": "image", "data": STANDARD.encode(data), "mimeType": mime_type })
            }
            Self::Audio { data, mime_type } => {
                json!({ "type": "audio", "data": STANDARD.encode(data), "mimeType": mime_type })
            }
            Self::ToolUse(ToolUse { id, name, input, meta }) => {
                let mut json =
                    json!({ "type": "tool_use", "id": id, "name": name, "input": input });
                if let Some(meta) = meta {
                    json["_meta"] = meta.clone();
                }
                json
            }
            Self::Other(block) => Value::Object(block.clone()),
        }
    }
}

fn string(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(string)) => Some(string),
        _ => None,
    }
}

fn object(value: Option<Value>) -> Option<Map<String, Value>> {
    match value {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    }
}

fn bytes(value: Option<&Value>) -> Option<Vec<u8>> {
    STANDARD.decode(value?.as_str()?).ok()
}

/// By hand, as [`ContentBlock`](crate::ContentBlock): tagged enums of `serde` are large.
impl Serialize for SamplingContent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<SamplingContent>, D::Error> {
    let blocks = match Value::deserialize(deserializer)? {
        Value::Array(blocks) => blocks,
        block => vec![block],
    };
    let blocks = blocks.into_iter().map(|block| SamplingContent::read(object(Some(block))?));
    blocks.collect::<Option<_>>().ok_or_else(|| D::Error::custom("not the content of a message"))
}
