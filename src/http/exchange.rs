//! The life of an exchange, from its head to the last byte of its answer.

use super::accept::Accepts;
use super::answer::{self, Writer};
use super::head::{self, Admitted, RequestHead};
use super::reply::Reply;
use super::status::{self, Refusal};
use super::transport::{ClientGone, Io, Transport, within};
use crate::context::Context;
use crate::delivery::Delivery;
use crate::message::{Observer, Reader, Record, Refused, Work};
use crate::outcome::Outcome;
use crate::protocol::jsonrpc::RequestId;
use crate::running::{DEFERRED_WORK_CUT, run_deferred};
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
    let mut end = exchange(server, request, transport, contexts).await;
    if end.is_continue() {
        let nothing_left = !contexts.iter().any(Context::has_deferred);
        let limit = server.settings().time_limit.map(|limit| transport.wait(limit));
        if let Io::Break(gone) = within(limit, transport.release(nothing_left)).await {
            end = Io::Break(gone);
        }
    }
    let outcome = match end {
        Io::Continue(outcome) => outcome,
        Io::Break(gone) => {
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
    let limit = server.settings().defer_limit;
    if !run_deferred(contexts, limit, &transport.clock()).await {
        transport.log(DEFERRED_WORK_CUT);
    }
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
            let replied = Writer::new(transport, accepts, origin, &record).reply(reply).await;
            if replied.is_continue() {
                let _ = transport.release(false).await;
            }
            return Io::Break(gone);
        }
    };
    let delivery = Delivery::by_request(std::mem::take(&mut request.headers));
    let (observer, record_it) = (&mut Blame(transport), Some(&mut record));
    let work = Reader { server, delivery: &delivery, observer, record: record_it }.read(&body);
    drop(body);
    let mut writer = Writer::new(transport, accepts, origin, &record);
    match work {
        Work::Nothing => writer.reply(status::accepted()).await,
        Work::Refused(Refused { response, modern }) => {
            writer.reply(status::reply_to(response, modern)).await
        }
        Work::Jobs { jobs, batch, modern } => {
            answer::run(server, &mut writer, jobs, contexts).await?;
            let limit = server.settings().time_limit.map(|limit| writer.transport().wait(limit));
            within(limit, writer.finish(batch, modern)).await
        }
    }
}

/// Tells the panic hook whose handler is running.
struct Blame<'a, T>(&'a mut T);

impl<T: Transport> Observer for Blame<'_, T> {
    fn begins(&mut self, request: &RequestId) {
        self.0.blame(Some(request));
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
