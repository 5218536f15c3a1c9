//! The life of a guest of WASI 0.3: one exchange, as with those of 0.2, but that the guest is told
//! when its client leaves before the head.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::BodyExt;
use tokio::{
    runtime::Handle,
    sync::{Notify, OwnedSemaphorePermit, oneshot},
    time::sleep_until,
};
use wasmtime::Store;
use wasmtime_wasi_http::Error as HttpError;

use super::{
    Service, World,
    answer::Answer as SharedAnswer,
    call::{self, Call},
    instance_pool,
};
use crate::{
    Host,
    exchange::Answered,
    runtime::{
        instance::{self, End, Instance, Life, Manner},
        store::State,
    },
    telemetry::access_log::Report,
};

/// An exchange, and by what it is answered.
pub(crate) struct Exchange<B> {
    pub(crate) request: Request<B>,
    pub(crate) permit: OwnedSemaphorePermit,
    pub(crate) report: Arc<Report>,
    pub(crate) answered: oneshot::Sender<Answered>,
    /// Resolves when the answer has been taken to its end, and fails when the client has left.
    pub(crate) completed: oneshot::Receiver<()>,
}

/// Prepares the life of a guest for one exchange, as [`instance::begin`] does.
pub(crate) fn begin<B>(
    host: &Host,
    world: &World,
    service: Arc<Service>,
    exchange: Exchange<B>,
) -> Life
where
    B: Body<Data = Bytes, Error = HttpError> + Send + 'static,
{
    let Exchange { request, permit, report, answered, completed } = exchange;
    if host.config().instance_reuse > 1 {
        let request = request.map(BodyExt::boxed_unsync);
        let exchange = Exchange { request, permit, report, answered, completed };
        return instance_pool::begin(host, world, &service, exchange);
    }
    let mut store = instance::store(&world.engine, State::of_p3(host.grants(), &report));
    let number = report.exchange();
    let word = Arc::new(Notify::new());
    store.data_mut().leaving().add(number, Arc::clone(&word));
    let answer = SharedAnswer::default();
    let call = Call { exchange: number, answered, answer: answer.clone(), word: Arc::clone(&word) };
    let mut instance = Instance::new(host, &report, permit);
    let deadline = report.deadline(host.config());
    let grace = host.config().abort_grace;
    Box::pin(Told(Some(Box::pin(async move {
        let completed = is_taken(completed, &word);
        let served = serve(&service, instance.store.insert(store), request, call);
        let manner = tokio::select! {
            biased;
            result = served => instance::returned(result.map(|()| None)),
            () = instance::cut(completed, &report, grace) => Manner::Cut,
            () = sleep_until(deadline) => Manner::TimedOut,
        };
        instance::end(instance, answer.seal(), manner)
    }))))
}

/// Whether the answer has been taken to its end; where it has not, the guest is told.
async fn is_taken(completed: oneshot::Receiver<()>, word: &Notify) -> bool {
    let is_complete = completed.await.is_ok();
    if !is_complete {
        word.notify_one();
    }
    is_complete
}

/// Makes an instance, has it answer, and lets it work on until it has nothing more to do.
async fn serve<B>(
    service: &Service,
    store: &mut Store<State>,
    request: Request<B>,
    call: Call,
) -> wasmtime::Result<()>
where
    B: Body<Data = Bytes, Error = HttpError> + Send + 'static,
{
    let request = call::request(store.data_mut(), request);
    let handler = service.instantiate(store).await?;
    let work = async |accessor: &_| {
        call.run(accessor, &handler, request).await?;
        poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
        Ok(())
    };
    store.run_concurrent(work).await?
}

/// A life that is not dropped with the future that began it: before the head, that is the client's
/// leaving, of which the guest is to be told. It ends by itself.
pub(super) struct Told(pub(super) Option<Life>);

impl Future for Told {
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        let Some(life) = &mut self.0 else { return Poll::Pending };
        let polled = life.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let (Some(life), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(life);
        }
    }
}
