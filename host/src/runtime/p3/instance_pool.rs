//! Instances that serve several exchanges, where the operator wants that.
//!
//! The exchanges of an instance share its memory and its fate: a trap ends them all. wasmtime
//! cannot drop one call of several, so a guest that does not heed the end of an exchange is left
//! alone with it: the instance gets no more exchanges and goes with the last of those it has.
//! Nothing tells when one call of several has come to its end after its head, only when all have.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::Request;
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{sleep, sleep_until},
};
use wasmtime::{
    Store,
    component::{Accessor, AccessorTask},
};
use wasmtime_wasi_http::WasiBody;

use super::{
    Service, World,
    answer::Answer as SharedAnswer,
    call::{self, Call, Handler},
    task::{Exchange, Told},
};
use crate::{
    Host,
    runtime::{
        instance::{self, End, Life, Manner},
        store::State,
    },
    telemetry::{access_log::Report, fault::Fault},
};

/// The instances of a component that take more exchanges.
#[derive(Default)]
pub(super) struct Instances(Mutex<Vec<Arc<Instance>>>);

struct Instance {
    jobs: mpsc::UnboundedSender<Job>,
    seats: Mutex<Seats>,
    /// It has no exchange, and will get none.
    empty: Notify,
    /// Somebody wants to know when nothing is at work in it.
    asked: Notify,
    /// The answer to all who have asked.
    quiet: Notify,
    /// What has ended it before its time.
    fault: watch::Sender<Option<Fault>>,
}

struct Seats {
    /// Exchanges at work, and their answers.
    taken: Vec<(u64, SharedAnswer)>,
    /// How many more it will get.
    left: u32,
    /// Since somebody last looked.
    is_used: bool,
}

/// A call for an instance to make.
struct Job {
    request: Request<WasiBody>,
    call: Call,
    returned: oneshot::Sender<()>,
}

/// A place in an instance, for one exchange.
struct Seat {
    instance: Arc<Instance>,
    exchange: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Instances {
    /// A place in an instance that has one.
    fn seat(&self, at_once: u32, exchange: u64, answer: &SharedAnswer) -> Option<Seat> {
        let mut open = lock(&self.0);
        open.retain(|instance| lock(&instance.seats).left > 0);
        open.iter().find_map(|instance| Instance::seat(instance, at_once, exchange, answer))
    }

    fn add(&self, instance: &Arc<Instance>) {
        lock(&self.0).push(Arc::clone(instance));
    }
}

impl Instance {
    fn new(exchanges: u32) -> (Arc<Self>, mpsc::UnboundedReceiver<Job>) {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let seats = Mutex::new(Seats { taken: Vec::new(), left: exchanges, is_used: true });
        let (empty, asked, quiet) = (Notify::new(), Notify::new(), Notify::new());
        let fault = watch::Sender::new(None);
        (Arc::new(Self { jobs, seats, empty, asked, quiet, fault }), receiver)
    }

    fn seat(
        instance: &Arc<Self>,
        at_once: u32,
        exchange: u64,
        answer: &SharedAnswer,
    ) -> Option<Seat> {
        let mut seats = lock(&instance.seats);
        if seats.left == 0 || seats.taken.len() >= at_once as usize {
            return None;
        }
        seats.left -= 1;
        seats.is_used = true;
        seats.taken.push((exchange, answer.clone()));
        Some(Seat { instance: Arc::clone(instance), exchange })
    }

    /// It gets no more exchanges.
    fn retire(&self) {
        let mut seats = lock(&self.seats);
        seats.left = 0;
        if seats.taken.is_empty() {
            self.empty.notify_one();
        }
    }

    /// Retires it once it has had nothing to do for so long.
    async fn idle(&self, limit: Duration) {
        loop {
            sleep(limit).await;
            let mut seats = lock(&self.seats);
            if !std::mem::take(&mut seats.is_used) && seats.taken.is_empty() {
                seats.left = 0;
                return;
            }
        }
    }

