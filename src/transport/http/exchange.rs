//! The life of an exchange, from its head to the last byte of its response.

use midge_contract::{CLIENT_GONE, LOG_PREFIX, MetadataWriter, Outcome};

use super::accept::Accepts;
use super::admission::{self, Admitted};
use super::head::RequestHead;
use super::reply::Reply;
use super::status::{self, Refusal};
use super::transport::{ClientGone, Flow, Transport, within};
use super::writer::{self, Writer};
use crate::handler::context::Context;
use crate::handler::panic_attribution::PanicAttribution;
use crate::rpc::dispatch::Dispatched;
use crate::rpc::peer::PeerContext;
use crate::rpc::run::{DEFERRED_WORK_CUT, run_deferred};
use crate::rpc::{
    message::{Reader, Work},
    request::Refused,
};
use crate::server::Server;

/// Answers one exchange, and runs what its handlers left for afterwards.
///
/// Cannot fail: whatever happens is an [`Outcome`].
pub(crate) async fn serve<T: Transport>(
    server: &Server,
    request: RequestHead,
    transport: &mut T,
) -> Outcome {
    serve_with_contexts(server, request, transport, &mut Vec::new()).await
}

/// The same, with the contexts of its handlers in the caller's hands: what they left for afterwards
/// can then be run also when this future is dropped, see [`cancelled`].
pub(crate) async fn serve_with_contexts<T: Transport>(
    server: &Server,
    request: RequestHead,
    transport: &mut T,
    contexts: &mut Vec<Context>,
) -> Outcome {
    let mut end = exchange(server, request, transport, contexts).await;
    if end.is_continue() {
        let nothing_left = !contexts.iter().any(Context::has_deferred);
        let limit = server.settings().exchange_timeout.map(|limit| transport.wait(limit));
        if let Flow::Break(gone) = within(limit, transport.release(nothing_left)).await {
            end = Flow::Break(gone);
        }
    }
    let outcome = match end {
        Flow::Continue(outcome) => outcome,
        Flow::Break(gone) => {
            client_gone(transport, contexts, &gone);
            Outcome::ClientGone
        }
    };
    finish_deferred(server, transport, contexts).await;
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
    finish_deferred(server, transport, contexts).await;
}

async fn finish_deferred<T: Transport>(server: &Server, transport: &T, contexts: &[Context]) {
    if !contexts.iter().any(Context::has_deferred) {
        return;
    }
    let limit = server.settings().defer_timeout;
    if !run_deferred(contexts, limit, &transport.clock()).await {
        transport.log(&[LOG_PREFIX, DEFERRED_WORK_CUT].concat());
    }
}

fn client_gone<T: Transport>(transport: &mut T, contexts: &[Context], gone: &ClientGone) {
    // First the reason: to a host that does not know it, a body let go of looks broken.
    transport.log(&[CLIENT_GONE, ": ", &gone.cause].concat());
    transport.abandon();
    contexts.iter().for_each(|context| context.outbox().cancel());
}

async fn exchange<T: Transport>(
    server: &Server,
    request: RequestHead,
    transport: &mut T,
    contexts: &mut Vec<Context>,
) -> Flow<Outcome> {
    let (attribution, mut metadata) = (transport.panic_attribution(), MetadataWriter::default());
    let (Admitted { accepts, origin }, prepared) =
        prepare(server, request, transport, &attribution, &mut metadata).await;
    let mut writer = Writer::new(transport, accepts, origin, metadata);
    let (reply, cut) = match prepared {
        Prepared::Jobs { jobs, batch, modern } => {
            writer::run(server, &mut writer, &attribution, jobs, contexts).await?;
            let limit =
                server.settings().exchange_timeout.map(|limit| writer.transport().wait(limit));
            return within(limit, writer.finish(batch, modern)).await;
        }
        Prepared::Reply(reply) => (reply, None),
        Prepared::Cut(gone) => {
            let refusal = Refusal::BodyIncomplete.into_reply();
            (Reply { outcome: Outcome::ClientGone, ..refusal }, Some(gone))
        }
    };
    let replied = writer.reply(reply).await;
    let Some(gone) = cut else { return replied };
    // A client that closed only its sending side still reads this; no other is there to.
    if replied.is_continue() {
        let _ = writer.transport().release(false).await;
    }
    Flow::Break(gone)
}

/// What a request comes to before any handler runs.
enum Prepared {
    Reply(Reply),
    /// Its body ended too soon.
    Cut(ClientGone),
    Jobs {
        jobs: Vec<Dispatched>,
        batch: bool,
        modern: bool,
    },
}

/// Checks a request, reads it, and says how it may be answered.
async fn prepare<T: Transport>(
    server: &Server,
    request: RequestHead,
    transport: &mut T,
    attribution: &PanicAttribution,
    metadata: &mut MetadataWriter,
) -> (Admitted, Prepared) {
    let admitted = match admission::check(&request, server.settings()) {
        Ok(admitted) => admitted,
        Err((reply, origin)) => {
            return (Admitted { accepts: Accepts::BOTH, origin }, Prepared::Reply(reply));
        }
    };
    let body = match read_body(transport, server.settings().max_body).await {
        Flow::Continue(Ok(body)) => body,
        Flow::Continue(Err(refusal)) => return (admitted, Prepared::Reply(refusal.into_reply())),
        Flow::Break(gone) => return (admitted, Prepared::Cut(gone)),
    };
    let peer = PeerContext::by_request(request.headers);
    let mut reader =
        Reader { server, peer: &peer, attribution, observer: None, metadata: Some(metadata) };
    let prepared = match reader.read(&body) {
        Work::Nothing => Prepared::Reply(status::accepted()),
        Work::Refused(Refused { response, modern }) => {
            Prepared::Reply(status::reply_to(response, modern))
        }
        Work::Jobs { jobs, batch, modern } => Prepared::Jobs { jobs, batch, modern },
    };
    (admitted, prepared)
}

/// Reads the body to its end or to the limit.
async fn read_body<T: Transport>(
    transport: &mut T,
    limit: usize,
) -> Flow<Result<Vec<u8>, Refusal>> {
    let mut body = Vec::new();
    while let Some(piece) = transport.read().await? {
        if body.len() + piece.len() > limit {
            return Flow::Continue(Err(Refusal::BodyTooLarge { limit }));
        }
        // Most bodies are one piece, which need not be copied.
        if body.is_empty() { body = piece } else { body.extend_from_slice(&piece) }
    }
    Flow::Continue(Ok(body))
}
