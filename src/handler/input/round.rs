//! One round of a request: the answers so far and the questions of this round.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use midge_contract::Outcome;
use serde_json::value::RawValue;

use super::state::{InvalidState, RecordedResponse, State};
use crate::error::{NEEDS_MODERN_CLIENT, ProtocolError, excerpt};
use crate::handler::params;
use crate::handler::request::{RequestInfo, RetryInput};
use crate::handler::result::{Failure, MethodResult, ResultObject, ResultType};
use crate::handler::rounds::Rounds;
use crate::protocol::capabilities::ClientCapabilities;
use crate::protocol::content::ContentBlock;
use crate::protocol::input::{InputRequest, InputRequiredResult};
use crate::protocol::members;
use crate::protocol::tool::CallToolResult;

/// How many bytes of answers travel on to the next round, within what can be sealed: a client that
/// sends more is at fault, and not the server.
const MOST_ANSWERS: usize = 32 << 10;

/// What a handler asks of the client, and what the client must be able to do for it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) request: InputRequest,
    pub(super) needs: ClientCapabilities,
}

impl Question {
    /// A mark by which an answer is known to belong to this question and not to an earlier one
    /// under the same key. Not a secret, and inside the seal: any stable hash will do.
    fn mark(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.request.method, self.request.params.get()).hash(&mut hasher);
        hasher.finish()
    }
}

/// This round.
#[derive(Debug, Default)]
pub(super) struct Round(RefCell<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// What the earlier rounds came to, with what the client has brought along.
    state: State,
    /// What is asked now.
    asked: BTreeMap<String, Question>,
    /// The marks of all questions of this round, whether they are answered or not.
    marks: BTreeMap<String, u64>,
    /// The steps that this round has come past.
    steps: BTreeSet<String>,
    failure: Option<Failure>,
}

impl Round {
    /// Reads what the client has brought along. What is wrong with it ends the exchange as soon
    /// as the handler rests.
    pub(super) fn open(request: &RequestInfo) -> Self {
        let read = request.retry.as_ref().map(|retry| read(request, retry));
        let inner = match read.transpose() {
            Ok(state) => Inner { state: state.unwrap_or_default(), ..Inner::default() },
            Err(failure) => Inner { failure: Some(failure), ..Inner::default() },
        };
        Self(RefCell::new(inner))
    }

    /// Whether the exchange can only fail.
    pub(super) fn has_failed(&self) -> bool {
        self.0.borrow().failure.is_some()
    }

    pub(super) fn fail(&self, failure: Failure) {
        self.0.borrow_mut().failure.get_or_insert(failure);
    }

    /// The response to a question, where the client has sent one to just this question.
    pub(super) fn response(&self, key: &str, question: &Question) -> Option<Box<RawValue>> {
        let mut inner = self.0.borrow_mut();
        let mark = question.mark();
        if *inner.marks.entry(key.to_owned()).or_insert(mark) != mark {
            // Each would take the other's answer for outdated, and both be asked for ever.
            let cause = format!("two questions have the key `{key}`");
            inner.failure.get_or_insert_with(|| Failure::internal(cause));
            return None;
        }
        let answer = inner.state.answers.get_mut(key)?;
        // What came without a state is an answer to the first question that takes it for one.
        let fits = *answer.question.get_or_insert(mark) == mark;
        fits.then(|| answer.response.clone())
    }

    /// Asks, with every other question that is asked before the handler rests.
    pub(super) fn ask(&self, key: String, question: Question) {
        let mut inner = self.0.borrow_mut();
        // An answer that was of no use must not come back with the state.
        inner.state.answers.remove(&key);
        inner.asked.insert(key, question);
    }

    /// The result of a step that an earlier round has run.
    pub(super) fn step(&self, key: &str) -> Option<Box<RawValue>> {
        self.0.borrow().state.steps.get(key).cloned()
    }

    /// Fails where this round has already come past a step of that key: the work of one of them
    /// would never be done.
    pub(super) fn check_step(&self, key: &str) {
        if self.0.borrow().steps.contains(key) {
            self.fail(Failure::internal(format!("two steps have the key `{key}`")));
        }
    }

