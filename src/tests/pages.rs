//! Lists in pages, and how long they may be kept, over whole exchanges.

use std::time::Duration;

use serde_json::{Value, json};

use super::wire::{LEGACY, Seen, Wire};
use crate::{
    Cache, InvalidKeys, List, NoArguments, Prompt, Resource, SealingKeys, Server, Tool, seal,
};

const KEY: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "b://///////////////////////////////////////w8=";

const LISTS: [(&str, &str); 4] = [
    ("tools/list", "tools"),
    ("prompts/list", "prompts"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
];

/// A server of five of each, but for what changes.
fn with(count: u32, keys: fn() -> Result<SealingKeys, InvalidKeys>) -> Server {
    let server = Server::new("pages", "1")
        .sealing_keys(keys)
        .principal(|headers| headers.get("x-subject").map(str::to_owned))
        .page_size(2);
    (0..count).fold(server, |server, at| {
        let (fixed, template) = (format!("docs://{at}"), format!("docs://{at}/{{+rest}}"));
        let name = || at.to_string();
        server
            .tool(Tool::new(name(), async |_: NoArguments| ()).description("x"))
            .prompt(Prompt::new(name(), async |_: NoArguments| "").description("x"))
            .resource(Resource::text(fixed, name(), ""))
            .resource(Resource::template(template, name(), async |_: NoArguments| ""))
    })
}

fn server() -> Server {
    with(5, || SealingKeys::parse(KEY))
}

fn page(server: &Server, method: &str, cursor: Option<&str>) -> Seen {
    let params = cursor.map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
    Wire::modern(method, params).run(server)
}

fn next(result: &Value) -> Option<String> {
    result.get("nextCursor").map(|cursor| cursor.as_str().unwrap().to_owned())
}

fn first_cursor(method: &str) -> String {
    next(&page(&server(), method, None).result()).unwrap()
}

/// The names of all items, page by page.
fn pages(mut turn: impl FnMut(Option<String>) -> Value, member: &str) -> Vec<Vec<String>> {
    let (mut cursor, mut pages) = (None, Vec::new());
    loop {
        let result = turn(cursor);
        let items = result[member].as_array().unwrap();
        let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
        pages.push(items.iter().map(name).collect());
        cursor = next(&result);
        if cursor.is_none() {
            return pages;
        }
    }
}

#[test]
fn g1_every_list_has_pages() {
    for (method, member) in LISTS {
        let modern = |cursor: Option<String>| page(&server(), method, cursor.as_deref()).result();
        assert_eq!(pages(modern, member), [vec!["0", "1"], vec!["2", "3"], vec!["4"]], "{method}");
        for version in LEGACY {
            let legacy = |cursor: Option<String>| {
                let params = cursor.map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
                Wire::legacy(version, method, params).run(&server()).result()
            };
            assert_eq!(pages(legacy, member).concat(), ["0", "1", "2", "3", "4"], "{version}");
        }
    }
}

#[test]
fn g1_a_last_page_that_is_full_is_the_last() {
    let server = with(4, || SealingKeys::parse(KEY));
    let turn = |cursor: Option<String>| page(&server, "tools/list", cursor.as_deref()).result();
    assert_eq!(pages(turn, "tools").len(), 2);
}

#[test]
fn g1_a_cursor_is_opaque_and_never_empty() {
    let cursor = first_cursor("tools/list");
    assert!(cursor.len() > 40, "{cursor}");
    assert_ne!(cursor, first_cursor("tools/list"), "not even two of one place look alike");
}

#[test]
fn g1_a_cursor_that_was_never_given_out_is_refused() {
    let cursor = first_cursor("tools/list");
    let changed = |at: usize| {
        let mut text = cursor.clone().into_bytes();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(text).unwrap()
    };
    let forged = [
        String::new(),
        "2".to_owned(),
        format!("{cursor}A"),
        cursor[..cursor.len() - 1].to_owned(),
        cursor.to_lowercase(),
        changed(0),
        changed(20),
        changed(cursor.len() - 1),
        "A".repeat(1 << 17),
    ];
    for cursor in forged {
        let seen = page(&server(), "tools/list", Some(&cursor));
        assert_eq!(seen.refusal(), (200, -32602), "{cursor:.60}");
        let message = &seen.json()["error"]["message"];
        assert_eq!(message, "Invalid params: unknown cursor; list from the start");
        assert!(seen.log.borrow()[0].starts_with("midge: a cursor was refused"), "the log knows");
    }
    for cursor in [json!(2), json!({})] {
        let seen = Wire::modern("tools/list", json!({ "cursor": cursor })).run(&server());
        assert_eq!(seen.refusal(), (200, -32602), "{cursor}");
    }
}

#[test]
fn g1_a_cursor_is_for_its_list_its_server_its_caller_and_its_time() {
    let cursor = first_cursor("tools/list");
    for (method, _) in &LISTS[1..] {
        let seen = page(&server(), method, Some(&cursor));
        assert_eq!(seen.refusal(), (200, -32602), "{method}");
    }
    let foreign = page(&with(5, || SealingKeys::parse(OTHER)), "tools/list", Some(&cursor));
    assert_eq!(foreign.refusal(), (200, -32602), "another key");
    let changed = page(&with(6, || SealingKeys::parse(KEY)), "tools/list", Some(&cursor));
    assert_eq!(changed.refusal(), (200, -32602), "another list");
    let other = Wire::modern("tools/list", json!({ "cursor": cursor })).header("x-subject", "eve");
    assert_eq!(other.run(&server()).refusal(), (200, -32602), "another caller");
    let purpose: [&[u8]; 4] = [b"cursor", b"pages", b"anonymous", b"tools"];
    let keys = SealingKeys::parse(KEY).unwrap();
    let content = keys.open(&purpose, seal::now(), &cursor).unwrap();
    let expired = keys.seal(&purpose, seal::now(), &content).unwrap();
    assert_eq!(page(&server(), "tools/list", Some(&expired)).refusal(), (200, -32602), "expired");
    let again = keys.seal(&purpose, seal::now() + 60, &content).unwrap();
    assert_eq!(page(&server(), "tools/list", Some(&again)).status, 200, "it was only the time");
}

#[test]
fn g1_a_rotated_key_still_opens() {
    let cursor = first_cursor("tools/list");
    let rotated = with(5, || SealingKeys::parse(&format!("{OTHER} {KEY}")));
    let result = page(&rotated, "tools/list", Some(&cursor)).result();
    assert_eq!(result["tools"][0]["name"], "2");
}

#[test]
fn g1_pages_without_keys_are_the_servers_fault() {
    let server = with(5, || Err(InvalidKeys::Missing));
    let seen = page(&server, "tools/list", None);
    assert_eq!(seen.refusal(), (500, -32603));
    assert!(!seen.body.contains("MIDGE_SEALING_KEYS"), "{}", seen.body);
    assert!(seen.log.borrow()[0].contains("set MIDGE_SEALING_KEYS"), "the log knows");
}

#[test]
fn g1_a_list_of_one_page_knows_no_cursor() {
    let whole = Server::new("whole", "1").resource(Resource::text("a:b", "a", ""));
    assert_eq!(next(&page(&whole, "resources/list", None).result()), None);
    for cursor in ["", "2"] {
        let seen = page(&whole, "resources/list", Some(cursor));
        assert_eq!(seen.refusal(), (200, -32602), "{cursor:?}");
    }
}

fn hints(result: &Value) -> (Value, Value) {
    assert!(result["ttlMs"].is_u64(), "no fraction: {result}");
    (result["ttlMs"].clone(), result["cacheScope"].clone())
}

#[test]
fn g2_nothing_may_be_kept_where_nobody_says_so() {
    let lists = LISTS.iter().map(|(method, _)| *method);
    for method in lists.chain(["server/discover"]) {
        let result = page(&server(), method, None).result();
        assert_eq!(hints(&result), (json!(0), json!("private")), "{method}");
        assert_eq!(page(&server(), method, None).header("cache-control"), Some("no-store"), "g4");
    }
}

#[test]
fn g2_a_list_has_a_policy_of_its_own_or_the_servers() {
    let server = server()
        .cache(Cache::public(Duration::from_secs(60)))
        .list_cache(List::Tools, Cache::public(Duration::from_secs(1)))
        .list_cache(List::Tools, Cache::private(Duration::from_micros(2_500)))
        .list_cache(List::ResourceTemplates, Cache::public(Duration::MAX));
    for (method, expected) in [
        ("tools/list", (json!(2), json!("private"))),
        ("prompts/list", (json!(60_000), json!("public"))),
        ("resources/list", (json!(60_000), json!("public"))),
        ("resources/templates/list", (json!(u64::MAX), json!("public"))),
        ("server/discover", (json!(60_000), json!("public"))),
    ] {
        assert_eq!(hints(&page(&server, method, None).result()), expected, "{method}");
    }
}

#[test]
fn g3_all_pages_of_a_list_have_one_scope() {
    let server = server().list_cache(List::Prompts, Cache::public(Duration::from_secs(5)));
    let mut cursor = None;
    for _ in 0..3 {
        let result = page(&server, "prompts/list", cursor.as_deref()).result();
        assert_eq!(hints(&result), (json!(5000), json!("public")));
        cursor = next(&result);
    }
}
