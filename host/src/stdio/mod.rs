//! One client over standard input and output, as desktop clients start local servers.
//!
//! The guest is one instance from the first message to the last. The host moves bytes, and ends the
//! process after its client has disconnected, whatever the guest does.

mod cutoff;
mod input;
mod output;

use std::{path::Path, sync::Arc};

use wasmtime::Store;
use wasmtime_wasi::{
    I32Exit, WasiCtx,
    p2::bindings::{Command, CommandPre},
};

use self::{input::Input, output::Output};
use midge_contract::Outcome;

use crate::{
    config::Config,
    error::{HostError, one_line},
    runtime::{guest_log::GuestOutput, host::Host, linker, store::StoreData},
    sealing,
    signals::Signals,
    telemetry::access_log::ExchangeRecord,
};

/// Serves the client of this process until it disconnects, or until a signal ends the process.
pub(crate) async fn serve(mut config: Config, path: &Path) -> Result<(), HostError> {
    let signals = Signals::listen()
        .map_err(|source| HostError::System { what: "listen for signals", source })?;
    let (host, command) = load(&mut config, path)?;
    let record = Arc::new(ExchangeRecord::of_stdio(host.state().next_exchange()));
    let input = Input::default();
    let mut store = data(&host, &record, &input).into_store(command.engine());
    let end = tokio::select! {
        biased;
        result = store.data().turn().run(run(&command, &mut store)) => failure(result, &store),
        reason = cutoff::reached(&input, signals, &record, &config) => {
            let (outcome, cause) = reason.as_outcome();
            record.cut_short(outcome, cause);
            Ok(())
        }
    };
    if let Err(cause) = &end {
        record.cut_short(Outcome::Trapped, cause);
    }
    // A failure after the client has disconnected affects nobody.
    if record.client_is_gone() {
        return Ok(());
    }
    // The message of a panic says more than the trap after it.
    end.map_err(|cause| HostError::ServerFailed(record.cause().unwrap_or(cause)))
}

/// Creates the data of a guest with the standard streams of this process.
fn data(host: &Host, record: &Arc<ExchangeRecord>, input: &Input) -> StoreData {
    let mut wasi = WasiCtx::builder();
    wasi.stdin(input.clone()).stdout(Output::new(record));
    // The guest runs as long as its client, so its lines have no limit.
    GuestOutput::set_stderr(&mut wasi, usize::MAX, record);
    StoreData::with_streams(host.state().grants(), None, record, wasi)
}

/// Loads a component and starts a host for it. A component that seals and was granted no key gets one
/// for this connection.
fn load(config: &mut Config, path: &Path) -> Result<(Host, CommandPre<StoreData>), HostError> {
    let bytes = linker::read(path)?;
    if sealing::seals(&bytes) {
        sealing::grant_key(config, "stdio")?;
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

/// Returns why a guest that has exited by itself has failed, if it has.
fn failure(
    result: wasmtime::Result<Result<(), ()>>,
    store: &Store<StoreData>,
) -> Result<(), String> {
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(())) => Err("it reported a failure".to_owned()),
        Err(_) if store.data().memory_refusal().is_some() => {
            Err("it ran out of memory; --memory gives it more".to_owned())
        }
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(0)) => Ok(()),
            Some(I32Exit(code)) => Err(format!("it exited with code {code}")),
            // The outer contexts are the backtrace of the guest; the root is the trap.
            None => Err(error.root_cause().to_string()),
        },
    }
}
