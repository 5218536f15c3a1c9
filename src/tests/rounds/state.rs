//! The state that travels through the client: what is wrong with it is an error, and never a new
//! question.

use std::str::from_utf8;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{KEY, Name, OTHER, Request, Seen, accept, asked, said, text};
use crate::{
    Context, InvalidKeys, NoArguments, Prompt, PromptMessage, RequestError, Resource, SealingKeys,
    Server, Tool, ToolError, seal,
};

/// Of no meaning but for what a state is bound to.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "only bound")]
struct Options {
    size: Option<u32>,
    color: Option<String>,
}

async fn greet(_: Options, context: Context) -> Result<String, ToolError> {
    let secret = context.step("secret", async { Ok::<_, ToolError>("sesame".to_owned()) }).await?;
    let Name { name } = context.elicit("name", "Who?").await?;
    Ok(format!("{secret} {name}"))
}

async fn greet_only(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let Name { name } = context.elicit("name", "Who?").await?;
    let Name { name: other } = context.elicit("other", "And who else?").await?;
    Ok(format!("{name} {other}"))
}

async fn hoard(args: Options, context: Context) -> Result<String, ToolError> {
    let size = args.size.unwrap_or_default() as usize;
    let hoard = context.step("hoard", async { Ok::<_, ToolError>("x".repeat(size)) }).await?;
    let Name { name } = context.elicit("name", "Who?").await?;
    Ok(format!("{} {name}", hoard.len()))
}

fn named(name: &str, keys: fn() -> Result<SealingKeys, InvalidKeys>) -> Server {
    Server::new(name, "1")
        .sealing_keys(keys)
        .principal(|headers| headers.get("x-subject").map(str::to_owned))
        .tool(Tool::with_context("greet", greet).description("x"))
        .tool(Tool::with_context("greet2", greet).description("x"))
        .tool(Tool::with_context("greet_only", greet_only).description("x"))
        .tool(Tool::with_context("hoard", hoard).description("x"))
        .prompt(
            Prompt::with_context("greet", async |_: NoArguments, context: Context| {
                let Name { name } = context.elicit("name", "Who?").await?;
                Ok::<_, RequestError>(PromptMessage::user(name))
            })
            .description("x"),
        )
        .resource(Resource::with_context("greet", "greet", async |context: Context| {
            let Name { name } = context.elicit("name", "Who?").await?;
            Ok::<_, RequestError>(name)
        }))
}

fn server() -> Server {
    named("state", || SealingKeys::parse(KEY))
}

fn request() -> Request {
    Request::call("greet", json!({ "size": 1, "color": "red" }))
}

/// The state of a first round, and its answers.
fn state() -> String {
    let first = request().ask().run(&server()).result();
    first["requestState"].as_str().unwrap().to_owned()
}

fn input(state: &str) -> Value {
    let responses = json!({ "name": accept(json!({ "name": "Ann" })) });
    json!({ "inputResponses": responses, "requestState": state })
}

fn answered(state: &str) -> Seen {
    request().with(&input(state)).run(&server())
}

#[track_caller]
fn assert_refused(seen: &Seen, what: &str) {
    assert_eq!(seen.refusal(), (200, -32602), "{what}");
    let message = &seen.json()["error"]["message"];
    assert_eq!(message, "Invalid params: `requestState` is not valid for this request", "{what}");
    let log = seen.log.borrow();
    assert!(log[0].starts_with("midge: a request state was refused: "), "{what}: {log:?}");
}

#[test]
fn i6_a_state_that_was_not_changed_is_taken() {
    assert_eq!(text(&answered(&state())), said("sesame Ann"));
}

#[test]
fn i6_a_state_with_any_character_changed_is_refused() {
    let state = state();
    for at in 0..state.len() {
        let mut changed = state.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_refused(&answered(from_utf8(&changed).unwrap()), &format!("at {at}"));
    }
}

#[test]
fn i6_a_state_that_was_cut_is_refused() {
    let state = state();
    for length in 0..state.len() {
        assert_refused(&answered(&state[..length]), &format!("{length} characters"));
    }
}

