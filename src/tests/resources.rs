//! Resources and their templates, over whole exchanges.

use std::time::Duration;

use serde_json::{Value, json};

use super::wire::{LEGACY, Seen, Wire, modern_meta};
use crate::{
    Annotations, Cache, Context, Icon, InvalidServer, RequestError, Resource, ResourceContents,
    Server,
};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Page {
    book: String,
    number: u8,
}

async fn page(page: Page) -> Result<String, RequestError> {
    match page.number {
        0 => Err(RequestError::NotFound),
        1 => Err(RequestError::internal("the disk of host 10.0.0.7 is full")),
        2 => Err(RequestError::invalid("page 2 was torn out")),
        number => Ok(format!("{} {number}", page.book)),
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct File {
    path: String,
}

async fn several() -> Vec<ResourceContents> {
    vec![
        ResourceContents::text("docs://several/a", "a").mime_type("text/markdown"),
        ResourceContents::blob("docs://several/b", b"\0\xff").meta("example.com/b", 1),
    ]
}

async fn talks(context: Context) -> &'static str {
    context.progress(1.0).await;
    "done"
}

fn server() -> Server {
    Server::new("resources", "1")
        .cache(Cache::public(Duration::from_secs(60)))
        .resource(
            Resource::text("docs://readme", "readme", "Read me.")
                .title("Read me")
                .description("Says what is here.")
                .mime_type("text/plain")
                .annotations(
                    Annotations::new()
                        .for_user()
                        .priority(2.0)
                        .last_modified("2026-01-01T00:00:00Z"),
                )
                .icon(Icon::new("https://example.com/i.png"))
                .meta("example.com/team", "docs"),
        )
        .resource(Resource::bytes("docs://logo", "logo", b"\x89PNG").mime_type("image/png"))
        .resource(Resource::new("docs://several", "several", several).mime_type("text/plain"))
        .resource(Resource::new("docs://empty", "empty", async || Vec::<ResourceContents>::new()))
        .resource(
            Resource::with_context("docs://talks", "talks", talks)
                .cache(Cache::private(Duration::from_millis(1500))),
        )
        .resource(Resource::text("docs://hidden", "hidden", "psst").unlisted())
        .resource(Resource::text("docs://books/odd/9", "odd", "the fixed one"))
        .resource(
            Resource::template("docs://books/{book}/{number}", "page", page)
                .title("Page")
                .description("A page.")
                .mime_type("text/plain")
                .icon(Icon::new("https://example.com/i.png")),
        )
        .resource(Resource::template("file:///srv/{+path}", "file", async |file: File| file.path))
}

fn read(uri: &str) -> Seen {
    Wire::modern("resources/read", json!({ "uri": uri })).run(&server())
}

fn read_legacy(version: &str, uri: &str) -> Seen {
    Wire::legacy(version, "resources/read", json!({ "uri": uri })).run(&server())
}

#[test]
fn r1_resources_are_listed_without_templates() {
    let result = Wire::modern("resources/list", json!({})).run(&server()).result();
    assert_eq!(
        result["resources"][0],
        json!({
            "uri": "docs://readme",
            "name": "readme",
            "title": "Read me",
            "description": "Says what is here.",
            "mimeType": "text/plain",
            "size": 8,
            "annotations": {
                "audience": ["user"],
                "priority": 1.0,
                "lastModified": "2026-01-01T00:00:00Z",
            },
            "icons": [{ "src": "https://example.com/i.png" }],
            "_meta": { "example.com/team": "docs" },
        })
    );
    let resources = result["resources"].as_array().unwrap();
    let names: Vec<_> = resources.iter().map(|resource| &resource["name"]).collect();
    assert_eq!(names, ["readme", "logo", "several", "empty", "talks", "odd"]);
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(60_000), &json!("public")), "g2");
}

#[test]
fn r2_templates_have_a_list_of_their_own() {
    let list =
        |server: &Server| Wire::modern("resources/templates/list", json!({})).run(server).result();
    let result = list(&server());
    assert_eq!(
        result["resourceTemplates"],
        json!([
            {
                "uriTemplate": "docs://books/{book}/{number}",
                "name": "page",
                "title": "Page",
                "description": "A page.",
                "mimeType": "text/plain",
                "icons": [{ "src": "https://example.com/i.png" }],
            },
            { "uriTemplate": "file:///srv/{+path}", "name": "file" },
        ])
    );
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(60_000), &json!("public")), "g2");
    let plain = Server::new("plain", "1").resource(Resource::text("a:b", "a", ""));
    assert_eq!(list(&plain)["resourceTemplates"], json!([]), "also where there are none");
}

