//! `rmcp`, without sessions, with JSON answers: as its documentation writes a server, with a macro
//! that makes the router anew for each request, and tuned, with a router that is made once.

use std::{sync::Arc, time::Duration};

use hyper_util::service::TowerToHyperService;
use rmcp::{
    Peer, RoleServer, ServerHandler,
    handler::server::{
        router::tool::{CallToolHandlerExt, ToolRouter},
        wrapper::Parameters,
    },
    model::{ProgressNotificationParam, RequestMetaObject, ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};

use super::{GREETS, Greet, greeters};
use crate::workload::Tools;

type Rmcp<H> = TowerToHyperService<StreamableHttpService<H, LocalSessionManager>>;

/// The server with one tool as the documentation would have it.
pub(super) fn documented() -> Rmcp<Documented> {
    service(Documented)
}

/// A server that makes its tools once.
pub(super) fn tuned(tools: Tools) -> Rmcp<Tuned> {
    service(Tuned { tools: Arc::new(router(tools)) })
}

fn service<H: ServerHandler + Clone>(handler: H) -> Rmcp<H> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let handlers = move || Ok(handler.clone());
    TowerToHyperService::new(StreamableHttpService::new(handlers, Arc::default(), config))
}

#[derive(Clone)]
pub(super) struct Documented;

#[tool_router(server_handler)]
impl Documented {
    #[tool(description = "Greets someone by name.")]
    async fn greet(&self, Parameters(args): Parameters<Greet>) -> String {
        args.greeting()
    }
}

#[derive(Clone)]
pub(super) struct Tuned {
    tools: Arc<ToolRouter<Self>>,
}

#[tool_handler(router = self.tools)]
impl ServerHandler for Tuned {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

fn router(tools: Tools) -> ToolRouter<Tuned> {
    match tools {
        Tools::Greeters(count) => greeters(count).fold(ToolRouter::new(), |router, name| {
            router.with_route(greet.name(name).description(GREETS).parameters::<Greet>())
        }),
        Tools::Work => ToolRouter::new()
            .with_route(variable.name("variable").description("Reads an environment variable."))
            .with_route(blob.name("blob").description("Answers with 1 MiB of text."))
            .with_route(steps.name("steps").description("Reports progress 10 times."))
            .with_route(hold.name("hold").description("Reports progress and stays open.")),
    }
}

async fn greet(Parameters(args): Parameters<Greet>) -> String {
    args.greeting()
}

async fn variable() -> String {
    super::variable()
}

async fn blob() -> String {
    "x".repeat(1 << 20)
}

async fn steps(meta: RequestMetaObject, client: Peer<RoleServer>) -> String {
    for step in 1..=10 {
        progress(&meta, &client, step).await;
    }
    "Done.".to_owned()
}

async fn hold(meta: RequestMetaObject, client: Peer<RoleServer>) -> String {
    progress(&meta, &client, 0).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    "Done.".to_owned()
}

async fn progress(meta: &RequestMetaObject, client: &Peer<RoleServer>, step: u8) {
    let Some(token) = meta.get_progress_token() else { return };
    let progress = ProgressNotificationParam::new(token, step.into());
    let progress = progress.with_total(10.0).with_message("Working");
    // Whether the client has it is for the client to check.
    let _ = client.notify_progress(progress).await;
}
