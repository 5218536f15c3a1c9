//! Completion of prompt arguments and template variables while a user types them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

use crate::error::{ProtocolError, RequestError, excerpt};
use crate::handler::call::HandlerCall;
use crate::handler::context::{Context, LocalFuture};
use crate::handler::outbox::Outbox;
use crate::handler::params;
use crate::handler::request::RequestInfo;
use crate::handler::result::{Failure, ResultObject};
use crate::protocol::completion::{CompleteResult, Completion};
use crate::protocol::members;

/// What the user has typed so far: of an argument of a prompt, or a variable of a template.
///
/// A whole server:
///
/// ```
#[doc = include_str!("../../examples/completion.rs")]
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompletionRequest {
    /// The beginning of the value, maybe empty.
    pub value: String,
    /// The arguments that are known already. Empty for clients that do not send them.
    pub arguments: BTreeMap<String, String>,
}

/// What completes the values of one argument.
pub(crate) struct Completer {
    pub(crate) argument: Cow<'static, str>,
    complete: Box<dyn Fn(CompletionRequest) -> LocalFuture<Result<Completion, RequestError>>>,
}

/// What a completion handler may return: values, the best first, or a [`Completion`], or a
/// `Result` of one of them with [`RequestError`].
#[diagnostic::on_unimplemented(
    message = "a completion cannot return `{Self}`",
    note = "return `Vec<String>`, `Completion`, or a `Result` of one of them with `RequestError`"
)]
pub trait IntoCompletion {
    /// The value as a completion.
    ///
    /// # Errors
    /// The handler's own.
    fn into_completion(self) -> Result<Completion, RequestError>;
}

impl IntoCompletion for Completion {
    fn into_completion(self) -> Result<Completion, RequestError> {
        Ok(self)
    }
}

impl IntoCompletion for Vec<String> {
    fn into_completion(self) -> Result<Completion, RequestError> {
        Ok(self.into())
    }
}

impl<T: IntoCompletion> IntoCompletion for Result<T, RequestError> {
    fn into_completion(self) -> Result<Completion, RequestError> {
        self?.into_completion()
    }
}

impl Completer {
    pub(crate) fn new<F, R>(argument: Cow<'static, str>, handler: F) -> Self
    where
        F: Fn(CompletionRequest) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoCompletion,
    {
        let complete = move |request| -> LocalFuture<Result<Completion, RequestError>> {
            let values = handler(request);
            Box::pin(async move { values.await.into_completion() })
        };
        Self { argument, complete: Box::new(complete) }
    }

    /// One that offers the values of a list that begin with what was typed, whatever the case.
    pub(crate) fn of_values(argument: Cow<'static, str>, values: &'static [&'static str]) -> Self {
        Self::new(argument, move |request| {
            let typed = request.value.to_lowercase();
            let fits = |value: &&&str| value.to_lowercase().starts_with(&typed);
            let values: Vec<String> =
                values.iter().filter(fits).map(|value| (*value).to_owned()).collect();
            std::future::ready(values)
        })
    }
}

impl fmt::Debug for Completer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Completer").field(&self.argument).finish()
    }
}

/// What has the argument to complete.
#[derive(Debug, Clone)]
pub(crate) enum Of<'a> {
    /// A prompt, by name.
    Prompt(Cow<'a, str>),
    /// A template of resources, itself or a URI that fits it.
    Resource(Cow<'a, str>),
}

/// What a client asks to have completed.
pub(crate) struct Subject<'a> {
    pub(crate) of: Of<'a>,
    argument: Cow<'a, str>,
    request: CompletionRequest,
}

impl<'a> Subject<'a> {
    /// Reads the parameters of `completion/complete`.
    pub(crate) fn read(params: Option<&'a RawValue>) -> Result<Self, Failure> {
        let [reference, argument, context] = params::read(params, ["ref", "argument", "context"])?;
        let [kind, name, uri] = members_of(reference, "ref", ["type", "name", "uri"])?;
        let [argument, value] = members_of(argument, "argument", ["name", "value"])?;
        let of = match params::string(kind, "ref.type")?.as_ref() {
            "ref/prompt" => Of::Prompt(params::string(name, "ref.name")?),
            "ref/resource" => Of::Resource(params::string(uri, "ref.uri")?),
            _ => {
                let reason = "`ref.type` must be `ref/prompt` or `ref/resource`";
                return Err(params::invalid(reason).into());
            }
        };
        let value = params::string(value, "argument.value")?.into_owned();
        let request = CompletionRequest { value, arguments: arguments_in(context)? };
        Ok(Self { of, argument: params::string(argument, "argument.name")?, request })
    }

    /// Starts the completer of the argument; one without a completer completes to nothing.
    pub(crate) fn complete(
        self,
        known: bool,
        completers: &[Completer],
        request: RequestInfo,
    ) -> Result<HandlerCall, Failure> {
        if !known {
            let reason = format!("there is no argument `{}`", excerpt(&self.argument));
            return Err(params::invalid(&reason).into());
        }
        let completer = completers.iter().find(|completer| completer.argument == self.argument);
        let completing = completer.map(|completer| (completer.complete)(self.request));
        let future = async move {
            let completion = match completing {
                Some(completing) => completing.await?,
                None => Completion::default().total(0),
            };
            ResultObject::new(&CompleteResult { completion })
        };
        Ok(HandlerCall::new(Context::new(request, Outbox::default()), Box::pin(future)))
    }

    pub(crate) fn argument(&self) -> &str {
        &self.argument
    }
}

fn members_of<'a, const N: usize>(
    value: Option<&'a RawValue>,
    name: &str,
    names: [&str; N],
) -> Result<[Option<&'a RawValue>; N], Failure> {
    let value = value.ok_or_else(|| params::missing(name))?;
    let read = members::read(value, names);
    Ok(read.map_err(|error| params::invalid(&format!("`{name}` {error}")))?)
}

fn arguments_in(context: Option<&RawValue>) -> Result<BTreeMap<String, String>, ProtocolError> {
    let Some(context) = params::object(context, "context")? else { return Ok(BTreeMap::new()) };
    let [arguments] = params::read(Some(context), ["arguments"])?;
    params::strings(arguments, "context.arguments")
}
