//! When a guest is cut that does not exit by itself.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{input::Input, output};
use midge_contract::Outcome;

use crate::{
    config::Config,
    signals::Signals,
    telemetry::{access_log::ExchangeRecord, cancellation::Release},
};

/// Why a guest is cut.
#[derive(Clone, Copy)]
pub(super) enum CutReason {
    InputEnded,
    Signalled,
    ClientDisconnected,
}

impl CutReason {
    /// Returns the outcome and its cause.
    pub(super) fn as_outcome(self) -> (Outcome, &'static str) {
        match self {
            Self::InputEnded => (Outcome::TimedOut, "cut: the input had ended for too long"),
            Self::Signalled => (Outcome::TimedOut, "cut: the process was told to end"),
            Self::ClientDisconnected => (Outcome::ClientGone, "the client disconnected"),
        }
    }
}

/// The time at which a guest is cut, once there is one, and the reason.
#[derive(Default)]
struct Cutoff(Option<(Instant, CutReason)>);

impl Cutoff {
    /// Sets the cutoff, unless an earlier one is set.
    fn set(&mut self, when: Instant, reason: CutReason) {
        if self.0.is_none_or(|(current, _)| when < current) {
            self.0 = Some((when, reason));
        }
    }

    async fn reached(&self) -> CutReason {
        match self.0 {
            Some((when, reason)) => {
                sleep_until(when).await;
                reason
            }
            None => std::future::pending().await,
        }
    }
}

/// Resolves when the guest is to be cut: the time to drain after the input has ended or after a signal,
/// the grace after the client has disconnected, or at a second signal.
pub(super) async fn reached(
    input: &Input,
    mut signals: Signals,
    record: &ExchangeRecord,
    config: &Config,
) -> CutReason {
    let mut cutoff = Cutoff::default();
    let (mut is_signalled, mut is_disconnected) = (false, false);
    loop {
        let (time, reason) = tokio::select! {
            () = input.ended(), if cutoff.0.is_none() => (config.drain, CutReason::InputEnded),
            () = signals.next() => {
                if is_signalled {
                    return CutReason::Signalled;
                }
                is_signalled = true;
                tracing::info!(target: "midge", "finishing; once more to end at once");
                input.end();
                (config.drain, CutReason::Signalled)
            }
            () = output::client_disconnected(), if !is_disconnected => {
                is_disconnected = true;
                record.cancellation().release(Release::Disconnected);
                // A guest that is running a handler notices; an idle one has lost nothing.
                input.fail();
                (Duration::ZERO, CutReason::ClientDisconnected)
            }
            reason = cutoff.reached() => return reason,
        };
        cutoff.set(Instant::now() + time + config.abort_grace, reason);
    }
}
