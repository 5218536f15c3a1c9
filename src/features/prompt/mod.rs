//! Prompts: messages that a user chooses, filled in by an `async fn`.

mod arguments;
mod registry;
mod result;

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::RequestError;
use crate::features::completion::{Completer, CompletionRequest, IntoCompletion};
use crate::handler::context::{Context, LocalFuture};
use crate::protocol::Version;
use crate::protocol::identity::Icon;
use crate::protocol::meta;
use crate::protocol::prompt::{GetPromptResult, PromptArgument, PromptDefinition};
use crate::schema::{self, MakeSchema};

pub(crate) use registry::{Prompts, Registry};
pub use result::IntoPromptResult;

type Messages = LocalFuture<Result<GetPromptResult, RequestError>>;
type Handler = Box<dyn Fn(Vec<(String, String)>, Context) -> Result<Messages, RequestError>>;

/// A prompt that the client's user can choose.
///
/// The handler is a plain `async fn` from arguments to messages. Its argument type is a struct of
/// texts, numbers, booleans and unit-only enums; `Option` fields are optional, and the docs of the
/// fields describe the arguments. On the wire all of them are strings, which are read here.
///
/// ```
/// use midge::{NoArguments, Prompt, Server};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Review {
///     /// The code to review.
///     code: String,
///     /// The language it is written in.
///     language: Option<String>,
/// }
///
/// async fn review(args: Review) -> String {
///     let language = args.language.as_deref().unwrap_or("some language");
///     format!("Review this code in {language}:\n\n{}", args.code)
/// }
///
/// let prompt = Prompt::new("review", review)
///     .description("Reviews code.")
///     .complete_from("language", &["Rust", "Ruby", "TypeScript"]);
/// let server = Server::new("prompts", "1.0.0").prompt(prompt);
/// # server.validate().unwrap();
/// ```
///
/// A whole server:
///
/// ```
#[doc = include_str!("../../../examples/prompts.rs")]
/// ```
pub struct Prompt {
    name: Cow<'static, str>,
    title: Option<Cow<'static, str>>,
    description: Cow<'static, str>,
    handler: Handler,
    schema: MakeSchema,
    completers: Vec<Completer>,
    icons: Vec<Icon>,
    meta: Option<Map<String, Value>>,
}

impl Prompt {
    /// A prompt whose handler takes its arguments; [`NoArguments`](crate::NoArguments) for none.
    #[must_use]
    pub fn new<A, F, R>(name: impl Into<Cow<'static, str>>, handler: F) -> Self
    where
        A: DeserializeOwned + JsonSchema + 'static,
        F: Fn(A) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoPromptResult,
    {
        Self::with_context(name, move |arguments, _| handler(arguments))
    }

    /// A prompt whose handler takes its arguments and the [`Context`] of the request.
    #[must_use]
    pub fn with_context<A, F, R>(name: impl Into<Cow<'static, str>>, handler: F) -> Self
    where
        A: DeserializeOwned + JsonSchema + 'static,
        F: Fn(A, Context) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoPromptResult,
    {
        Self {
            name: name.into(),
            title: None,
            description: Cow::Borrowed(""),
            handler: Box::new(move |arguments, context| {
                let arguments = arguments::read(arguments)
                    .map_err(|error| RequestError::invalid(error.to_string()))?;
                let messages = handler(arguments, context);
                Ok(Box::pin(async move { messages.await.into_prompt_result() }))
            }),
            schema: schema::of_input::<A>,
            completers: Vec::new(),
            icons: Vec::new(),
            meta: None,
        }
    }

    /// Says what the prompt is for.
    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Adds an icon.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Sets a key of the prompt's `_meta`.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Completes the values of an argument while the user types, by an `async fn` from what was
    /// typed to values, the best first; see [`IntoCompletion`].
    #[must_use]
    pub fn complete<F, R>(mut self, argument: impl Into<Cow<'static, str>>, handler: F) -> Self
    where
        F: Fn(CompletionRequest) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoCompletion,
    {
        self.completers.push(Completer::new(argument.into(), handler));
        self
    }

    /// Completes the values of an argument from a list.
    #[must_use]
    pub fn complete_from(
        mut self,
        argument: impl Into<Cow<'static, str>>,
        values: &'static [&'static str],
    ) -> Self {
        self.completers.push(Completer::of_values(argument.into(), values));
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn completes(&self) -> bool {
        !self.completers.is_empty()
    }

    /// Reads the arguments and starts the handler.
    fn get(
        &self,
        arguments: Vec<(String, String)>,
        context: Context,
    ) -> Result<Messages, RequestError> {
        (self.handler)(arguments, context)
    }

    fn arguments(&self) -> Result<Vec<PromptArgument>, Vec<String>> {
        arguments::of_schema(&(self.schema)())
    }

    /// The prompt as a client of `version` may see it.
    fn definition(&self, version: Version) -> PromptDefinition<'_> {
        let mut arguments = self.arguments().unwrap_or_default();
        if !version.has_titles() {
            arguments.iter_mut().for_each(|argument| argument.title = None);
        }
        PromptDefinition {
            name: &self.name,
            title: self.title.as_deref().filter(|_| version.has_titles()),
            description: &self.description,
            arguments,
            icons: if version.has_icons() { &self.icons } else { &[] },
            meta: self.meta.as_ref().filter(|_| version.has_titles()),
        }
    }

    /// What a client would hold against this prompt.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.name.is_empty() {
            problems.push("a name is missing".to_owned());
        }
        if self.description.is_empty() {
            problems.push("a description is missing, and users choose by it".to_owned());
        }
        match self.arguments() {
            Err(reasons) => problems.extend(reasons),
            Ok(arguments) => problems.extend(self.completers.iter().filter_map(|completer| {
                let known = arguments.iter().any(|argument| argument.name == completer.argument);
                (!known)
                    .then(|| format!("it completes `{}`, which is no argument", completer.argument))
            })),
        }
        problems.extend(meta::problems(self.meta.as_ref()));
        problems
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Prompt")
            .field("name", &self.name)
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}
