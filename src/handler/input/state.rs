//! The sealed state that a request carries from one round to the next: `requestState`.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::handler::request::{RequestInfo, RetryInput};
use crate::seal::{self, InvalidKeys, SealingKeys};

/// How long a client has to come back with its answers.
const LIFETIME: u64 = 15 * 60;

/// What the earlier rounds came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Counts up, so that no two rounds have the same state.
    pub(super) round: u32,
    /// What the last round has asked, by key: a mark of each question.
    pub(super) asked: BTreeMap<String, u64>,
    pub(super) answers: BTreeMap<String, RecordedResponse>,
    /// Results of steps that must not run twice.
    pub(super) steps: BTreeMap<String, Box<RawValue>>,
    /// The canonical arguments, once a seal has needed them: the next seal needs the same.
    #[serde(skip)]
    arguments: OnceCell<Vec<u8>>,
}

/// What the client answered in an earlier round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RecordedResponse {
    /// The question that it answers; `None` for an answer that came without a state.
    pub(super) question: Option<u64>,
    pub(super) response: Box<RawValue>,
}

/// Why a state is of no use. For the log: the client learns no more than that.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidState {
    #[error(transparent)]
    Keys(#[from] InvalidKeys),
    #[error(transparent)]
    Sealed(#[from] seal::Unsealing),
    #[error("the state is of another version of this server")]
    Outdated,
}

impl State {
    pub(super) fn seal(
        &self,
        keys: &SealingKeys,
        request: &RequestInfo,
        retry: &RetryInput,
    ) -> Result<String, String> {
        let content = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        let canonical = || seal::canonical(retry.arguments.as_deref());
        let purpose = Purpose::new(request, retry, self.arguments.get_or_init(canonical));
        let expires = seal::now().saturating_add(LIFETIME);
        keys.seal(&purpose.parts(), expires, &content).map_err(|error| error.to_string())
    }

    pub(super) fn open(
        token: &str,
        request: &RequestInfo,
        retry: &RetryInput,
    ) -> Result<Self, InvalidState> {
        let keys = request.sealing.keys()?;
        let arguments = seal::canonical(retry.arguments.as_deref());
        let purpose = Purpose::new(request, retry, &arguments);
        let content = keys.open(&purpose.parts(), seal::now(), token)?;
        let state: Self = serde_json::from_slice(&content).map_err(|_| InvalidState::Outdated)?;
        Ok(Self { arguments: arguments.into(), ..state })
    }
}

/// What a state is bound to: this server, this caller, this call.
struct Purpose<'a> {
    server: &'a str,
    principal: Vec<u8>,
    method: &'a str,
    name: &'a str,
    arguments: &'a [u8],
}

impl<'a> Purpose<'a> {
    fn new(request: &'a RequestInfo, retry: &'a RetryInput, arguments: &'a [u8]) -> Self {
        Self {
            server: &request.sealing.server,
            principal: request.sealing.principal(&request.headers),
            method: retry.method,
            name: &retry.name,
            arguments,
        }
    }

    fn parts(&self) -> [&[u8]; 6] {
        [
            b"request-state",
            self.server.as_bytes(),
            &self.principal,
            self.method.as_bytes(),
            self.name.as_bytes(),
            self.arguments,
        ]
    }
}