#[test]
fn r1_r2_older_clients_get_what_they_know() {
    for (version, titles, icons) in
        [("2025-03-26", false, false), ("2025-06-18", true, false), ("2025-11-25", true, true)]
    {
        for (method, member) in
            [("resources/list", "resources"), ("resources/templates/list", "resourceTemplates")]
        {
            let result = Wire::legacy(version, method, json!({})).run(&server()).result();
            let members: Vec<_> = result.as_object().unwrap().keys().collect();
            assert_eq!(members, [member], "{version}: no resultType, no cache hints");
            let first = &result[member][0];
            assert_eq!(first.get("title").is_some(), titles, "{version} {method}");
            assert_eq!(first.get("icons").is_some(), icons, "{version} {method}");
        }
        let resources = Wire::legacy(version, "resources/list", json!({})).run(&server()).result();
        let readme = &resources["resources"][0];
        assert_eq!(readme.get("_meta").is_some(), titles, "{version}");
        assert_eq!(readme["annotations"].get("lastModified").is_some(), titles, "{version}");
    }
}

#[test]
fn r3_contents_are_text_or_base64() {
    let text = read("docs://readme").result();
    assert_eq!(
        text["contents"],
        json!([{ "uri": "docs://readme", "mimeType": "text/plain", "text": "Read me." }])
    );
    assert_eq!(text["resultType"], "complete");
    assert_eq!(
        read("docs://logo").result()["contents"],
        json!([{ "uri": "docs://logo", "mimeType": "image/png", "blob": "iVBORw==" }])
    );
    assert_eq!(
        read("docs://several").result()["contents"],
        json!([
            { "uri": "docs://several/a", "mimeType": "text/markdown", "text": "a" },
            {
                "uri": "docs://several/b",
                "mimeType": "text/plain",
                "blob": "AP8=",
                "_meta": { "example.com/b": 1 },
            },
        ])
    );
}

#[test]
fn r3_older_clients_get_the_same_contents() {
    for version in LEGACY {
        let result = read_legacy(version, "docs://several").result();
        let members: Vec<_> = result.as_object().unwrap().keys().collect();
        assert_eq!(members, ["contents"], "{version}: no resultType, no cache hints");
        assert_eq!(result["contents"][0]["text"], "a");
        let has_meta = result["contents"][1].get("_meta").is_some();
        assert_eq!(has_meta, version != "2025-03-26", "{version}");
    }
}

#[test]
fn r3_what_is_not_listed_can_be_read() {
    assert_eq!(read("docs://hidden").result()["contents"][0]["text"], "psst");
}

#[test]
fn r3_the_uri_is_a_string() {
    for params in [json!({}), json!({ "uri": 1 }), json!({ "uri": null })] {
        let seen = Wire::modern("resources/read", params.clone()).run(&server());
        assert_eq!(seen.refusal(), (200, -32602), "{params}");
    }
}

#[test]
fn r4_not_found_has_a_number_for_each_era() {
    for uri in ["docs://none", "", "docs://books/a/0", "docs://empty", "docs://books/a/999"] {
        let seen = Wire::modern("resources/read", json!({ "uri": uri })).run(&server());
        assert_eq!(seen.refusal(), (200, -32602), "{uri}");
        let error = &seen.json()["error"];
        assert_eq!(error["message"], "Resource not found");
        assert_eq!(error["data"], json!({ "uri": uri }));
        for version in LEGACY {
            let seen = read_legacy(version, uri);
            assert_eq!(seen.refusal(), (200, -32002), "{version} {uri}");
            assert_eq!(seen.json()["error"]["data"], json!({ "uri": uri }));
        }
    }
}

#[test]
fn r4_a_handler_fails_by_invalid_params_or_inside() {
    let seen = read("docs://books/a/1");
    assert_eq!(seen.refusal(), (500, -32603));
    assert!(!seen.body.contains("10.0.0.7"), "{}", seen.body);
    let log = seen.log.into_inner();
    assert_eq!(log, ["midge: internal error: the disk of host 10.0.0.7 is full"]);
    let seen = read("docs://books/a/2");
    assert_eq!(seen.refusal(), (200, -32602));
    assert_eq!(seen.json()["error"]["message"], "Invalid params: page 2 was torn out");
}

#[test]
fn r5_an_exact_uri_comes_before_a_template() {
    let text = |uri: &str| read(uri).result()["contents"][0].clone();
    assert_eq!(text("docs://books/odd/9")["text"], "the fixed one");
    assert_eq!(
        text("docs://books/a%20b%2Fc/9"),
        json!({
            "uri": "docs://books/a%20b%2Fc/9",
            "mimeType": "text/plain",
            "text": "a b/c 9",
        }),
        "variables are decoded, the URI is as it was asked for"
    );
    assert_eq!(text("file:///srv/notes/a%20b.txt")["text"], "notes/a b.txt");
}

#[test]
fn r5_traversal_is_not_found() {
    for uri in [
        "file:///srv/../etc/passwd",
        "file:///srv/%2e%2e/etc/passwd",
        "file:///srv/..%2fetc%2fpasswd",
        "file:///srv/a%5c..%5cb",
        "file:///srv/a\\..\\b",
        "file:///srv/a%00",
        "file:///srv/%ff",
        "docs://books/../9",
        "docs://books/a/b/9",
    ] {
        let wire = Wire::modern("resources/read", json!({ "uri": uri }));
        assert_eq!(wire.run(&server()).refusal(), (200, -32602), "{uri}");
    }
}

