//! Completion of arguments, over whole exchanges.

use serde_json::{Value, json};

use super::wire::{LEGACY, Seen, Wire};
use crate::{
    Completion, CompletionRequest, NoArguments, Prompt, RequestError, Resource, Server, Tool,
};

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "only completed")]
struct Trip {
    country: String,
    city: String,
    many: String,
    fails: String,
    free: String,
}

async fn cities(request: CompletionRequest) -> Vec<String> {
    let country = request.arguments.get("country").map_or("", String::as_str);
    let cities = match country {
        "France" => ["Paris", "Pau"],
        _ => ["Perth", "Porto"],
    };
    let fits = |city: &&str| city.starts_with(&request.value);
    cities.into_iter().filter(fits).map(str::to_owned).collect()
}

async fn many(_: CompletionRequest) -> Completion {
    (0..250).map(|number| number.to_string()).into()
}

async fn fails(request: CompletionRequest) -> Result<Vec<String>, RequestError> {
    match request.value.as_str() {
        "invalid" => Err(RequestError::invalid("`value` must be a letter")),
        _ => Err(RequestError::internal("the password is 1234")),
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Name {
    name: String,
}

fn server() -> Server {
    Server::new("completion", "1")
        .prompt(
            Prompt::new("trip", async |_: Trip| "")
                .description("Plans a trip.")
                .complete_from("country", &["France", "Finland", "Portugal"])
                .complete("city", cities)
                .complete("many", many)
                .complete("fails", fails),
        )
        .resource(Resource::text("docs://fixed", "fixed", ""))
        .resource(
            Resource::template("docs://{name}/text", "text", async |name: Name| name.name)
                .complete_from("name", &["alpha", "beta"]),
        )
}

fn params(reference: &Value, name: &str, value: &str) -> Value {
    json!({ "ref": reference, "argument": { "name": name, "value": value } })
}

fn complete(params: Value) -> Seen {
    Wire::modern("completion/complete", params).run(&server())
}

/// Of an argument of the prompt.
fn trip(name: &str, value: &str) -> Seen {
    complete(params(&json!({ "type": "ref/prompt", "name": "trip" }), name, value))
}

#[test]
fn c1_values_of_a_list_are_those_that_go_on() {
    let values = |value: &str| trip("country", value).result()["completion"]["values"].clone();
    assert_eq!(values("f"), json!(["France", "Finland"]), "whatever the case");
    assert_eq!(values("Fin"), json!(["Finland"]));
    assert_eq!(values("x"), json!([]));
    assert_eq!(values(""), json!(["France", "Finland", "Portugal"]));
}

#[test]
fn c1_a_result_says_how_many_there_are_and_cannot_be_kept() {
    let result = trip("country", "Fra").result();
    let completion = json!({ "values": ["France"], "total": 1, "hasMore": false });
    assert_eq!(result["completion"], completion);
    let mut members: Vec<_> = result.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["_meta", "completion", "resultType"]);
}

#[test]
fn c1_no_more_than_a_hundred_values_are_sent() {
    let completion = &trip("many", "").result()["completion"];
    assert_eq!(completion["values"].as_array().unwrap().len(), 100);
    assert_eq!((&completion["total"], &completion["hasMore"]), (&json!(250), &json!(true)));
}

#[test]
fn c1_other_arguments_come_along() {
    let reference = json!({ "type": "ref/prompt", "name": "trip", "title": "Trip" });
    let mut known = params(&reference, "city", "P");
    known["context"] = json!({ "arguments": { "country": "France" } });
    assert_eq!(complete(known).result()["completion"]["values"], json!(["Paris", "Pau"]));
    let mut empty = params(&reference, "city", "P");
    empty["context"] = json!({});
    assert_eq!(complete(empty).result()["completion"]["values"], json!(["Perth", "Porto"]));
    assert_eq!(trip("city", "Por").result()["completion"]["values"], json!(["Porto"]));
}

#[test]
fn c1_variables_are_completed_by_the_template_or_a_uri_of_it() {
    for uri in ["docs://{name}/text", "docs://alp/text"] {
        let reference = json!({ "type": "ref/resource", "uri": uri });
        let result = complete(params(&reference, "name", "al")).result();
        assert_eq!(result["completion"]["values"], json!(["alpha"]), "{uri}");
    }
}

#[test]
fn c1_an_argument_without_completion_completes_to_nothing() {
    let completion = json!({ "values": [], "total": 0, "hasMore": false });
    assert_eq!(trip("free", "x").result()["completion"], completion);
}

#[test]
fn c1_it_has_no_name_header() {
    let reference = json!({ "type": "ref/prompt", "name": "trip" });
    let wire = Wire::modern("completion/complete", params(&reference, "country", ""));
    assert!(!wire.head.headers.contains("mcp-name"));
    assert_eq!(wire.run(&server()).status, 200);
}

#[test]
fn c1_older_clients_get_the_values_only() {
    for version in LEGACY {
        let reference = json!({ "type": "ref/prompt", "name": "trip" });
        let params = params(&reference, "country", "Fra");
        let result = Wire::legacy(version, "completion/complete", params).run(&server()).result();
        let completion = json!({ "values": ["France"], "total": 1, "hasMore": false });
        assert_eq!(result, json!({ "completion": completion }), "{version}");
    }
}

#[test]
fn c2_what_is_unknown_is_refused_by_both_eras() {
    let prompt = json!({ "type": "ref/prompt", "name": "trip" });
    for (reference, argument) in [
        (prompt.clone(), "none"),
        (json!({ "type": "ref/prompt", "name": "none" }), "country"),
        (json!({ "type": "ref/resource", "uri": "docs://none" }), "name"),
        (json!({ "type": "ref/resource", "uri": "docs://fixed" }), "name"),
        (json!({ "type": "ref/resource", "uri": "docs://{name}/text" }), "none"),
    ] {
        let params = params(&reference, argument, "");
        assert_eq!(complete(params.clone()).refusal(), (200, -32602), "{reference}");
        for version in LEGACY {
            let seen = Wire::legacy(version, "completion/complete", params.clone()).run(&server());
            assert_eq!(seen.refusal(), (200, -32602), "{version} {reference}");
        }
    }
}

#[test]
fn c2_what_is_malformed_is_refused() {
    let prompt = json!({ "type": "ref/prompt", "name": "trip" });
    let argument = json!({ "name": "country", "value": "" });
    for params in [
        json!({}),
        json!({ "ref": prompt }),
        json!({ "argument": argument }),
        json!({ "ref": "trip", "argument": argument }),
        json!({ "ref": { "type": "ref/tool", "name": "trip" }, "argument": argument }),
        json!({ "ref": { "name": "trip" }, "argument": argument }),
        json!({ "ref": { "type": "ref/prompt", "uri": "trip" }, "argument": argument }),
        json!({ "ref": prompt, "argument": "country" }),
        json!({ "ref": prompt, "argument": { "name": "country" } }),
        json!({ "ref": prompt, "argument": { "name": "country", "value": 1 } }),
        json!({ "ref": prompt, "argument": argument, "context": [1] }),
        json!({ "ref": prompt, "argument": argument, "context": { "arguments": ["a"] } }),
        json!({ "ref": prompt, "argument": argument, "context": { "arguments": { "a": 1 } } }),
    ] {
        assert_eq!(complete(params.clone()).refusal(), (200, -32602), "{params}");
    }
}

#[test]
fn c2_a_handler_fails_by_invalid_params_or_inside() {
    let seen = trip("fails", "invalid");
    assert_eq!(seen.refusal(), (200, -32602));
    assert_eq!(seen.json()["error"]["message"], "Invalid params: `value` must be a letter");
    let seen = trip("fails", "");
    assert_eq!(seen.refusal(), (500, -32603));
    assert!(!seen.body.contains("1234"), "{}", seen.body);
    assert_eq!(seen.log.into_inner(), ["midge: internal error: the password is 1234"]);
}

#[test]
fn c2_a_server_that_completes_nothing_has_no_such_method() {
    let discover = |server: &Server| {
        let result = Wire::modern("server/discover", json!({})).run(server).result();
        result["capabilities"]["completions"].clone()
    };
    assert_eq!(discover(&server()), json!({}), "d2");
    let without = Server::new("without", "1")
        .tool(Tool::new("t", async |_: NoArguments| ()).description("x"))
        .prompt(Prompt::new("trip", async |_: NoArguments| "").description("x"));
    assert_eq!(discover(&without), Value::Null);
    let params = || params(&json!({ "type": "ref/prompt", "name": "trip" }), "country", "");
    let seen = Wire::modern("completion/complete", params()).run(&without);
    assert_eq!(seen.refusal(), (404, -32601));
    for version in LEGACY {
        let seen = Wire::legacy(version, "completion/complete", params()).run(&without);
        assert_eq!(seen.refusal(), (200, -32601), "{version}");
    }
}
