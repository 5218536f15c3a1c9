//! The life of an exchange, from its head to the last byte of its answer.

use std::rc::Rc;

use super::accept::Accepts;
use super::answer::{self, Writer};
use super::head::{self, Admitted, RequestHead};
use super::message::{Reader, Work};
use super::record::Record;
use super::reply::Reply;
use super::status::Refusal;
use super::transport::{ClientGone, Io, Transport, within};
use crate::context::Context;
use crate::outcome::Outcome;
use crate::protocol::jsonrpc::RequestId;
use crate::server::Server;

/// Answers one exchange, and runs what its handlers left for afterwards.
///
/// Cannot fail: whatever happens is an [`Outcome`].
pub(crate) async fn serve<T: Transport>(
    server: &Server,
    request: RequestHead,
    transport: &mut T,
) -> Outcome {
    serve_leaving(server, request, transport, &mut Vec::new()).await
}

/// The same, with the contexts of its handlers in the caller's hands: what they left for afterwards
/// can then be run also when this future is dropped, see [`cancelled`].
pub(crate) async fn serve_leaving<T: Transport>(
    server: &Server,
    request: RequestHead,
    transport: &mut T,
    contexts: &mut Vec<Context>,
) -> Outcome {
    let outcome = match exchange(server, request, transport, contexts).await {
        Io::Continue(outcome) => outcome,
        Io::Break(gone) => {
            client_gone(transport, contexts, &gone);
            Outcome::ClientGone
        }
    };
    run_deferred(server, transport, contexts).await;
    outcome
}

/// What is left to do for an exchange whose host has cancelled it, after its future was dropped.
#[cfg(all(target_family = "wasm", feature = "p3"))]
pub(crate) async fn cancelled<T: Transport>(
    server: &Server,
    transport: &mut T,
    contexts: &[Context],
) {
    client_gone(transport, contexts, &ClientGone::new("cancelled by the host"));
    run_deferred(server, transport, contexts).await;
}

fn client_gone<T: Transport>(transport: &mut T, contexts: &[Context], gone: &ClientGone) {
    // First the reason: to a host that does not know it, a body let go of looks broken.
    transport.log(&format!("midge: client-gone: {}", gone.cause));
    transport.abandon();
    contexts.iter().for_each(|context| context.outbox().cancel());
}

async fn exchange<T: Transport>(
    server: &Server,
    mut request: RequestHead,
    transport: &mut T,
    contexts: &mut Vec<Context>,
) -> Io<Outcome> {
    let mut record = Record::default();
    let both = Accepts { json: true, events: true };
    let Admitted { accepts, origin } = match head::check(&request, server.settings()) {
        Ok(admitted) => admitted,
        Err((reply, origin)) => {
            return Writer::new(transport, both, origin, &record).reply(reply).await;
        }
    };
    let body = match read_body(transport, server.settings().max_body).await {
        Io::Continue(Ok(body)) => body,
        Io::Continue(Err(refusal)) => {
            let reply = refusal.into_reply();
            return Writer::new(transport, accepts, origin, &record).reply(reply).await;
        }
        Io::Break(gone) => {
            let reply =
                Reply { outcome: Outcome::ClientGone, ..Refusal::BodyIncomplete.into_reply() };
            // A client that closed only its sending side still reads this; no other is there to.
            let _ = Writer::new(transport, accepts, origin, &record).reply(reply).await;
            return Io::Break(gone);
        }
    };
    let headers = Rc::new(std::mem::take(&mut request.headers));
    let mut blame = |request: &RequestId| transport.blame(Some(request));
    let mut reader = Reader { server, headers: &headers, record: &mut record, blame: &mut blame };
    let work = reader.read(&body);
    drop(body);
    let mut writer = Writer::new(transport, accepts, origin, &record);
    match work {
        Work::Reply(reply) => writer.reply(reply).await,
        Work::Jobs { jobs, batch, modern } => {
            answer::run(server, &mut writer, jobs, contexts).await?;
            let limit = server.settings().time_limit.map(|limit| writer.transport().wait(limit));
            within(limit, writer.finish(batch, modern)).await
        }
    }
}

/// Reads the body to its end or to the limit.
async fn read_body<T: Transport>(transport: &mut T, limit: usize) -> Io<Result<Vec<u8>, Refusal>> {
    let mut body = Vec::new();
    while let Some(piece) = transport.read().await? {
        if body.len() + piece.len() > limit {
            return Io::Continue(Err(Refusal::BodyTooLarge { limit }));
        }
        // Most bodies are one piece, which need not be copied.
        if body.is_empty() { body = piece } else { body.extend_from_slice(&piece) }
    }
    Io::Continue(Ok(body))
}

/// Runs what handlers left for afterwards, all of it together within the limit.
async fn run_deferred<T: Transport>(server: &Server, transport: &T, contexts: &[Context]) {
    let mut deferred: Vec<_> = contexts.iter().flat_map(Context::take_deferred).collect();
    if deferred.is_empty() {
        return;
    }
    let work = async {
        for work in &mut deferred {
            work.await;
        }
        true
    };
    let limit = transport.wait(server.settings().defer_limit);
    let done = futures_lite::future::or(work, async {
        limit.await;
        false
    });
    if !done.await {
        transport.log("midge: deferred work was cut: it took longer than the server's limit");
    }
}
