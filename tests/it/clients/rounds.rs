//! Modern clients that answer what tools and prompts ask of their users, models and folders.
#![expect(deprecated, reason = "sampling and roots are in force until a version without them")]

use std::sync::{Arc, Mutex};

use midge_host::Config;
use midge_tests::{Serving, config, guests};
use rmcp::{
    ClientHandler, ErrorData, RoleClient,
    model::{
        CallToolRequestParams, ClientCapabilities, ClientInfo, CreateMessageRequestParams,
        CreateMessageResult, ElicitRequestParams, ElicitResult, ElicitationAction,
        GetPromptRequestParams, Implementation, ListRootsResult, ReadResourceRequestParams, Root,
        SamplingMessage,
    },
    service::{ClientServiceExt, RequestContext, RunningService},
    transport::StreamableHttpClientTransport,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{MODERN, TOUR, available, modern, node, reported, tell};
use crate::{hosts::Wasmtime, sealing};

/// What a client saw; the script prints it as JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    protocol: String,
    /// A prompt that asks the user.
    prompt: String,
    /// Tools that ask: the user, twice the user, the user after a step, the model, the client
    /// itself, and all of them at once.
    elicitation: String,
    rounds: String,
    state: String,
    sampling: String,
    roots: String,
    together: String,
    /// A resource, and one of a template.
    resource: String,
    record: String,
    completion: Vec<String>,
    /// The tool with two questions, to a user who declines.
    declined: String,
    /// What the user and the model were asked, in this order, but for what was asked at once.
    asked: Vec<String>,
}

impl Seen {
    fn check(&self) {
        assert_eq!(self.protocol, MODERN, "{self:#?}");
        assert_eq!(self.prompt, "Prompt with context: the weather", "{self:#?}");
        assert_eq!(self.elicitation, "Hello, Ada!", "{self:#?}");
        assert_eq!(self.rounds, "Ada likes green.", "{self:#?}");
        assert_eq!(self.state, "state-ok, confirmed: true", "{self:#?}");
        assert_eq!(self.sampling, "Paris", "{self:#?}");
        assert_eq!(self.roots, "Roots: file:///work", "{self:#?}");
        assert_eq!(self.together, "Paris Ada, 1 roots", "{self:#?}");
        assert!(self.resource.contains("static text"), "{self:#?}");
        assert!(self.record.contains("Data for ID: 7"), "{self:#?}");
        assert_eq!(self.completion, ["paris", "party"], "{self:#?}");
        assert_eq!(self.declined, "error: The user declined `step1`", "{self:#?}");
        let mut asked = self.asked.clone();
        asked[6..8].sort();
        let expected = [
            "What context should the prompt use?",
            "What is your name?",
            "Step 1: What is your name?",
            "Step 2: What is your favorite color?",
            "Please confirm",
            "What is the capital of France?",
            "Generate a greeting",
            "What is your name?",
            "Step 1: What is your name?",
        ];
        assert_eq!(asked, expected, "each question once: {self:#?}");
    }
}

async fn serving() -> Serving {
    let env = vec![sealing::variable(&[sealing::OLD])];
    Serving::with(Config { env, ..config() }, guests::CONFORMANCE).await
}

/// A client whose user, model and folders answer.
#[derive(Clone, Default)]
struct Answering(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    asked: Vec<String>,
    declines: bool,
}

impl ClientHandler for Answering {
    fn get_info(&self) -> ClientInfo {
        let capabilities = json!({"elicitation": {}, "sampling": {}, "roots": {}});
        let capabilities: ClientCapabilities = serde_json::from_value(capabilities).unwrap();
        ClientInfo::new(capabilities, Implementation::from_build_env())
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } = request
        else {
            panic!("a form is asked for, not {request:?}");
        };
        let mut state = self.0.lock().unwrap();
        state.asked.push(message);
        if state.declines {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        }
        let typed = json!({"name": "Ada", "color": "green", "ok": true, "context": "the weather"});
        let fields = requested_schema.properties.keys();
        let content: Map<_, _> =
            fields.map(|field| (field.clone(), typed[field].clone())).collect();
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(content.into()))
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let message = serde_json::to_value(&params.messages[0]).unwrap();
        let text = message["content"]["text"].as_str().expect("a text").to_owned();
        self.0.lock().unwrap().asked.push(text);
        Ok(CreateMessageResult::new(SamplingMessage::assistant_text("Paris"), "atlas".to_owned()))
    }

    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![Root::new("file:///work")]))
    }
}

