//! Signals that cancel calls of WASI 0.3 guests.

use tokio_util::sync::CancellationToken;
use wasmtime::component::{Accessor, Linker};

/// Tokens of the calls that run in an instance, by the number of their exchange.
#[derive(Default)]
pub(crate) struct CancelSignals(Vec<(u64, CancellationToken)>);

impl CancelSignals {
    /// Registers the token of a call that begins.
    pub(crate) fn add(&mut self, exchange: u64, token: CancellationToken) {
        self.0.push((exchange, token));
    }

    /// Removes the token of a call that has ended.
    pub(crate) fn remove(&mut self, exchange: u64) {
        self.0.retain(|(number, _)| *number != exchange);
    }

    fn get(&self, exchange: u64) -> Option<CancellationToken> {
        let found = self.0.iter().find(|(number, _)| *number == exchange);
        found.map(|(_, token)| token.clone())
    }
}

/// Adds the function `name` to a linker: it takes the number of an exchange and returns once the call
/// of that exchange is to be cancelled. `signals` borrows the signals from the data of a store.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    name: &str,
    signals: fn(&mut T) -> &mut CancelSignals,
) -> wasmtime::Result<()> {
    linker.root().func_wrap_concurrent(name, move |accessor: &Accessor<T>, (exchange,): (u64,)| {
        Box::pin(async move {
            let token = accessor.with(|mut access| signals(access.get()).get(exchange));
            if let Some(token) = token {
                token.cancelled().await;
            }
            Ok(())
        })
    })
}
