//! One subscription, from its acknowledgement to its end.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};

use futures_lite::StreamExt;
use futures_lite::future::or;
use serde_json::value::RawValue;

use super::source::Changes;
use super::{Change, Subscriptions};
use crate::error::ProtocolError;
use crate::handler::call::HandlerCall;
use crate::handler::context::{Context, LocalFuture};
use crate::handler::outbox::Outbox;
use crate::handler::params;
use crate::handler::request::RequestInfo;
use crate::handler::result::{Failure, MethodResult, ResultObject};
use crate::protocol::capabilities::{ListCapability, ServerCapabilities};
use crate::protocol::subscription::{Filter, SubscriptionMeta, SubscriptionParams};

/// How many resources one client may listen to: a source looks after each of them.
const MOST_RESOURCES: usize = 100;

/// What is left of the time for the last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long the acknowledgement waits for the first look, so that a client that reads as soon as it
/// is acknowledged misses nothing. A slow store must not keep it waiting.
const FIRST_LOOK: Duration = Duration::from_millis(300);

/// The method of subscriptions. An object, so that a server without them need not link it.
pub(crate) trait Listen: Any + fmt::Debug {
    fn declare(&self, capabilities: &mut ServerCapabilities<'_>);
    fn listen(
        &self,
        capabilities: &ServerCapabilities<'_>,
        exists: &dyn Fn(&str) -> bool,
        params: Option<&RawValue>,
        request: RequestInfo,
    ) -> Result<HandlerCall, Failure>;
}

impl Listen for Subscriptions {
    fn declare(&self, capabilities: &mut ServerCapabilities<'_>) {
        Subscriptions::declare(self, capabilities);
    }

    fn listen(
        &self,
        capabilities: &ServerCapabilities<'_>,
        exists: &dyn Fn(&str) -> bool,
        params: Option<&RawValue>,
        request: RequestInfo,
    ) -> Result<HandlerCall, Failure> {
        let [wanted] = params::read(params, ["notifications"])?;
        let wanted = wanted.ok_or_else(|| params::missing("notifications"))?;
        let wanted = params::object(Some(wanted), "notifications")?.map_or("{}", RawValue::get);
        let wanted: Filter = serde_json::from_str(wanted).map_err(|_| {
            params::invalid("`notifications` must say what to listen to, each of its own type")
        })?;
        let honoured = honour(wanted, capabilities, exists);
        let context = Context::new(request, Outbox::default());
        let changes = self.source.changes(of(&honoured), &context);
        let lifetime = self.lifetime;
        let listening = Listening { context: context.clone(), honoured, changes };
        let future = Box::pin(async move { listening.run(lifetime).await });
        Ok(HandlerCall { clock: true, listens: true, ..HandlerCall::new(context, future) })
    }
}

/// What of a client's wishes the server can keep.
fn honour(
    wanted: Filter,
    capabilities: &ServerCapabilities<'_>,
    exists: &dyn Fn(&str) -> bool,
) -> Filter {
    let changes = |list: Option<ListCapability>| list.is_some_and(|list| list.list_changed);
    let subscribe = capabilities.resources.is_some_and(|resources| resources.subscribe);
    let mut uris = wanted.resource_subscriptions;
    let mut seen = HashSet::new();
    uris.retain(|uri| subscribe && seen.len() < MOST_RESOURCES && seen.insert(uri.clone()));
    uris.retain(|uri| exists(uri));
    Filter {
        tools_list_changed: wanted.tools_list_changed && changes(capabilities.tools),
        prompts_list_changed: wanted.prompts_list_changed && changes(capabilities.prompts),
        resources_list_changed: wanted.resources_list_changed && changes(capabilities.resources),
        resource_subscriptions: uris,
    }
}

fn of(filter: &Filter) -> Vec<Change> {
    let lists = [
        (filter.tools_list_changed, Change::Tools),
        (filter.prompts_list_changed, Change::Prompts),
        (filter.resources_list_changed, Change::Resources),
    ];
    let lists = lists.into_iter().filter(|(wanted, _)| *wanted).map(|(_, change)| change);
    lists.chain(filter.resource_subscriptions.iter().cloned().map(Change::Resource)).collect()
}

/// A client that listens.
struct Listening {
    context: Context,
    honoured: Filter,
    /// Ready when no change is missed any more.
    changes: LocalFuture<Changes>,
}

impl Listening {
    async fn run(mut self, lifetime: Duration) -> MethodResult {
        if !self.context.outbox().is_open() {
            let reason = "subscriptions need `Accept: text/event-stream`";
            return Err(ProtocolError::InvalidRequest(reason.into()).into());
        }
        let left = self
            .context
            .deadline()
            .map(|end| end.saturating_duration_since(Instant::now()).saturating_sub(LAST_WORDS));
        let context = self.context.clone();
        let end = context.sleep(left.map_or(lifetime, |left| left.min(lifetime)));
        let started = async { Some((&mut self.changes).await) };
        let changes = or(started, async {
            context.sleep(FIRST_LOOK).await;
            None
        });
        let changes = changes.await;
        self.say("notifications/subscriptions/acknowledged", Some(&self.honoured), None).await;
        or(self.tell(changes), end).await;
        let meta = SubscriptionMeta { subscription_id: self.context.request_id() };
        let meta = serde_json::to_string(&meta).map_err(Failure::internal)?;
        Ok(ResultObject { meta: Some(meta), ..ResultObject::new(&serde_json::Map::new())? })
    }

    /// Tells the client of changes, as long as there are any.
    async fn tell(&mut self, changes: Option<Changes>) {
        let of = of(&self.honoured);
        let mut changes = match changes {
            Some(changes) => changes,
            None => {
                let changes = (&mut self.changes).await;
                // What has changed between the acknowledgement and this is not known.
                for change in &of {
                    self.tell_of(change).await;
                }
                changes
            }
        };
        while let Some(change) = changes.next().await {
            if of.contains(&change) {
                self.tell_of(&change).await;
            }
        }
    }

    async fn tell_of(&self, change: &Change) {
        let (method, uri) = match change {
            Change::Tools => ("notifications/tools/list_changed", None),
            Change::Prompts => ("notifications/prompts/list_changed", None),
            Change::Resources => ("notifications/resources/list_changed", None),
            Change::Resource(uri) => ("notifications/resources/updated", Some(uri.as_str())),
        };
        self.say(method, None, uri).await;
    }

    async fn say(&self, method: &'static str, notifications: Option<&Filter>, uri: Option<&str>) {
        let meta = SubscriptionMeta { subscription_id: self.context.request_id() };
        self.context.notify(method, &SubscriptionParams { meta, notifications, uri }).await;
    }
}
