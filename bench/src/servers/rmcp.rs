//! `rmcp`, without sessions, with JSON answers.

use std::{sync::Arc, time::Duration};

use hyper_util::service::TowerToHyperService;
use rmcp::{
    Peer, RoleServer, ServerHandler,
    handler::server::{
        router::tool::{CallToolHandlerExt, ToolRouter},
        wrapper::Parameters,
    },
    model::{ProgressNotificationParam, RequestMetaObject, ServerCapabilities, ServerConfig},
    tool_handler,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};

use super::{GREETS, Greet, greeters};
use crate::workload::Tools;

type Rmcp = TowerToHyperService<StreamableHttpService<Handler, LocalSessionManager>>;

pub(super) fn service(tools: Tools) -> Rmcp {
    // Its SDK makes a handler for each request; the tools need not be made anew.
    let handler = Handler { tools: Arc::new(router(tools)) };
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    TowerToHyperService::new(StreamableHttpService::new(
        move || Ok(handler.clone()),
        Arc::default(),
        config,
    ))
}

#[derive(Clone)]
pub(super) struct Handler {
    tools: Arc<ToolRouter<Self>>,
}

#[tool_handler(router = self.tools)]
impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

fn router(tools: Tools) -> ToolRouter<Handler> {
    match tools {
        Tools::Greeters(count) => greeters(count).fold(ToolRouter::new(), |router, name| {
            router.with_route(greet.name(name).description(GREETS).parameters::<Greet>())
        }),
        Tools::Work => ToolRouter::new()
            .with_route(blob.name("blob").description("Answers with 1 MiB of text."))
            .with_route(steps.name("steps").description("Reports progress 10 times."))
            .with_route(hold.name("hold").description("Reports progress and stays open.")),
    }
}

async fn greet(Parameters(args): Parameters<Greet>) -> String {
    args.greeting()
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
