//! Tools whose schemas the suite looks at.

use midge::{Server, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

async fn any(_: Map<String, Value>) -> &'static str {
    "The arguments were taken."
}

fn json_schema_2020_12() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
        } },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}

#[derive(Deserialize, JsonSchema)]
struct Region {
    /// Where to look.
    #[serde(default)]
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
}

async fn x_mcp_header(args: Region) -> String {
    format!("Region: {}", args.region)
}

pub(crate) fn tools(server: Server) -> Server {
    server
        .tool(
            Tool::new("json_schema_2020_12_tool", any)
                .description("Publishes a schema of its own.")
                .input_schema(json_schema_2020_12),
        )
        .tool(
            Tool::new("test_x_mcp_header", x_mcp_header)
                .description("Has an argument that is repeated in a header.")
                .header_params(),
        )
}
