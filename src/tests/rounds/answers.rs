//! How questions reach clients: as JSON, on a stream, not at all.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{KEY, Name, Request, accept, asked, said, text};
use crate::tests::wire::{LEGACY, Seen, Wire};
use crate::{
    Context, NoArguments, NotAnswered, Outcome, Prompt, PromptMessage, RequestError, Resource,
    SealingKeys, Server, Tool, ToolError,
};

/// What became of handlers.
#[derive(Clone, Default)]
struct Fate {
    started: Rc<Cell<u32>>,
    dropped: Rc<Cell<u32>>,
    deferred: Rc<Cell<u32>>,
}

struct Guard(Rc<Cell<u32>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

async fn name(fate: Fate, context: Context) -> Result<String, NotAnswered> {
    let _guard = Guard(fate.dropped);
    fate.started.set(fate.started.get() + 1);
    let deferred = fate.deferred;
    context.defer(async move { deferred.set(deferred.get() + 1) });
    context.progress(1.0).await;
    let Name { name } = context.elicit("name", "Who?").await?;
    Ok(name)
}

fn server(fate: &Fate) -> Server {
    let tool = |tool_name: &'static str| {
        let fate = fate.clone();
        let run = move |_: NoArguments, context| {
            let name = name(fate.clone(), context);
            async { name.await.map_err(ToolError::from) }
        };
        Tool::with_context(tool_name, run).description("x")
    };
    let (of_prompt, of_resource) = (fate.clone(), fate.clone());
    Server::new("answers", "1")
        .sealing_keys(|| SealingKeys::parse(KEY))
        .tool(tool("asks"))
        .tool(tool("early").early_stream())
        .tool(tool("stubborn").run_to_completion())
        .tool(
            Tool::with_context("roots", async |_: NoArguments, context: Context| {
                context.list_roots("roots").await.map(|_| ()).map_err(ToolError::from)
            })
            .description("x"),
        )
        .prompt(
            Prompt::with_context("asks \u{fc}", move |_: NoArguments, context| {
                let name = name(of_prompt.clone(), context);
                async { Ok::<_, RequestError>(PromptMessage::user(name.await?)) }
            })
            .description("x"),
        )
        .resource(Resource::with_context("asks://me", "me", move |context| {
            let name = name(of_resource.clone(), context);
            async { Ok::<_, RequestError>(name.await?) }
        }))
}

fn requests() -> [Request; 3] {
    [Request::call("asks", json!({})), prompt(), Request::read("asks://me")]
}

fn prompt() -> Request {
    Request::prompt("asks \u{fc}")
}

/// A prompt's name has an umlaut, which a header cannot carry as it is.
fn run(request: &Request, wire: Wire) -> Seen {
    let wire = match request.method {
        "prompts/get" => wire.set("mcp-name", "=?base64?YXNrcyDDvA==?="),
        _ => wire,
    };
    wire.run(&server(&Fate::default()))
}

fn ann() -> Value {
    json!({ "name": accept(json!({ "name": "Ann" })) })
}

/// A request that wants progress.
fn with_progress(request: &Request, input: Value) -> Wire {
    let Request { capabilities, params, method } = request.clone();
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
        "progressToken": "t",
    });
    for (key, value) in input.as_object().unwrap() {
        params[key] = value.clone();
    }
    Wire::modern(method, params)
}

#[test]
fn h18_progress_before_a_question_makes_the_answer_a_stream() {
    for request in requests() {
        let seen = run(&request, with_progress(&request, json!({})));
        assert_eq!(seen.header("content-type"), Some("text/event-stream"));
        let events = seen.events();
        assert_eq!(events.len(), 2, "{}", seen.body);
        assert_eq!(events[0]["method"], "notifications/progress");
        assert_eq!(asked(&events[1]["result"]), ["name"]);
        assert_eq!((seen.outcome, seen.finished), (Outcome::Ok, true));
        let state = &events[1]["result"]["requestState"];
        let input = json!({ "inputResponses": ann(), "requestState": state });
        let seen = run(&request, with_progress(&request, input));
        assert_eq!(seen.events().len(), 2, "progress starts anew: {}", seen.body);
        assert_eq!(seen.result()["resultType"], "complete");
    }
}

#[test]
fn h10_a_client_without_events_is_asked_by_json() {
    for request in requests() {
        let wire = with_progress(&request, json!({})).set("accept", "application/json");
        let seen = run(&request, wire);
        assert_eq!(seen.header("content-type"), Some("application/json"));
        assert_eq!(asked(&seen.result()), ["name"]);
        let wire = request.answer(&seen.result(), ann()).set("accept", "application/json");
        assert_eq!(run(&request, wire).result()["resultType"], "complete");
    }
}

#[test]
fn h10_a_client_without_json_is_asked_by_one_event() {
    for request in requests() {
        let seen = run(&request, request.ask().set("accept", "text/event-stream"));
        assert_eq!(seen.header("content-type"), Some("text/event-stream"));
        assert_eq!(seen.events().len(), 1);
        assert_eq!(asked(&seen.result()), ["name"]);
        let wire = request.answer(&seen.result(), ann()).set("accept", "text/event-stream");
        assert_eq!(run(&request, wire).result()["resultType"], "complete");
    }
}

