//! The native contestants. They run in processes of their own, behind one and the same accept
//! loop, so that what differs is the SDK.

mod fixed;
mod rmcp;
mod tower_mcp;

use std::{error::Error, net::Ipv4Addr};

use clap::ValueEnum;
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    service::Service,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::net::TcpListener;

use crate::{error::BenchError, workload::Tools};

pub(crate) use fixed::ANSWER;

/// A server that is part of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Native {
    /// Reads the body, and answers with 200 bytes that are always the same.
    Hyper,
    /// The official SDK, as its documentation has it; with one tool, whatever is asked for.
    Rmcp,
    /// The official SDK, with a router that is made once.
    RmcpTuned,
    /// An SDK on tower and axum.
    TowerMcp,
}

/// The argument of every tool, as in the example `hello`.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct Greet {
    /// Who to greet.
    name: String,
}

impl Greet {
    fn greeting(&self) -> String {
        format!("Hello, {}!", self.name)
    }
}

const GREETS: &str = "Greets someone by name.";

/// The names of the tools that greet.
fn greeters(count: usize) -> impl Iterator<Item = String> {
    std::iter::once("greet".to_owned()).chain((1..count).map(|number| format!("greet_{number}")))
}

/// The answer of the tool that reads an environment variable.
fn variable() -> String {
    std::env::var("MIDGE_BENCH").unwrap_or("unset".to_owned())
}

/// Serves until it is killed.
pub(crate) async fn serve(native: Native, tools: Tools, port: u16) -> Result<(), BenchError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    match native {
        Native::Hyper => accept(listener, fixed::service()).await,
        Native::Rmcp => accept(listener, rmcp::documented()).await,
        Native::RmcpTuned => accept(listener, rmcp::tuned(tools)).await,
        Native::TowerMcp => accept(listener, tower_mcp::service(tools)).await,
    }
}

async fn accept<S, B>(listener: TcpListener, service: S) -> Result<(), BenchError>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    loop {
        let (socket, _) = listener.accept().await?;
        // Without it, answers in several pieces wait 40 ms for the client's acknowledgement.
        socket.set_nodelay(true)?;
        let service = service.clone();
        tokio::spawn(async move {
            let http = auto::Builder::new(TokioExecutor::new());
            // A client that leaves between two rounds is no news.
            let _ = http.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
