//! Instances that serve several exchanges, and the slots that exchanges take in them.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::sleep,
};
use wasmtime::component::Accessor;

use super::{call::HandlerCall, shared_body::SharedBody};
use crate::{
    runtime::{buffered::BufferedRequest, store::StoreData},
    telemetry::fault::Fault,
};

/// The instances of a component that accept further exchanges.
#[derive(Default)]
pub(super) struct InstancePool(Mutex<Vec<Arc<PooledInstance>>>);

/// An instance that serves several exchanges.
pub(super) struct PooledInstance {
    calls: mpsc::UnboundedSender<PooledCall>,
    slots: Mutex<Slots>,
    /// Notified when the instance has no exchange and accepts none.
    empty: Notify,
    /// Notified when an exchange waits for `quiet`.
    quiet_wanted: Notify,
    /// Notified when no call runs in the instance.
    quiet: Notify,
    /// The fault that has ended the instance.
    fault: watch::Sender<Option<Fault>>,
}

struct Slots {
    /// The exchanges that run, and the bodies of their responses.
    taken: Vec<(u64, SharedBody)>,
    /// How many more exchanges the instance accepts.
    left: u32,
    /// Whether the instance was used since the idle timer last looked.
    is_used: bool,
}

/// A call that an instance is to make.
pub(super) struct PooledCall {
    pub(super) request: BufferedRequest,
    pub(super) call: HandlerCall,
    /// Resolves when the call has returned.
    pub(super) returned: oneshot::Sender<()>,
}

/// The place of one exchange in an instance.
pub(super) struct Slot {
    instance: Arc<PooledInstance>,
    exchange: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl InstancePool {
    /// Takes a slot in an instance that has one.
    pub(super) fn take_slot(
        &self,
        concurrency: u32,
        exchange: u64,
        body: &SharedBody,
    ) -> Option<Slot> {
        let mut instances = lock(&self.0);
        instances.retain(|instance| lock(&instance.slots).left > 0);
        instances.iter().find_map(|instance| instance.take_slot(concurrency, exchange, body))
    }

    pub(super) fn add(&self, instance: &Arc<PooledInstance>) {
        lock(&self.0).push(Arc::clone(instance));
    }
}

impl PooledInstance {
    /// Creates an instance that accepts so many exchanges, and the queue of its calls.
    pub(super) fn new(exchanges: u32) -> (Arc<Self>, mpsc::UnboundedReceiver<PooledCall>) {
        let (calls, receiver) = mpsc::unbounded_channel();
        let slots = Mutex::new(Slots { taken: Vec::new(), left: exchanges, is_used: true });
        let (empty, quiet_wanted, quiet) = (Notify::new(), Notify::new(), Notify::new());
        let fault = watch::Sender::new(None);
        (Arc::new(Self { calls, slots, empty, quiet_wanted, quiet, fault }), receiver)
    }

    /// Takes a slot, if the instance accepts another exchange.
    pub(super) fn take_slot(
        self: &Arc<Self>,
        concurrency: u32,
        exchange: u64,
        body: &SharedBody,
    ) -> Option<Slot> {
        let mut slots = lock(&self.slots);
        if slots.left == 0 || slots.taken.len() >= concurrency as usize {
            return None;
        }
        slots.left -= 1;
        slots.is_used = true;
        slots.taken.push((exchange, body.clone()));
        Some(Slot { instance: Arc::clone(self), exchange })
    }

    /// Stops accepting exchanges.
    fn retire(&self) {
        let mut slots = lock(&self.slots);
        slots.left = 0;
        if slots.taken.is_empty() {
            self.empty.notify_one();
        }
    }

    /// Resolves when the instance has had its last exchange, or none for so long that it was retired.
    pub(super) async fn unused(&self, idle: Duration) {
        tokio::select! {
            () = self.empty.notified() => {}
            () = self.idle(idle) => {}
        }
    }

    async fn idle(&self, limit: Duration) {
        loop {
            sleep(limit).await;
            let mut slots = lock(&self.slots);
            if !std::mem::take(&mut slots.is_used) && slots.taken.is_empty() {
                slots.left = 0;
                return;
            }
        }
    }

    /// Resolves when no call runs in the instance.
    async fn quiet(&self) {
        let mut quiet = pin!(self.quiet.notified());
        // Registered before the request, so that no notification is missed.
        quiet.as_mut().enable();
        self.quiet_wanted.notify_one();
        quiet.await;
    }

    /// Notifies exchanges that wait for it whenever no call runs in the instance. Never resolves.
    pub(super) async fn notify_quiet(&self, accessor: &Accessor<StoreData>) {
        loop {
            self.quiet_wanted.notified().await;
            poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
            self.quiet.notify_waiters();
        }
    }

    /// Ends the exchanges that are left. The frames that their responses have are kept.
    pub(super) fn end(&self, fault: Fault) {
        let mut slots = lock(&self.slots);
        slots.left = 0;
        for (_, body) in &slots.taken {
            body.seal();
        }
        drop(slots);
        self.fault.send_if_modified(|ended| {
            let is_first = ended.is_none();
            ended.get_or_insert(fault);
            is_first
        });
    }
}

impl Slot {
    /// Sends a call to the instance. One that has just ended does not receive it; its fault ends the
    /// exchange.
    pub(super) fn send(&self, call: PooledCall) {
        let _ = self.instance.calls.send(call);
    }

    /// Resolves when the instance has ended before the exchange.
    pub(super) async fn fault(&self) -> Fault {
        let mut fault = self.instance.fault.subscribe();
        match fault.wait_for(Option::is_some).await {
            Ok(fault) => fault.clone().unwrap_or(Fault::NoResponse),
            Err(_) => Fault::NoResponse,
        }
    }

    /// Stops the instance from accepting exchanges: this one was cut, and may still run in it.
    pub(super) fn retire_instance(&self) {
        self.instance.retire();
    }

    /// Resolves when no call runs in the instance.
    pub(super) async fn quiet(&self) {
        self.instance.quiet().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut slots = lock(&self.instance.slots);
        slots.taken.retain(|(exchange, _)| *exchange != self.exchange);
        if slots.left == 0 && slots.taken.is_empty() {
            self.instance.empty.notify_one();
        }
    }
}
