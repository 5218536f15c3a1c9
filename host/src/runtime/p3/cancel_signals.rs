//! The host's word that a call is of no more use: its client has gone, or it is answered.

use std::sync::Arc;

use tokio::sync::Notify;
use wasmtime::component::{Accessor, Linker};

use super::wrapper;
use crate::runtime::store::State;

/// The calls under way in an instance, by the numbers of their exchanges.
#[derive(Default)]
pub(crate) struct Leaving(Vec<(u64, Arc<Notify>)>);

impl Leaving {
    /// A call begins, for which the host will give its word.
    pub(super) fn add(&mut self, exchange: u64, word: Arc<Notify>) {
        self.0.push((exchange, word));
    }

    /// A call is over.
    pub(super) fn end(&mut self, exchange: u64) {
        self.0.retain(|(number, _)| *number != exchange);
    }

    fn word(&self, exchange: u64) -> Option<Arc<Notify>> {
        self.0.iter().find(|(number, _)| *number == exchange).map(|(_, word)| Arc::clone(word))
    }
}

/// Offers the wrapper what it imports.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.root().func_wrap_concurrent(
        wrapper::LEAVE,
        |accessor: &Accessor<State>, (exchange,): (u64,)| {
            Box::pin(async move {
                let word = accessor.with(|mut access| access.get().leaving().word(exchange));
                if let Some(word) = word {
                    word.notified().await;
                }
                Ok(())
            })
        },
    )
}