    /// Keeps the result of a step for the next rounds.
    pub(super) fn keep_step(&self, key: String, result: Box<RawValue>) {
        let mut inner = self.0.borrow_mut();
        inner.steps.insert(key.clone());
        inner.state.steps.insert(key, result);
    }
}

impl Rounds for Round {
    fn ending(&self, request: &RequestInfo) -> Option<MethodResult> {
        let mut inner = self.0.borrow_mut();
        if let Some(failure) = inner.failure.take() {
            return Some(Err(failure));
        }
        let retry = request.retry.as_ref()?;
        if inner.asked.is_empty() {
            return None;
        }
        let Inner { state, asked, .. } = std::mem::take(&mut *inner);
        Some(match request.version.has_input_requests() {
            true => require(request, retry, state, &asked),
            false => needs_modern_client(retry),
        })
    }
}

/// Reads the client's answers and the state. Where there is a state, only what was asked counts.
fn read(request: &RequestInfo, retry: &RetryInput) -> Result<State, Failure> {
    let mut state = match &retry.request_state {
        Some(token) => State::open(token, request, retry).map_err(|why| reject(&why))?,
        None => State::default(),
    };
    for (key, response) in responses(retry.input_responses.as_deref())? {
        let question = state.asked.remove(&key);
        if question.is_some() || retry.request_state.is_none() {
            state.answers.insert(key, RecordedResponse { question, response });
        }
    }
    state.asked.clear();
    Ok(state)
}

/// The client learns nothing but that the state is of no use; asking again would hide an attack.
fn reject(why: &InvalidState) -> Failure {
    let error = params::invalid("`requestState` is not valid for this request");
    Failure { error, cause: Some(format!("a request state was refused: {why}")) }
}

fn responses(json: Option<&RawValue>) -> Result<BTreeMap<String, Box<RawValue>>, Failure> {
    let Some(json) = json else { return Ok(BTreeMap::new()) };
    let mut responses: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json.get())
        .map_err(|_| params::invalid("`inputResponses` cannot be read"))?;
    responses.retain(|_, response| members::present(Some(response)).is_some());
    match responses.iter().find(|(_, response)| members::object(response).is_err()) {
        Some((key, _)) => {
            let reason = format!("`inputResponses.{}` must be an object", excerpt(key));
            Err(params::invalid(&reason).into())
        }
        None => Ok(responses),
    }
}

/// The answer that asks.
fn require(
    request: &RequestInfo,
    retry: &RetryInput,
    mut state: State,
    asked: &BTreeMap<String, Question>,
) -> MethodResult {
    let needs = asked.values().map(|question| &question.needs);
    let needs = needs.fold(ClientCapabilities::none(), ClientCapabilities::and);
    if let Some(missing) = request.capabilities().missing(&needs) {
        return Err(ProtocolError::MissingClientCapability(missing).into());
    }
    // What nobody has asked for is not carried on.
    state.answers.retain(|_, answer| answer.question.is_some());
    if state.answers.values().map(|answer| answer.response.get().len()).sum::<usize>()
        > MOST_ANSWERS
    {
        return Err(params::invalid("the answers so far are too large to ask for more").into());
    }
    state.round += 1;
    state.asked = asked.iter().map(|(key, question)| (key.clone(), question.mark())).collect();
    // Without a state an answer could be one to another question.
    let keys = request.sealing.keys().map_err(Failure::internal)?;
    let request_state = state.seal(&keys, request, retry).map_err(Failure::internal)?;
    let questions = asked.iter().map(|(key, question)| (key.as_str(), &question.request));
    let result = InputRequiredResult { input_requests: questions.collect(), request_state };
    Ok(ResultObject { result_type: ResultType::InputRequired, ..ResultObject::new(&result)? })
}

/// Legacy clients cannot be asked without a session, and are told so at once.
fn needs_modern_client(retry: &RetryInput) -> MethodResult {
    if retry.method != "tools/call" {
        return Err(ProtocolError::NeedsModernClient.into());
    }
    let result = CallToolResult::new().block(ContentBlock::text(NEEDS_MODERN_CLIENT)).error();
    Ok(ResultObject { outcome: Outcome::ToolError, ..ResultObject::new(&result)? })
}
