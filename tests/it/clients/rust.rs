//! The Rust client, `rmcp`, in this very process.

use std::sync::{Arc, Mutex};

use rmcp::{
    ClientHandler, RoleClient,
    model::{CallToolRequestParams, CallToolResult, Implementation, ProgressNotificationParam},
    service::{
        ClientLifecycleMode, ClientServiceExt, NotificationContext, RunningService, ServiceError,
    },
    transport::StreamableHttpClientTransport,
};
use serde_json::{Value, json};
use tokio::process::Child;

use super::report::Report;

type Client = RunningService<RoleClient, Watcher>;

/// Sees progress.
#[derive(Clone, Default)]
struct Watcher {
    progress: Arc<Mutex<Vec<f64>>>,
}

impl ClientHandler for Watcher {
    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.progress.lock().unwrap().push(params.progress);
    }
}

/// Takes the tour over HTTP.
pub(crate) async fn tour(url: &str, lifecycle: ClientLifecycleMode) -> Report {
    let watcher = Watcher::default();
    let transport = StreamableHttpClientTransport::from_uri(url);
    let client = watcher.clone().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    walk(client, &watcher).await
}

/// Takes the tour over the standard streams of a process.
pub(crate) async fn tour_of_process(process: &mut Child, lifecycle: ClientLifecycleMode) -> Report {
    let watcher = Watcher::default();
    let transport = (process.stdout.take().unwrap(), process.stdin.take().unwrap());
    let client = watcher.clone().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    walk(client, &watcher).await
}

/// Does what the scripts in `tests/clients/` do.
async fn walk(client: Client, watcher: &Watcher) -> Report {
    let tools = client.list_all_tools().await.unwrap();
    let counted = called(&client, "count_words", json!({"text": "one two\nthree"})).await;
    let by_zero = called(&client, "divide", json!({"dividend": 1, "divisor": 0})).await;
    let forbidden = called(&client, "fetch", json!({"url": "http://example.com/"})).await;
    let report = Report {
        client: "rmcp".to_owned(),
        version: Implementation::from_build_env().version,
        protocol: client.peer_info().unwrap().protocol_version.to_string(),
        tools: tools.into_iter().map(|tool| tool.name.into_owned()).collect(),
        greet: text(&called(&client, "greet", json!({"name": "Midge"})).await),
        structured: counted.structured_content.unwrap_or_default(),
        countdown: text(&called(&client, "countdown", json!({"seconds": 1})).await),
        quotient: text(&called(&client, "divide", json!({"dividend": 7, "divisor": 2})).await),
        tool_error: error(&by_zero),
        fetch_error: error(&forbidden),
        argument_error: error(&called(&client, "greet", json!({})).await),
        unknown_tool: code(call(&client, "no_such_tool", json!({})).await),
        progress: watcher.progress.lock().unwrap().clone(),
    };
    client.cancel().await.unwrap();
    report
}

async fn call(
    client: &Client,
    tool: &'static str,
    arguments: Value,
) -> Result<CallToolResult, ServiceError> {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await
}

async fn called(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    call(client, tool, arguments).await.unwrap_or_else(|error| panic!("`{tool}`: {error}"))
}

fn text(result: &CallToolResult) -> String {
    result.content.iter().filter_map(|block| Some(&*block.as_text()?.text)).collect()
}

fn error(result: &CallToolResult) -> Option<String> {
    (result.is_error == Some(true)).then(|| text(result))
}

fn code(answer: Result<CallToolResult, ServiceError>) -> Option<i32> {
    match answer {
        Err(ServiceError::McpError(error)) => Some(error.code.0),
        _ => None,
    }
}