#[test]
fn h20_h22_every_round_repeats_the_name_in_its_header() {
    let first = run(&prompt(), prompt().ask()).result();
    let plain = prompt().answer(&first, ann()).run(&server(&Fate::default()));
    assert_eq!(plain.refusal(), (400, -32020), "a header of other characters");
    for request in requests() {
        let without = request.ask().without("mcp-name").run(&server(&Fate::default()));
        assert_eq!(without.refusal(), (400, -32020), "{}", request.method);
    }
    let read = Request::read("asks://me");
    let encoded = read.ask().set("mcp-name", "=?base64?YXNrczovL21l?=");
    assert_eq!(asked(&run(&read, encoded).result()), ["name"]);
}

#[test]
fn i3_what_a_client_lacks_is_told_on_a_stream_that_has_begun() {
    let request = Request::call("asks", json!({})).capabilities(json!({}));
    let seen = run(&request, with_progress(&request, json!({})));
    assert_eq!(seen.refusal(), (200, -32021));
    assert_eq!(seen.outcome, Outcome::ProtocolError);
    for accept in ["application/json", "text/event-stream", "*/*"] {
        let seen = run(&request, request.ask().set("accept", accept));
        assert_eq!(seen.refusal(), (400, -32021), "before there is one, by its status: {accept}");
    }
}

#[test]
fn tools_that_start_a_stream_early_ask_on_it() {
    for tool in ["early", "stubborn"] {
        let request = Request::call(tool, json!({}));
        let seen = run(&request, request.ask());
        assert_eq!(seen.writes[0], ": keep-alive\n\n");
        assert_eq!(asked(&seen.result()), ["name"], "{tool}");
        let done = run(&request, request.answer(&seen.result(), ann()));
        assert_eq!(text(&done), said("Ann"), "{tool}");
    }
}

#[test]
fn h28_a_client_may_leave_while_it_is_asked() {
    for tool in ["asks", "early", "stubborn"] {
        let request = Request::call(tool, json!({}));
        for operation in 2.. {
            let fate = Fate::default();
            let wire = with_progress(&request, json!({})).fail_at(operation);
            let seen = wire.run(&server(&fate));
            let started = fate.started.get();
            assert_eq!(fate.dropped.get(), started, "{tool} {operation}: it is let go of");
            assert_eq!(fate.deferred.get(), started, "{tool} {operation}: what it left is done");
            if seen.failures == 0 {
                break;
            }
            assert_eq!(seen.outcome, Outcome::ClientGone, "{tool} {operation}");
        }
    }
}

#[test]
fn a_question_ends_a_handler_before_its_time_is_up() {
    let fate = Fate::default();
    let limited = server(&fate).exchange_timeout(Duration::from_secs(60));
    let seen = Request::call("asks", json!({})).ask().run(&limited);
    assert_eq!(asked(&seen.result()), ["name"]);
    assert_eq!((fate.dropped.get(), fate.deferred.get()), (1, 1));
}

#[test]
fn l_older_clients_are_told_what_it_takes() {
    let reason = "This needs client input, which this server offers only with protocol 2026-07-28";
    for version in LEGACY {
        let legacy = |method: &str, params: Value| {
            Wire::legacy(version, method, params).run(&server(&Fate::default()))
        };
        for tool in ["asks", "early", "stubborn", "roots"] {
            // What is no part of the version means nothing.
            let odd = json!({ "name": tool, "inputResponses": 1, "requestState": 1 });
            let modern = json!({ "name": tool, "inputResponses": ann(), "requestState": "x" });
            for params in [json!({ "name": tool }), odd, modern] {
                let seen = legacy("tools/call", params);
                assert_eq!(text(&seen), (reason.to_owned(), true), "{version} {tool}");
                assert_eq!(seen.outcome, Outcome::ToolError);
                let members: Vec<_> = seen.result().as_object().unwrap().keys().cloned().collect();
                assert_eq!(members, ["content", "isError"], "{version}");
            }
        }
        for request in [prompt(), Request::read("asks://me")] {
            let seen = legacy(request.method, request.params.clone());
            assert_eq!(seen.refusal(), (200, -32603), "{version} {}", request.method);
            assert_eq!(seen.response()["error"]["message"], reason);
        }
    }
}

#[test]
fn l7_a_question_in_a_batch_is_answered_in_its_place() {
    let call = |id: u32, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let batch = json!([
        call(1, "tools/call", json!({ "name": "roots" })),
        call(2, "resources/read", json!({ "uri": "asks://me" })),
        call(3, "ping", json!({})),
    ]);
    let seen = Wire::post(batch.to_string()).run(&server(&Fate::default()));
    let answers = seen.json();
    assert_eq!(answers[0]["result"]["isError"], true);
    assert_eq!(answers[1]["error"]["code"], -32603);
    assert_eq!(answers[2]["result"], json!({}));
}
