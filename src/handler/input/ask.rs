//! Questions to the user, and steps that run once in several rounds.

use std::any::Any;
use std::future::pending;
use std::rc::Rc;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::not_answered::NotAnswered;
use super::round::{Question, Round};
use crate::handler::context::Context;
use crate::handler::result::Failure;
use crate::protocol::capabilities::ClientCapabilities;
use crate::protocol::finite;
use crate::protocol::input::{
    ElicitAction, ElicitParams, ElicitResult, InputRequest, ListRootsResult, Root,
};
use crate::schema::form::{from_type, validate_form::validate_form};
use crate::schema::from_json;

/// What a client's response to a question comes to; `None` for one that does not fit it.
pub(super) type Reading<T> = Option<Result<T, Refusal>>;

/// What a user did instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Declined,
    Cancelled,
}

impl Refusal {
    fn of(self, key: &str) -> NotAnswered {
        let key = key.to_owned();
        match self {
            Self::Declined => NotAnswered::Declined { key },
            Self::Cancelled => NotAnswered::Cancelled { key },
        }
    }
}

impl Context {
    /// Asks the user to fill in a form, described by a type: a flat struct of texts, numbers,
    /// booleans, unit-only enums and lists of those enums.
    ///
    /// Where there is no answer yet, the handler ends here, and so does the exchange; when the
    /// client comes back with the answer, the handler runs again **from the top**, and this line
    /// yields it. So ask before doing, put what must not run twice into [`Context::step`], and
    /// give each question its own `key`: two of one key are an internal error. What is asked
    /// together, as by `join!`, is sent together.
    ///
    /// An answer that does not fit the form is asked for again, and so is one to another question
    /// under the same key, as after a change of the price in `message`; the state of the request
    /// tells which was asked, so this takes [keys](crate::SealingKeys). An answer is the client's
    /// word, and not proof that a user was asked. Never ask for secrets by a form: use
    /// [`Context::elicit_url`].
    ///
    /// ```
    /// use midge::{Context, NoArguments, Server, Tool, ToolError};
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Name {
    ///     /// Your name.
    ///     name: String,
    /// }
    ///
    /// async fn greet(_: NoArguments, context: Context) -> Result<String, ToolError> {
    ///     let Name { name } = context.elicit("user_name", "What is your name?").await?;
    ///     Ok(format!("Hello, {name}!"))
    /// }
    ///
    /// let tool = Tool::with_context("greet", greet).description("Greets the user.");
    /// # drop(Server::new("greeter", "1.0.0").tool(tool));
    /// ```
    ///
    /// Fields of other kinds, a page, and users who say no:
    ///
    /// ```
    #[doc = include_str!("../../../examples/elicitation.rs")]
    /// ```
    ///
    /// # Errors
    /// [`NotAnswered`], when the user declines or dismisses the question. A client that cannot ask
    /// its user is told what it lacks (-32021), or, as a legacy client, what it takes.
    pub async fn elicit<T>(
        &self,
        key: impl Into<String>,
        message: impl Into<String>,
    ) -> Result<T, NotAnswered>
    where
        T: DeserializeOwned + JsonSchema,
    {
        let form = from_type::form_of::<T>().map_err(Failure::internal);
        let read = |content| from_json::from_value(content).ok();
        self.elicit_form(key.into(), &message.into(), form, read).await
    }

    async fn elicit_form<T>(
        &self,
        key: String,
        message: &str,
        form: Result<Value, Failure>,
        read: impl Fn(Value) -> Option<T>,
    ) -> Result<T, NotAnswered> {
        let form = match form {
            Ok(form) => form,
            Err(failure) => return self.give_up(failure).await,
        };
        let params = ElicitParams::Form { message, requested_schema: &form };
        let needs = ClientCapabilities::none().with_elicitation();
        let question = question("elicitation/create", &params, needs);
        self.ask(key, question, |response| {
            elicited(response)?.map_or_else(
                |refusal| Some(Err(refusal)),
                |content| {
                    let content =
                        content.filter(|content| validate_form(&form, content).is_ok())?;
                    read(content).map(Ok)
                },
            )
        })
        .await
    }

    /// Sends the user to a page, for what must not pass through the client: passwords, keys,
    /// payments, the consent of a third party.
    ///
    /// That the user has agreed to go there does not say that anything is done there: look it up
    /// where the page has left it, and ask again under another key as long as it is not. The URL
    /// must not carry anything about the user, nor log anybody in, and the page must make sure that
    /// who opens it is who called the tool.
    ///
    /// # Errors
    /// As [`Context::elicit`].
    pub async fn elicit_url(
        &self,
        key: impl Into<String>,
        message: impl Into<String>,
        url: impl Into<String>,
    ) -> Result<(), NotAnswered> {
        let (message, url) = (message.into(), url.into());
        if !crate::protocol::uri::is_uri(&url) {
            let cause = format!("`{url}` is not a URL to send a user to");
            return self.give_up(Failure::internal(cause)).await;
        }
        let params = ElicitParams::Url { message: &message, url: &url };
        let needs = ClientCapabilities::none().with_url_elicitation();
        let question = question("elicitation/create", &params, needs);
        self.ask(key.into(), question, |response| Some(elicited(response)?.map(|_| ()))).await
    }

    /// Asks for the folders that the client works on. Information, not a permission: whoever calls
    /// can name any folder.
    ///
    /// # Errors
    /// None of today's: clients answer this themselves. As [`Context::elicit`] for missing
    /// capabilities.
    pub async fn list_roots(&self, key: impl Into<String>) -> Result<Vec<Root>, NotAnswered> {
        let needs = ClientCapabilities::none().with_roots();
        let question = question("roots/list", &Value::Object(Default::default()), needs);
        self.ask(key.into(), question, |response| {
            let result: ListRootsResult = serde_json::from_str(response.get()).ok()?;
            Some(Ok(result.roots))
        })
        .await
    }

    /// Does work once, however often the handler runs: when a later question sends the client away
    /// and it comes back, the result is taken from the sealed state.
    ///
    /// Only successful results are kept. A client that never got the question, or starts anew, has
    /// the work done again: where it costs money, give the service behind it an idempotency key.
    /// The result travels through the client, encrypted: at most some 40 KB in all. Two steps of
    /// one key are an internal error; one that has failed may be tried again.
    ///
    /// ```
    #[doc = include_str!("../../../examples/steps.rs")]
    /// ```
    ///
    /// # Errors
    /// Those of the work itself.
    pub async fn step<T, E>(
        &self,
        key: impl Into<String>,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
    {
        let (key, round) = (key.into(), self.round());
        round.check_step(&key);
        if round.has_failed() {
            return pending().await;
        }
        if let Some(kept) = round.step(&key)
            && let Ok(result) = serde_json::from_str(kept.get())
        {
            round.keep_step(key, kept);
            return Ok(result);
        }
        let result = work.await?;
        // Another of that key may have been done meanwhile.
        round.check_step(&key);
        match finite::to_json(&result) {
            Err(error) => self.give_up(Failure::internal(format!("step `{key}`: {error}"))).await,
            Ok(_) if round.has_failed() => pending().await,
            Ok(kept) => {
                round.keep_step(key, kept);
                Ok(result)
            }
        }
    }

    /// Yields the client's answer to a question, or ends the round with it.
    pub(super) async fn ask<T>(
        &self,
        key: String,
        question: Result<Question, Failure>,
        read: impl Fn(&RawValue) -> Reading<T>,
    ) -> Result<T, NotAnswered> {
        let question = match question {
            Ok(question) => question,
            Err(failure) => return self.give_up(failure).await,
        };
        let round = self.round();
        let response = round.response(&key, &question);
        match response.and_then(|response| read(&response)) {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(refusal)) => Err(refusal.of(&key)),
            None => {
                round.ask(key, question);
                pending().await
            }
        }
    }

    /// Ends the exchange: the handler never goes on.
    async fn give_up<T>(&self, failure: Failure) -> T {
        self.round().fail(failure);
        pending().await
    }

    fn round(&self) -> Rc<Round> {
        let rounds: Rc<dyn Any> = self.rounds(|request| Rc::new(Round::open(request)));
        // They are never of another type.
        rounds.downcast().unwrap_or_default()
    }
}

pub(super) fn question(
    method: &'static str,
    params: &impl Serialize,
    needs: ClientCapabilities,
) -> Result<Question, Failure> {
    let params = finite::to_json(params).map_err(Failure::internal)?;
    Ok(Question { request: InputRequest { method, params }, needs })
}

/// What the user did with a form or a URL.
fn elicited(response: &RawValue) -> Option<Result<Option<Value>, Refusal>> {
    let result: ElicitResult = serde_json::from_str(response.get()).ok()?;
    Some(match result.action {
        ElicitAction::Accept => Ok(result.content.map(|content| match content {
            // As PHP writes an empty object.
            Value::Array(items) if items.is_empty() => Value::Object(Default::default()),
            content => content,
        })),
        ElicitAction::Decline => Err(Refusal::Declined),
        ElicitAction::Cancel => Err(Refusal::Cancelled),
    })
}
