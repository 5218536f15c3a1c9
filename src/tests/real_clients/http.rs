//! What clients send around a message, and what they can read of a refusal.

use serde_json::json;

use super::{message, server, text};
use crate::tests::wire::{LEGACY, Seen, Wire, modern_meta};
use crate::transport::http::Method;
use crate::{Cors, Outcome, Server, Version};

#[test]
fn a1_a_version_that_is_sent_twice_counts_once() {
    let legacy = |header: &str| Wire::legacy(header, "ping", json!({})).run(&server());
    for header in ["2025-11-25, 2025-11-25", "2025-11-25,2025-06-18", "1999-01-01, 2025-06-18"] {
        assert_eq!(legacy(header).result(), json!({}), "{header}");
    }
    let lines =
        Wire::legacy("2025-11-25", "ping", json!({})).header("mcp-protocol-version", "2025-11-25");
    assert_eq!(lines.run(&server()).result(), json!({}));
    let initialize =
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {} });
    let initialize = Wire::legacy("2025-06-18, 2025-06-18", "initialize", initialize);
    assert_eq!(initialize.run(&server()).result()["protocolVersion"], "2025-06-18");
    let modern = |header: &str| {
        Wire::modern("tools/list", json!({})).set("mcp-protocol-version", header).run(&server())
    };
    assert_eq!(modern("2026-07-28, 2026-07-28").status, 200);
    for differing in ["2026-07-28, 2025-11-25", "2025-11-25, 2026-07-28", "2026-07-28,"] {
        assert_eq!(modern(differing).refusal(), (400, -32020), "{differing}");
    }
}

#[test]
fn a1_other_headers_that_are_sent_twice_count_once() {
    let call = || Wire::call("none", json!({}));
    for wire in [
        call().header("mcp-method", "tools/call").header("mcp-name", "none"),
        call().set("mcp-method", "tools/call, tools/call").set("mcp-name", "none,none"),
        call().header("content-type", "application/json; charset=utf-8"),
        call().set("content-type", "application/json, application/json;charset=utf-8"),
        call().set("content-type", "application/json; profile=\"a,b\""),
    ] {
        assert_eq!(text(&wire.run(&server())), "called");
    }
    for (header, value) in [("mcp-method", "tools/list"), ("mcp-name", "map")] {
        assert_eq!(
            call().header(header, value).run(&server()).refusal(),
            (400, -32020),
            "{header}"
        );
    }
    for value in ["text/plain, application/json", "json", ""] {
        let seen = call().set("content-type", value).run(&server());
        assert_eq!(seen.status, 415, "{value}");
    }
}

#[test]
fn a1_an_unknown_version_is_answered_by_those_that_the_request_could_have_named() {
    let supported = |seen: &Seen| seen.json()["error"]["data"]["supported"].clone();
    let all = json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]);
    let header = |method: &str| Wire::legacy("1999-01-01", method, json!({})).run(&server());
    assert_eq!(supported(&header("tools/list")), all);
    let legacy: Vec<_> = LEGACY.into_iter().rev().collect();
    assert_eq!(supported(&header("initialize")), json!(legacy));
    let mut meta = modern_meta();
    meta["io.modelcontextprotocol/protocolVersion"] = json!("1999-01-01");
    let named = Wire::modern("tools/list", json!({ "_meta": meta }));
    let named = named.set("mcp-protocol-version", "1999-01-01").run(&server());
    assert_eq!(supported(&named), json!(Version::MODERN), "metadata is modern");
}

#[test]
fn a7_the_endpoint_may_end_with_a_slash() {
    let at = |path: &str, server: &Server| {
        let mut wire = Wire::call("none", json!({}));
        wire.head.path = path.to_owned();
        wire.run(server).status
    };
    for (endpoint, found, lost) in [
        ("/mcp", &["/mcp", "/mcp/"][..], &["/", "/mcp//", "/mcp/x", "/MCP"][..]),
        ("/a/b/", &["/a/b", "/a/b/"], &["/a", "/a/b/c"]),
        ("/", &["/"], &["/mcp", "//"]),
    ] {
        let server = server().endpoint(endpoint);
        for path in found {
            assert_eq!(at(path, &server), 200, "{path} of {endpoint}");
        }
        for path in lost {
            assert_eq!(at(path, &server), 404, "{path} of {endpoint}");
        }
    }
}

#[test]
fn b4_every_answer_to_an_allowed_origin_may_be_read() {
    let origin = "https://app.example.com";
    let post = || Wire::call("none", json!({})).header("origin", origin);
    let get = || {
        let mut wire = post();
        wire.head.method = Method::Other;
        wire
    };
    let lost = || {
        let mut wire = get();
        wire.head.path = "/".to_owned();
        wire
    };
    let breaks = || Wire::call("breaks", json!({})).header("origin", origin);
    let large = || Wire::post(vec![b' '; (4 << 20) + 1]).header("origin", origin);
    let answers: [(u16, &dyn Fn() -> Wire); 10] = [
        (200, &post),
        (405, &get),
        (404, &lost),
        (500, &breaks),
        (413, &large),
        (400, &|| post().set("mcp-name", "map")),
        (406, &|| post().set("accept", "image/png")),
        (415, &|| post().set("content-type", "text/plain")),
        (415, &|| post().header("content-encoding", "gzip")),
        (431, &|| post().header("x-big", &"x".repeat(40_000))),
    ];
    for (status, wire) in answers {
        let seen = wire().run(&server());
        assert_eq!(seen.status, status);
        assert_eq!(seen.header("access-control-allow-origin"), Some(origin), "{status}");
        assert_eq!(seen.header("vary"), Some("origin"), "{status}");
        let seen = wire().set("origin", "https://evil.example.com").run(&server());
        assert_eq!(seen.header("access-control-allow-origin"), None, "{status}");
        let seen = wire().run(&server().cors(Cors::off()));
        assert_eq!(seen.header("access-control-allow-origin"), None, "{status}");
    }
}

#[test]
fn d6_a_coded_body_is_refused_before_it_is_read() {
    for coding in ["gzip", "br", "identity, gzip", "x-unknown", "caf\u{e9}"] {
        // Reading the body would fail.
        let wire = Wire::call("none", json!({})).header("content-encoding", coding);
        let seen = wire.run(&server());
        assert_eq!((seen.status, seen.outcome), (415, Outcome::Rejected), "{coding}");
        assert_eq!(seen.header("accept-encoding"), Some("identity"), "{coding}");
        assert_eq!(message(&seen), "Invalid request: Content-Encoding must be identity");
    }
    for coding in ["identity", "Identity"] {
        let seen = Wire::call("none", json!({})).header("content-encoding", coding).run(&server());
        assert_eq!(text(&seen), "called", "{coding}");
    }
}
