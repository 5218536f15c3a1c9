//! Sources of change notifications.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures_lite::{Stream, stream};

use super::Change;
use crate::handler::context::{Context, LocalFuture};

/// The least time between two looks: a mistaken zero must not become a flood of requests.
const SHORTEST: Duration = Duration::from_millis(100);

pub(super) type Changes = Pin<Box<dyn Stream<Item = Change>>>;

/// A source of changes, whatever it looks like to who has written it.
pub(super) trait Source {
    /// Starts to look for changes; ready when none is missed from then on.
    fn changes(&self, of: Vec<Change>, context: &Context) -> LocalFuture<Changes>;
}

/// Versions that are looked up again and again.
pub(super) struct Polled<F> {
    pub(super) interval: Duration,
    pub(super) version: F,
}

impl<F, R, V> Source for Polled<F>
where
    F: Fn(Change) -> R + Clone + 'static,
    R: Future<Output = Option<V>> + 'static,
    V: PartialEq + 'static,
{
    fn changes(&self, of: Vec<Change>, context: &Context) -> LocalFuture<Changes> {
        let mut poll = Poll {
            interval: self.interval.max(SHORTEST),
            version: self.version.clone(),
            known: of.into_iter().map(|change| (change, None)).collect(),
            found: VecDeque::new(),
            context: context.clone(),
        };
        Box::pin(async move {
            poll.look().await;
            // What the first look sees is what later ones are compared with.
            poll.found.clear();
            let changes = stream::unfold(poll, async |mut poll| Some((poll.next().await, poll)));
            Box::pin(changes) as Changes
        })
    }
}

struct Poll<F, V> {
    interval: Duration,
    version: F,
    /// The last version that was seen of each thing.
    known: Vec<(Change, Option<V>)>,
    /// What the last look has found and nobody was told yet.
    found: VecDeque<Change>,
    context: Context,
}

impl<F, R, V> Poll<F, V>
where
    F: Fn(Change) -> R,
    R: Future<Output = Option<V>>,
    V: PartialEq,
{
    async fn next(&mut self) -> Change {
        loop {
            if let Some(change) = self.found.pop_front() {
                return change;
            }
            if self.known.is_empty() {
                std::future::pending::<()>().await;
            }
            self.context.sleep(self.interval).await;
            self.look().await;
        }
    }

    async fn look(&mut self) {
        for (change, known) in &mut self.known {
            // Who cannot tell now is asked again: no answer is no change.
            let Some(version) = (self.version)(change.clone()).await else { continue };
            if known.as_ref() != Some(&version) {
                self.found.push_back(change.clone());
            }
            *known = Some(version);
        }
    }
}

/// A stream of somebody else's making.
pub(super) struct Streamed<F>(pub(super) F);

impl<F, S> Source for Streamed<F>
where
    F: Fn(Vec<Change>) -> S + 'static,
    S: Stream<Item = Change> + 'static,
{
    fn changes(&self, of: Vec<Change>, _context: &Context) -> LocalFuture<Changes> {
        let changes: Changes = Box::pin((self.0)(of));
        Box::pin(std::future::ready(changes))
    }
}