#[test]
fn i6_a_state_that_was_added_to_is_refused() {
    let state = state();
    for changed in [
        format!("{state}A"),
        format!("{state}AAAA"),
        format!("{state}="),
        format!("{state}-tampered"),
        format!("A{state}"),
        format!(" {state}"),
        format!("{state}\n"),
        format!("{state}{state}"),
        state.to_uppercase(),
        "\u{fc}".to_owned(),
        "A".repeat(1 << 17),
    ] {
        assert_refused(&answered(&changed), &format!("{changed:.80}"));
    }
}

#[test]
fn i7_a_state_is_for_its_request_only() {
    let (state, arguments) = (state(), || json!({ "size": 1, "color": "red" }));
    let other = |arguments| Request::call("greet", arguments);
    for (what, request) in [
        ("tool", Request::call("greet2", arguments())),
        ("argument", other(json!({ "size": 2, "color": "red" }))),
        ("type", other(json!({ "size": "1", "color": "red" }))),
        ("one less", other(json!({ "size": 1 }))),
        ("one more", other(json!({ "size": 1, "color": "red", "x": null }))),
        ("none", Request::new("tools/call", json!({ "name": "greet" }))),
        ("prompt", Request::prompt("greet")),
        ("resource", Request::read("greet")),
    ] {
        let seen = request.with(&input(&state)).run(&server());
        match what {
            "type" => assert!(text(&seen).1, "the arguments do not fit"),
            _ => assert_refused(&seen, what),
        }
    }
    let turned = r#"{"color":"red","size":1}"#;
    let request = other(serde_json::from_str(turned).unwrap());
    let seen = request.with(&input(&state)).run(&server());
    assert_eq!(text(&seen), said("sesame Ann"), "the same arguments in another order");
}

#[test]
fn i7_a_state_of_a_prompt_is_not_one_of_a_resource() {
    let [prompt, resource] = [Request::prompt("greet"), Request::read("greet")];
    let states = [&prompt, &resource]
        .map(|request| request.ask().run(&server()).result()["requestState"].clone());
    let [of_prompt, of_resource] = states.each_ref().map(|state| input(state.as_str().unwrap()));
    assert_refused(&prompt.with(&of_resource).run(&server()), "of a resource");
    assert_refused(&resource.with(&of_prompt).run(&server()), "of a prompt");
    assert_eq!(prompt.with(&of_prompt).run(&server()).status, 200);
    assert_eq!(resource.with(&of_resource).run(&server()).status, 200);
}

#[test]
fn i7_a_state_is_for_its_caller_only() {
    let by = |subject: &str| request().ask().header("x-subject", subject).run(&server()).result();
    let of_ada = by("ada");
    let input = |asked: &Value| input(asked["requestState"].as_str().unwrap());
    let seen = request().with(&input(&of_ada)).header("x-subject", "ada").run(&server());
    assert_eq!(text(&seen), said("sesame Ann"));
    for subject in ["eve", "", "anonymous"] {
        let seen = request().with(&input(&of_ada)).header("x-subject", subject).run(&server());
        assert_refused(&seen, subject);
    }
    assert_refused(&request().with(&input(&of_ada)).run(&server()), "nobody");
    let of_nobody = request().ask().run(&server()).result();
    let seen = request().with(&input(&of_nobody)).header("x-subject", "anonymous").run(&server());
    assert_refused(&seen, "of nobody");
}

#[test]
fn i7_a_state_expires() {
    let purpose: [&[u8]; 6] = [
        b"request-state",
        b"state",
        b"anonymous",
        b"tools/call",
        b"greet",
        br#"{"color":"red","size":1}"#,
    ];
    let keys = SealingKeys::parse(KEY).unwrap();
    let content = keys.open(&purpose, seal::now() + 14 * 60, &state()).unwrap();
    assert!(keys.open(&purpose, seal::now() + 16 * 60, &state()).is_err(), "minutes");
    let expired = keys.seal(&purpose, seal::now(), &content).unwrap();
    assert_refused(&answered(&expired), "expired");
    let again = keys.seal(&purpose, seal::now() + 60, &content).unwrap();
    assert_eq!(text(&answered(&again)), said("sesame Ann"), "it was only the time");
    let outdated = keys.seal(&purpose, seal::now() + 60, b"{}").unwrap();
    assert_refused(&answered(&outdated), "of another version of the server");
}