#[test]
fn r5_what_is_no_uri_is_not_found() {
    for uri in [
        "file:///srv/a b",
        "file:///srv/<a>",
        "file:///srv/\"a\"",
        "file:///srv/{+path}",
        "file:///srv/a|b",
        "file:///srv/a^b",
        "file:///srv/[a",
        "docs://books/{book}/9",
    ] {
        let wire = Wire::modern("resources/read", json!({ "uri": uri }));
        assert_eq!(wire.run(&server()).refusal(), (200, -32602), "{uri}");
    }
}

#[test]
fn r7_subscribing_by_a_request_is_of_no_version() {
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        let params = json!({ "uri": "docs://readme" });
        let seen = Wire::modern(method, params.clone()).run(&server());
        assert_eq!(seen.refusal(), (404, -32601));
        for version in LEGACY {
            let seen = Wire::legacy(version, method, params.clone()).run(&server());
            assert_eq!(seen.refusal(), (200, -32601), "{version}");
        }
    }
}

#[test]
fn d2_resources_are_declared_where_there_are_some() {
    let capabilities = |server: &Server| {
        let result = Wire::modern("server/discover", json!({})).run(server).result();
        result["capabilities"]["resources"].clone()
    };
    assert_eq!(capabilities(&server()), json!({}));
    let none = Server::new("none", "1");
    assert_eq!(capabilities(&none), Value::Null);
    for method in ["resources/list", "resources/templates/list", "resources/read"] {
        let seen = Wire::modern(method, json!({ "uri": "docs://readme" })).run(&none);
        assert_eq!(seen.refusal(), (404, -32601), "{method}");
    }
}

#[test]
fn g2_contents_have_a_policy_of_their_own_or_the_servers() {
    let cache = |uri| {
        let result = read(uri).result();
        (result["ttlMs"].clone(), result["cacheScope"].clone())
    };
    assert_eq!(cache("docs://readme"), (json!(60_000), json!("public")));
    assert_eq!(cache("docs://talks"), (json!(1500), json!("private")));
    let bare = Server::new("bare", "1").resource(Resource::text("a:b", "a", ""));
    let result = Wire::modern("resources/read", json!({ "uri": "a:b" })).run(&bare).result();
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")));
}

#[test]
fn g3_what_was_read_with_answers_is_for_nobody_else() {
    let params = json!({ "uri": "docs://readme", "inputResponses": {} });
    let result = Wire::modern("resources/read", params).run(&server()).result();
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")));
}

#[test]
fn h20_the_uri_is_repeated_in_the_header() {
    let named = |value: &str| {
        let wire = Wire::modern("resources/read", json!({ "uri": "docs://readme" }));
        wire.set("mcp-name", value).run(&server())
    };
    assert_eq!(named("docs://readme").status, 200);
    assert_eq!(named("=?base64?ZG9jczovL3JlYWRtZQ==?=").status, 200, "h22");
    for wrong in ["docs://logo", "DOCS://readme", "=?base64?ZG9jczovL3JlYWRtZQ?=", "readme"] {
        assert_eq!(named(wrong).refusal(), (400, -32020), "h21 {wrong}");
    }
    let missing = Wire::modern("resources/read", json!({ "uri": "docs://none" }));
    let seen = missing.without("mcp-name").run(&server());
    assert_eq!(seen.refusal(), (400, -32020), "before the lookup");
}

#[test]
fn o2_reading_reports_progress_where_it_was_asked_to() {
    let mut meta = modern_meta();
    meta["progressToken"] = json!("t");
    let params = json!({ "uri": "docs://talks", "_meta": meta });
    let events = Wire::modern("resources/read", params).run(&server()).events();
    assert_eq!(events[0]["params"], json!({ "progressToken": "t", "progress": 1.0 }));
    assert_eq!(events[1]["result"]["contents"][0]["text"], "done");
    assert_eq!(read("docs://talks").header("content-type"), Some("application/json"));
}

#[test]
fn r5_validate_names_what_clients_would_refuse() {
    let server = Server::new("bad", "1")
        .resource(Resource::text("readme", "a", ""))
        .resource(Resource::text("a:b", "", "").meta("io.mcp/x", 1))
        .resource(Resource::text("a:b", "b", "").unlisted())
        .resource(Resource::template("a:{x", "c", async |file: File| file.path))
        .resource(
            Resource::template("a:{path}", "d", async |file: File| file.path)
                .complete_from("nothing", &[]),
        );
    let InvalidServer(problems) = server.validate().unwrap_err();
    let expected = [
        "resource `readme`: it is not a URI like docs://readme (RFC 3986)",
        "resource `a:b`: a name is missing",
        "resource `a:b`: `io.mcp/x` is not a key that a server may use in `_meta`",
        "resource `a:{x`: `a:{x`:",
        "resource `a:{path}`: it completes `nothing`, which is no variable of a template",
        "resource `a:b`: there are two of that URI",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
    self::server().validate().unwrap();
}