    /// Resolves when nothing is at work in it.
    async fn quiet(&self) {
        let mut quiet = pin!(self.quiet.notified());
        // Listening begins before asking.
        quiet.as_mut().enable();
        self.asked.notify_one();
        quiet.await;
    }

    /// Tells those who ask when nothing is at work in it.
    async fn tell_quiet(&self, accessor: &Accessor<State>) {
        loop {
            self.asked.notified().await;
            poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
            self.quiet.notify_waiters();
        }
    }

    /// Ends the exchanges that are left: what they have of their answers is kept.
    fn end(&self, fault: Fault) {
        let mut seats = lock(&self.seats);
        seats.left = 0;
        for (_, answer) in &seats.taken {
            answer.seal();
        }
        drop(seats);
        self.fault.send_if_modified(|ended| {
            let is_first = ended.is_none();
            ended.get_or_insert(fault);
            is_first
        });
    }
}

/// An instance at work. When this is dropped, with its task or with the runtime that had it, nobody
/// waits for it any more.
struct Working(Arc<Instance>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.end(Fault::NoAnswer);
    }
}

impl Seat {
    /// Resolves when the instance has come to an end before the exchange.
    async fn fault(&self) -> Fault {
        let mut fault = self.instance.fault.subscribe();
        match fault.wait_for(Option::is_some).await {
            Ok(fault) => fault.clone().unwrap_or(Fault::NoAnswer),
            Err(_) => Fault::NoAnswer,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = lock(&self.instance.seats);
        seats.taken.retain(|(exchange, _)| *exchange != self.exchange);
        if seats.left == 0 && seats.taken.is_empty() {
            self.instance.empty.notify_one();
        }
    }
}

/// Prepares the life of an exchange in an instance that it may share.
pub(super) fn begin(
    host: &Host,
    world: &World,
    service: &Arc<Service>,
    exchange: Exchange<WasiBody>,
) -> Life {
    let Exchange { request, permit, report, answered, completed } = exchange;
    let number = report.exchange();
    let (answer, word) = (SharedAnswer::default(), Arc::new(Notify::new()));
    let seat = find_seat(host, world, service, number, &answer);
    let call = Call { exchange: number, answered, answer: answer.clone(), word: Arc::clone(&word) };
    let (returned, has_returned) = oneshot::channel();
    if let Some(seat) = &seat {
        // An instance that has just ended does not listen, and says so.
        let _ = seat.instance.jobs.send(Job { request, call, returned });
    }
    let grace = host.config().abort_grace;
    let deadline = report.deadline(host.config());
    Box::pin(Told(Some(Box::pin(async move {
        let done = done(seat.as_ref(), has_returned, &answer);
        let manner = tokio::select! {
            biased;
            fault = fault(seat.as_ref()) => Manner::Trapped(fault),
            manner = ends(completed, done, &report, &word, grace) => manner,
            () = sleep_until(deadline) => Manner::TimedOut,
        };
        if let (Manner::Cut | Manner::TimedOut, Some(seat)) = (&manner, &seat) {
            seat.instance.retire();
        }
        let complete = answer.seal();
        instance::record(&report, &manner, complete);
        drop((seat, permit));
        End::new(complete, manner)
    }))))
}

/// A place in an instance, which is made if there is none.
fn find_seat(
    host: &Host,
    world: &World,
    service: &Arc<Service>,
    exchange: u64,
    answer: &SharedAnswer,
) -> Option<Seat> {
    let config = host.config();
    let at_once = config.instance_concurrency;
    service.instances.seat(at_once, exchange, answer).or_else(|| {
        let (instance, jobs) = Instance::new(config.instance_reuse);
        let state = State::of_p3(host.grants(), &Arc::new(Report::of_instance(exchange)));
        let store = instance::store(&world.engine, state);
        let limits = Limits { idle: config.keep_alive, grace: config.abort_grace };
        let counted = host.count_instance();
        let working = Working(Arc::clone(&instance));
        let life = run(working, Arc::clone(service), store, jobs, limits);
        tokio::spawn(async move {
            life.await;
            drop(counted);
        });
        service.instances.add(&instance);
        Instance::seat(&instance, at_once, exchange, answer)
    })
}

/// What ends an exchange with its instance.
async fn fault(seat: Option<&Seat>) -> Fault {
    match seat {
        Some(seat) => seat.fault().await,
        None => Fault::NoAnswer,
    }
}

/// How an exchange ends by itself: with its answer, or with its client.
async fn ends(
    completed: oneshot::Receiver<()>,
    done: impl Future<Output = ()>,
    report: &Report,
    word: &Notify,
    grace: Duration,
) -> Manner {
    if completed.await.is_ok() {
        if report.is_failure() {
            // A guest that panics answers before it traps, which ends all this if it comes.
            tokio::select! {
                () = done => {}
                () = sleep(grace) => {}
            }
        }
        return Manner::Returned(None);
    }
    report.leash().client_gone();
    word.notify_one();
    let grace = async {
        if report.runs_to_completion() {
            std::future::pending::<()>().await;
        }
        sleep(grace).await;
    };
    tokio::select! {
        () = done => Manner::Returned(None),
        () = grace => Manner::Cut,
    }
}

/// Resolves when a guest whose client has left is done with the exchange.
async fn done(seat: Option<&Seat>, has_returned: oneshot::Receiver<()>, answer: &SharedAnswer) {
    if has_returned.await.is_err() {
        // The instance is at its end, on another thread perhaps, and is about to say why.
        return std::future::pending().await;
    }
    if let Some(seat) = seat
        && answer.has_begun()
    {
        seat.instance.quiet().await;
    }
}

/// How long an instance stays with nothing to do, and after its last exchange.
struct Limits {
    idle: Duration,
    grace: Duration,
}

/// The life of an instance.
async fn run(
    working: Working,
    service: Arc<Service>,
    mut store: Store<State>,
    jobs: mpsc::UnboundedReceiver<Job>,
    Limits { idle, grace }: Limits,
) {
    let instance = &working.0;
    let empty = async {
        tokio::select! {
            () = instance.empty.notified() => {}
            () = instance.idle(idle) => {}
        }
        // For deferred work.
        sleep(grace).await;
    };
    let result = tokio::select! {
        result = serve(instance, &service, &mut store, jobs) => result,
        () = empty => Ok(()),
    };
    let fault = match instance::returned(result.map(|()| None)) {
        Manner::Trapped(_) if store.data().out_of_memory() => Fault::OutOfMemory,
        Manner::Trapped(fault) => store.data().panic().map_or(fault, Fault::Trapped),
        _ => Fault::NoAnswer,
    };
    instance.end(fault);
}

/// Makes calls as they come.
async fn serve(
    instance: &Instance,
    service: &Service,
    store: &mut Store<State>,
    mut jobs: mpsc::UnboundedReceiver<Job>,
) -> wasmtime::Result<()> {
    let handler = service.instantiate(store).await?;
    let work = async |accessor: &Accessor<State>| {
        let make = async {
            while let Some(job) = jobs.recv().await {
                accessor.spawn(Making { job, handler })?;
            }
            Ok(())
        };
        tokio::select! {
            made = make => made,
            () = instance.tell_quiet(accessor) => Ok(()),
        }
    };
    store.run_concurrent(work).await?
}

/// A call that is being made.
struct Making {
    job: Job,
    handler: Handler,
}

impl AccessorTask<State> for Making {
    async fn run(self, accessor: &Accessor<State>) -> wasmtime::Result<()> {
        let Self { job: Job { request, call, returned }, handler } = self;
        let number = call.exchange;
        let request = accessor.with(|mut access| {
            access.get().leaving().add(number, Arc::clone(&call.word));
            call::request(access.get(), request)
        });
        let result = call.run(accessor, &handler, request).await;
        accessor.with(|mut access| access.get().leaving().end(number));
        let _ = returned.send(());
        result
    }
}