#[test]
fn i8_a_state_is_for_its_server_and_its_keys() {
    let with = |server: Server| request().with(&input(&state())).run(&server);
    assert_refused(&with(named("state", || SealingKeys::parse(OTHER))), "another key");
    let same_id = || SealingKeys::parse(&OTHER.replace("b:", "a:"));
    assert_refused(&with(named("state", same_id)), "another key of the same id");
    assert_refused(&with(named("other", || SealingKeys::parse(KEY))), "another server");
    let rotated = || SealingKeys::parse(&format!("{OTHER} {KEY}"));
    assert_eq!(text(&with(named("state", rotated))), said("sesame Ann"), "a rotated key");
}

#[test]
fn i6_a_state_cannot_be_read_by_its_client() {
    let state = URL_SAFE_NO_PAD.decode(state()).unwrap();
    let text = String::from_utf8_lossy(&state);
    for secret in ["sesame", "secret", "name", "rounds"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn z3_a_state_that_is_too_large_is_the_servers_fault() {
    let hoard = |size: u32| Request::call("hoard", json!({ "size": size }));
    let first = hoard(40_000).ask().run(&server()).result();
    let input = input(first["requestState"].as_str().unwrap());
    assert_eq!(text(&hoard(40_000).with(&input).run(&server())), said("40000 Ann"));
    let seen = hoard(70_000).ask().run(&server());
    assert_eq!(seen.refusal(), (500, -32603));
    let log = seen.log.into_inner();
    assert!(log[0].contains("too many to be sealed"), "{log:?}");
}

#[test]
fn without_keys_nothing_is_asked() {
    let server = || named("state", || Err(InvalidKeys::Missing));
    let request = Request::call("greet_only", json!({}));
    for request in [&request, &self::request()] {
        let seen = request.ask().run(&server());
        assert_eq!(seen.refusal(), (500, -32603));
        assert!(!seen.body.contains("MIDGE_SEALING_KEYS"), "{}", seen.body);
        let log = seen.log.into_inner();
        let cause = "midge: internal error: there are no sealing keys: set MIDGE_SEALING_KEYS; \
                     `midge key` makes one";
        assert_eq!(log, [cause]);
    }
    let both = json!({ "inputResponses": {
        "name": accept(json!({ "name": "Ann" })),
        "other": accept(json!({ "name": "Bob" })),
    } });
    let seen = request.with(&both).run(&server());
    assert_eq!(text(&seen), said("Ann Bob"), "where nothing is to be asked, none is needed");
    assert_refused(&request.with(&input("AAAA")).run(&server()), "a state from nowhere");
}

#[test]
fn i5_answers_that_nobody_has_asked_for_do_not_travel() {
    let request = Request::call("greet_only", json!({}));
    let stranger = json!({ "inputResponses": { "x": { "a": "b".repeat(70_000) } } });
    let first = request.with(&stranger).run(&server()).result();
    assert_eq!(asked(&first), ["name"]);
    assert!(first["requestState"].as_str().unwrap().len() < 1000);
}

#[test]
fn z3_answers_that_are_too_large_are_the_clients_fault() {
    let request = Request::call("greet_only", json!({}));
    let first = request.ask().run(&server()).result();
    let name = |size: usize| json!({ "name": accept(json!({ "name": "A".repeat(size) })) });
    let second = request.answer(&first, name(30_000)).run(&server()).result();
    assert_eq!(asked(&second), ["other"]);
    let seen = request.answer(&first, name(40_000)).run(&server());
    assert_eq!(seen.refusal(), (200, -32602));
    assert!(seen.log.into_inner().is_empty());
}

#[test]
fn i8_keys_that_are_none_are_not_the_same_as_no_keys() {
    let server = named("state", || SealingKeys::parse("nonsense"));
    let seen = Request::call("greet_only", json!({})).ask().run(&server);
    assert_eq!(seen.refusal(), (500, -32603));
    assert!(!seen.body.contains("key"), "{}", seen.body);
}
