//! Results are JSON, and fit the schemas that their types publish.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::wire::Wire;
use crate::{CallToolResult, Json, NoArguments, Outcome, Server, Tool, ToolError};

#[derive(Serialize, JsonSchema)]
struct Ratio {
    ratio: f64,
    note: Option<String>,
}

fn ratio(ratio: f64) -> Json<Ratio> {
    Json(Ratio { ratio, note: None })
}

#[test]
fn a_number_that_json_does_not_have_is_an_internal_error() {
    let server = Server::new("s", "1")
        .tool(Tool::new("nan", async |_: NoArguments| ratio(f64::NAN)))
        .tool(Tool::new("infinite", async |_: NoArguments| ratio(1.0 / 0.0)))
        .tool(Tool::new("map", async |_: NoArguments| {
            Json(BTreeMap::from([("a", vec![0.5, f64::NEG_INFINITY])]))
        }))
        .tool(Tool::new("own", async |_: NoArguments| {
            CallToolResult::new().structured(&f32::NAN).map_err(ToolError::internal)
        }));
    for (tool, number) in [("nan", "NaN"), ("infinite", "inf"), ("map", "-inf"), ("own", "NaN")] {
        let seen = Wire::call(tool, json!({})).run(&server);
        assert_eq!(seen.refusal(), (500, -32603), "{tool}");
        assert_eq!(seen.outcome, Outcome::ProtocolError, "{tool}");
        let log = seen.log.borrow();
        assert_eq!(*log, [format!("midge: internal error: {number} is no JSON")], "{tool}");
    }
}

#[test]
fn null_in_a_result_is_no_error() {
    let server = Server::new("s", "1").tool(Tool::new("half", async |_: NoArguments| ratio(0.5)));
    let result = Wire::call("half", json!({})).run(&server).result();
    assert_eq!(result["structuredContent"], json!({ "ratio": 0.5, "note": null }));
}
