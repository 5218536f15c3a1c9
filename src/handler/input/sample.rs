//! Requests to the client's model.

use std::borrow::Borrow;

use super::ask::question;
use super::not_answered::NotAnswered;
use super::round::Question;
use crate::handler::context::Context;
use crate::handler::result::Failure;
use crate::protocol::sampling::{CreateMessage, CreateMessageResult};

impl Context {
    /// Asks the client's model, at the client's cost and under its user's eyes.
    ///
    /// The handler runs again from the top when the answer is there, as with [`Context::elicit`].
    /// An answer that is no message is asked for again, and so is the answer to a question that has
    /// changed meanwhile: what goes into the question must be the same in each round, or come from
    /// a [`Context::step`]. Earlier answers travel with the steps, under the same limit, and
    /// answers above 32 KiB are refused where there is more to ask. For a model that uses tools see [`CreateMessage::tool_results`].
    ///
    /// Deprecated in the protocol, in force until a version without it: where a server can call a
    /// model itself, it should. What the model says may come from anybody; trust it no more than
    /// the arguments of a tool.
    ///
    /// ```
    #[doc = include_str!("../../../examples/sampling.rs")]
    /// ```
    ///
    /// # Errors
    /// None of today's: the protocol has no word for a user who does not let the model answer. A
    /// client without such a model, or one that gives it no tools or context where the question
    /// needs them, is told what it lacks (-32021); a legacy client, what it takes. A question that
    /// no client can make sense of, as one whose tool uses and results do not match, is an internal
    /// error, with its cause in the log.
    pub async fn sample(
        &self,
        key: impl Into<String>,
        request: impl Borrow<CreateMessage>,
    ) -> Result<CreateMessageResult, NotAnswered> {
        let question = sampling(request.borrow());
        self.ask(key.into(), question, |response| {
            let result: CreateMessageResult = serde_json::from_str(response.get()).ok()?;
            result.has_distinct_ids().then_some(Ok(result))
        })
        .await
    }
}

fn sampling(request: &CreateMessage) -> Result<Question, Failure> {
    request.check().map_err(Failure::internal)?;
    question("sampling/createMessage", request, request.needs())
}