type Client = RunningService<RoleClient, Answering>;

async fn call(client: &Client, scenario: &str) -> String {
    let name = format!("test_input_required_result_{scenario}");
    let result = client.call_tool(CallToolRequestParams::new(name)).await;
    let result = result.unwrap_or_else(|error| panic!("{scenario}: {error}"));
    let text = result.content[0].as_text().expect("a text");
    let error = if result.is_error == Some(true) { "error: " } else { "" };
    format!("{error}{}", text.text)
}

async fn read(client: &Client, uri: &str) -> String {
    let result = client.read_resource(ReadResourceRequestParams::new(uri)).await.unwrap();
    text(&serde_json::to_value(result).unwrap()["contents"][0])
}

fn text(value: &Value) -> String {
    value["text"].as_str().unwrap_or_else(|| panic!("no text in {value}")).to_owned()
}

async fn rust_sees(url: &str) -> Seen {
    let answering = Answering::default();
    let transport = StreamableHttpClientTransport::from_uri(url);
    let client = answering.clone().serve_with_lifecycle(transport, modern()).await.unwrap();
    let prompt = GetPromptRequestParams::new("test_input_required_result_prompt");
    let prompt = serde_json::to_value(client.get_prompt(prompt).await.unwrap()).unwrap();
    let completed = client
        .complete_prompt_argument("test_prompt_with_arguments", "arg1", "par", None)
        .await
        .unwrap();
    let mut seen = Seen {
        protocol: client.peer_info().unwrap().protocol_version.to_string(),
        prompt: text(&prompt["messages"][0]["content"]),
        elicitation: call(&client, "elicitation").await,
        rounds: call(&client, "multi_round").await,
        state: call(&client, "request_state").await,
        sampling: call(&client, "sampling").await,
        roots: call(&client, "list_roots").await,
        together: call(&client, "multiple_inputs").await,
        resource: read(&client, "test://static-text").await,
        record: read(&client, "test://template/7/data").await,
        completion: completed.values,
        declined: String::new(),
        asked: Vec::new(),
    };
    answering.0.lock().unwrap().declines = true;
    seen.declined = call(&client, "multi_round").await;
    seen.asked = answering.0.lock().unwrap().asked.clone();
    client.cancel().await.unwrap();
    seen
}

#[tokio::test]
async fn rust() {
    let serving = serving().await;
    let seen = tokio::time::timeout(TOUR, rust_sees(&serving.url())).await;
    seen.expect("the rounds end").check();
    serving.assert_noise(0, 0);
    tell("rmcp, asked in between: ok");
}

#[tokio::test]
async fn typescript() {
    let client = "@modelcontextprotocol/client";
    let Some(mut program) = available(client, node::client("rounds.mjs").await) else { return };
    let serving = serving().await;
    let seen: Seen = reported(client, program.arg(serving.url())).await;
    seen.check();
    serving.assert_noise(0, 0);
    tell(&format!("{client}, asked in between: ok"));
}

#[tokio::test]
async fn rust_with_wasmtime() {
    let env = sealing::variable(&[sealing::OLD]);
    let Some(serving) = Wasmtime::serve_with(guests::CONFORMANCE, &[&env]).await else { return };
    let url = format!("http://{}/mcp", serving.addr());
    tokio::time::timeout(TOUR, rust_sees(&url)).await.expect("the rounds end").check();
    tell("rmcp, asked in between under wasmtime serve: ok");
}
