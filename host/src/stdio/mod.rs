//! One client over standard input and output, as desktop clients start local servers.
//!
//! The guest is one instance from the first message to the last: a connection is a process, here as
//! under any other host of `wasi:cli/run`. The host moves bytes, and sees to it that the process
//! ends when its client has gone, whatever the guest does.

mod input;
mod output;

use std::{path::Path, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};
use wasmtime::Store;
use wasmtime_wasi::{
    I32Exit,
    p2::bindings::{Command, CommandPre},
};

use self::{input::Input, output::Output};
use crate::{
    config::Config,
    contract::Outcome,
    error::{HostError, one_line},
    runtime::{host::Host, linker, store::StoreData},
    sealing,
    signals::Signals,
    telemetry::access_log::ExchangeRecord,
};

/// Serves the client of this process until it leaves, or until the process is told to end.
pub(crate) async fn serve(mut config: Config, path: &Path) -> Result<(), HostError> {
    let signals = Signals::listen()
        .map_err(|source| HostError::System { what: "listen for signals", source })?;
    let (host, command) = load(&mut config, path)?;
    let record = Arc::new(ExchangeRecord::of_stdio(host.state().next_exchange()));
    let input = Input::default();
    let state = StoreData::of_stdio(host.state().grants(), &record, input.clone(), Output);
    let mut store = state.into_store(command.engine());
    let end = tokio::select! {
        biased;
        result = run(&command, &mut store) => judge(result, &store),
        reason = overdue(&input, signals, &record, &config) => {
            let (outcome, cause) = reason.as_outcome();
            record.cut_short(outcome, cause);
            Ok(())
        }
    };
    if let Err(cause) = &end {
        record.cut_short(Outcome::Trapped, cause);
    }
    // What fails without its client has failed nobody.
    if record.client_is_gone() {
        return Ok(());
    }
    // Its own words for a panic say more than the trap after it.
    end.map_err(|cause| HostError::ServerFailed(record.cause().unwrap_or(cause)))
}

/// The component, and a host for it. What it seals is for this connection, so it gets a key for it
/// where it was granted none.
fn load(config: &mut Config, path: &Path) -> Result<(Host, CommandPre<StoreData>), HostError> {
    let bytes = linker::read(path)?;
    if sealing::seals(&bytes) {
        sealing::grant_connection_key(config)?;
    }
    let host = Host::new(config.clone())?;
    let pre = host.link(path, &bytes)?;
    let command = CommandPre::new(pre).map_err(|error| HostError::NotACommand {
        path: path.to_owned(),
        reason: one_line(&error),
    })?;
    Ok((host, command))
}

async fn run(
    command: &CommandPre<StoreData>,
    store: &mut Store<StoreData>,
) -> wasmtime::Result<Result<(), ()>> {
    let command: Command = command.instantiate_async(&mut *store).await?;
    command.wasi_cli_run().call_run(store).await
}

/// How a guest ended that did so by itself.
fn judge(result: wasmtime::Result<Result<(), ()>>, store: &Store<StoreData>) -> Result<(), String> {
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(())) => Err("it says that it has failed".to_owned()),
        Err(_) if store.data().out_of_memory() => {
            Err("it ran out of memory; --memory gives it more".to_owned())
        }
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(0)) => Ok(()),
            Some(I32Exit(code)) => Err(format!("it has exited with code {code}")),
            // The outer contexts are the backtrace of the guest; its root says what happened.
            None => Err(error.root_cause().to_string()),
        },
    }
}

/// Why a guest is cut that does not end by itself.
#[derive(Clone, Copy)]
enum Reason {
    InputEnded,
    Told,
    ClientLeft,
}

impl Reason {
    fn as_outcome(self) -> (Outcome, &'static str) {
        match self {
            Self::InputEnded => (Outcome::TimedOut, "cut: the input had ended for too long"),
            Self::Told => (Outcome::TimedOut, "cut: the process was told to end"),
            Self::ClientLeft => (Outcome::ClientGone, "the client left"),
        }
    }
}

/// Resolves when the guest has had its time: a while after the input has ended or the process was
/// told to end, a grace after the client has left, at once when the process is told to end twice.
async fn overdue(
    input: &Input,
    mut signals: Signals,
    record: &ExchangeRecord,
    config: &Config,
) -> Reason {
    let mut end: Option<(Instant, Reason)> = None;
    let (mut told, mut left) = (false, false);
    loop {
        let at = end.map_or_else(Instant::now, |(at, _)| at);
        let (time, reason) = tokio::select! {
            () = input.ended(), if end.is_none() => (config.drain, Reason::InputEnded),
            () = signals.next() => {
                if told {
                    return Reason::Told;
                }
                told = true;
                tracing::info!(target: "midge", "finishing; once more to end at once");
                input.end();
                (config.drain, Reason::Told)
            }
            () = output::client_left(), if !left => {
                left = true;
                record.cancellation().client_disconnected();
                // A guest that is at work says so; one that is not has lost nobody.
                input.fail();
                (Duration::ZERO, Reason::ClientLeft)
            }
            () = sleep_until(at), if end.is_some() => {
                return end.map_or(Reason::InputEnded, |(_, reason)| reason);
            }
        };
        let next = Instant::now() + time + config.abort_grace;
        if end.is_none_or(|(at, _)| next < at) {
            end = Some((next, reason));
        }
    }
}
