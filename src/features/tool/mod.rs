//! Tools: a name, a description and an `async fn`.

mod arguments;
mod call;
mod definition;
mod problems;
pub(crate) mod result;
mod validate_call;

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{ProtocolError, ToolError};
use crate::features::tool::result::IntoToolResult;
use crate::features::tool::validate_call::{CheckResult, CheckSchema};
use crate::handler::context::{Context, LocalFuture};
use crate::handler::request::RequestInfo;
use crate::handler::result::MethodResult;
use crate::headers::map::Fields;
use crate::headers::mirrored::check_params;
use crate::protocol::capabilities::ClientCapabilities;
use crate::protocol::identity::Icon;
use crate::protocol::tool::ToolAnnotations;
use crate::schema::header_params;
use crate::schema::{self, MakeSchema};

pub(crate) use call::{Ending, finish};

/// Compares headers with the arguments that a schema declares for them; `None` for arguments that
/// cannot be read.
type CheckHeaders = fn(&Fields, &Value, Option<&Value>) -> Result<(), ProtocolError>;
type Handler = Box<dyn Fn(&str, Context, Ending) -> Result<LocalFuture<MethodResult>, ToolError>>;

/// A tool that the client's model can call.
///
/// The handler is a plain `async fn` from arguments to a result. Its argument type is read from
/// the call's `arguments` and gives the input schema, docs of the fields included; the result is
/// anything that implements [`IntoToolResult`]. Arguments that do not fit never reach the handler:
/// the model is told what is wrong, and where. Rules beyond the type, as ranges and formats, are
/// checked by tools with [`Tool::enforce_schema`].
///
/// ```
/// use midge::{Json, Tool, ToolError};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Count {
///     /// The text to count the words of.
///     text: String,
/// }
///
/// #[derive(serde::Serialize, schemars::JsonSchema)]
/// struct Words {
///     words: usize,
/// }
///
/// async fn count(args: Count) -> Result<Json<Words>, ToolError> {
///     Ok(Json(Words { words: args.text.split_whitespace().count() }))
/// }
///
/// let tool = Tool::new("count_words", count).description("Counts the words of a text.");
/// # drop(tool);
/// ```
pub struct Tool {
    name: Cow<'static, str>,
    description: Cow<'static, str>,
    handler: Handler,
    input_schema: MakeSchema,
    output_schema: fn() -> Option<Value>,
    run_to_completion: bool,
    early_stream: bool,
    heartbeat: bool,
    /// Whether the handler has a context, by which it may ask the client.
    may_ask: bool,
    /// What few tools have, so that many tools are cheap to build: a server lives for one exchange.
    extras: Option<Box<Extras>>,
}

#[derive(Debug, Default)]
struct Extras {
    title: Option<Cow<'static, str>>,
    annotations: Option<ToolAnnotations>,
    icons: Vec<Icon>,
    meta: Option<Map<String, Value>>,
    /// In place of the one of the argument type.
    input_schema: Option<MakeSchema>,
    /// Of tools with header parameters or a schema check.
    check: Option<arguments::Check>,
    check_schema: Option<CheckSchema>,
    output: Option<Output>,
    requires: Option<Requires>,
    header_params: Option<HeaderParams>,
}

/// How arguments that clients repeat in headers are found in a schema, and compared. Function
/// pointers, so that tools without header parameters link neither.
#[derive(Debug, Clone, Copy)]
struct HeaderParams {
    publish: fn(&mut Value),
    check: CheckHeaders,
}

/// What the tool's own structured content must fit, and the check that it does.
#[derive(Debug, Clone, Copy)]
struct Output {
    schema: MakeSchema,
    check: CheckResult,
}

/// What the client must be able to do.
#[derive(Debug)]
struct Requires {
    capabilities: ClientCapabilities,
    missing: fn(&ClientCapabilities, &RequestInfo) -> Option<Box<RawValue>>,
}

impl Tool {
    /// A tool whose handler takes its arguments: any type that `serde` reads and `schemars`
    /// describes as an object. An `enum` belongs into a member of a struct: large model APIs refuse
    /// alternatives at the root of a schema.
    #[must_use]
    pub fn new<A, F, R>(name: impl Into<Cow<'static, str>>, handler: F) -> Self
    where
        A: DeserializeOwned + JsonSchema + 'static,
        F: Fn(A) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoToolResult,
    {
        Self::build::<A, R::Output>(
            name.into(),
            Box::new(move |json, _, ending| {
                let call = handler(arguments::read(json)?);
                Ok(Box::pin(async move { ending.finish(call.await.into_tool_result()) }))
            }),
        )
    }

    /// A tool whose handler takes its arguments and the [`Context`] of the request, to report
    /// progress, to log, or to know who asks.
    #[must_use]
    pub fn with_context<A, F, R>(name: impl Into<Cow<'static, str>>, handler: F) -> Self
    where
        A: DeserializeOwned + JsonSchema + 'static,
        F: Fn(A, Context) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoToolResult,
    {
        let tool = Self::build::<A, R::Output>(
            name.into(),
            Box::new(move |json, context, ending| {
                let call = handler(arguments::read(json)?, context);
                Ok(Box::pin(async move { ending.finish(call.await.into_tool_result()) }))
            }),
        );
        Self { may_ask: true, ..tool }
    }

    fn build<A: JsonSchema, R: IntoToolResult>(name: Cow<'static, str>, handler: Handler) -> Self {
        Self {
            name,
            description: Cow::Borrowed(""),
            handler,
            input_schema: schema::of_input::<A>,
            output_schema: R::output_schema,
            run_to_completion: false,
            early_stream: false,
            heartbeat: false,
            may_ask: false,
            extras: None,
        }
    }

    /// Says what the tool does and when to use it: the text by which a model chooses.
    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.extras_mut().title = Some(title.into());
        self
    }

    /// Sets hints on what the tool does.
    #[must_use]
    pub fn annotations(mut self, annotations: ToolAnnotations) -> Self {
        self.extras_mut().annotations = Some(annotations);
        self
    }

    /// Adds an icon.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.extras_mut().icons.push(icon);
        self
    }

    /// Sets a key of the tool's `_meta`.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta_mut().insert(key.into(), value.into());
        self
    }

    pub(crate) fn meta_mut(&mut self) -> &mut Map<String, Value> {
        self.extras_mut().meta.get_or_insert_default()
    }

    pub(crate) fn meta_of(&self, key: &str) -> Option<&Value> {
        self.extras.as_ref()?.meta.as_ref()?.get(key)
    }

    /// Publishes a schema in place of the one of the argument type, word for word, with all
    /// keywords of JSON Schema 2020-12, and refuses arguments that it forbids.
    ///
    /// The argument type still reads the arguments, so it must take whatever the schema allows.
    /// References may lead to other parts of the schema only; `pattern` needs the feature
    /// `pattern` of this crate. [`Server::validate`](crate::Server::validate) finds what cannot be
    /// enforced, and calls that come upon it are refused.
    ///
    /// Give the root `properties` and no `oneOf`, `anyOf` or `allOf`: large model APIs refuse such
    /// schemas, and clients then drop the tool without a word. Within a property they are fine.
    ///
    /// ```
    /// # use midge::Tool;
    /// # use serde_json::{Map, Value, json};
    /// let tool = Tool::new("reach", async |_: Map<String, Value>| "sent")
    ///     .description("Sends a message by phone or email.")
    ///     .input_schema(|| json!({
    ///         "type": "object",
    ///         "properties": { "phone": { "type": "string" }, "email": { "type": "string" } },
    ///         "additionalProperties": false,
    ///         "minProperties": 1,
    ///     }));
    /// # drop(tool);
    /// ```
    #[must_use]
    pub fn input_schema(mut self, schema: fn() -> Value) -> Self {
        self.extras_mut().input_schema = Some(schema);
        self.enforce_schema()
    }

    /// Holds arguments against the schema of their type before they are read, so that ranges,
    /// lengths, formats and whatever else `#[schemars(…)]` declares is never broken in a handler.
    ///
    /// Reading a type checks its members, types and variants already, which is enough for most:
    /// so the validator, 34 KB, is in components only where a tool asks for it.
    /// [`Server::validate`](crate::Server::validate), which [`export!`](crate::export) makes a
    /// test, reports a tool whose schema says more than its type checks and that does not.
    ///
    /// ```
    /// # use midge::Tool;
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Roll {
    ///     #[schemars(range(min = 2, max = 100))]
    ///     sides: u32,
    /// }
    ///
    /// let tool = Tool::new("roll", async |roll: Roll| format!("1 of {}", roll.sides))
    ///     .description("Rolls a die.")
    ///     .enforce_schema();
    /// # drop(tool);
    /// ```
    #[must_use]
    pub fn enforce_schema(mut self) -> Self {
        let extras = self.extras_mut();
        extras.check = Some(arguments::check);
        extras.check_schema = Some(validate_call::check_arguments);
        self
    }

    /// Publishes a schema of the structured content, for tools that answer with a
    /// [`CallToolResult`](crate::CallToolResult) of their own making; [`Json`](crate::Json) brings its schema itself.
    ///
    /// Every result that is no error must have structured content that fits it. What does not is
    /// answered as an internal error, and the log names the place and the rule.
    #[must_use]
    pub fn output_schema(mut self, schema: fn() -> Value) -> Self {
        self.extras_mut().output = Some(Output { schema, check: validate_call::check_result });
        self
    }

    /// Refuses calls of clients that did not declare these capabilities: modern clients get the
    /// error -32021 with what is missing, legacy clients a result that says why (their
    /// capabilities cannot be known without a session).
    #[must_use]
    pub fn requires(mut self, capabilities: ClientCapabilities) -> Self {
        // A function pointer, so that servers which require nothing need not link the types.
        let missing = |needed: &ClientCapabilities, request: &RequestInfo| {
            request.capabilities().missing(needed)
        };
        self.extras_mut().requires = Some(Requires { capabilities, missing });
        self
    }

    /// Has modern clients repeat arguments in HTTP headers, where gateways can see them: every
    /// argument whose field has the keyword `x-mcp-header` with the rest of the header's name after
    /// `Mcp-Param-`. The SDK checks that header and argument say the same.
    ///
    /// A field may be a string, an integer or a boolean, or an `Option` of one, of the argument type
    /// itself or of a struct within it that is inlined. [`Server::validate`](crate::Server::validate)
    /// finds declarations for which clients would drop the tool. Never declare a secret.
    ///
    /// ```
    #[doc = include_str!("../../../examples/header_param.rs")]
    /// ```
    #[must_use]
    pub fn header_params(mut self) -> Self {
        let check: CheckHeaders = |headers, schema, arguments| {
            check_params(headers, &header_params::find(schema), arguments)
        };
        let extras = self.extras_mut();
        extras.check = Some(arguments::check);
        extras.header_params = Some(HeaderParams { publish: header_params::publish, check });
        self
    }

    /// Lets a call run to its end, or to the deadline, also when the client has gone: for work
    /// that must not be cut in the middle. [`Context::is_cancelled`] tells.
    ///
    /// The answer starts as a stream at once, which is how the host learns not to cut it. A client
    /// that takes no streams cannot be given that promise: until its answer is written, a host
    /// that watches the connection may cut the call.
    #[must_use]
    pub fn run_to_completion(mut self) -> Self {
        self.run_to_completion = true;
        self.early_stream = true;
        self
    }

    /// Starts the answer as a stream at once and writes a keep-alive four times a second, instead
    /// of when there is something to say. WASI 0.2 tells a component that its client is gone only
    /// when it writes: a tool that holds something it must release, or whose deferred work must
    /// not be lost, is told within that time, before a host's grace is over.
    #[must_use]
    pub fn early_stream(mut self) -> Self {
        self.early_stream = true;
        self.heartbeat = true;
        self
    }

    fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn may_ask(&self) -> bool {
        self.may_ask
    }

    pub(crate) fn streams_early(&self) -> bool {
        self.early_stream
    }

    pub(crate) fn has_heartbeat(&self) -> bool {
        self.heartbeat
    }

    pub(crate) fn runs_to_completion(&self) -> bool {
        self.run_to_completion
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tool")
            .field("name", &self.name)
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}

/// Arguments of a tool that takes none.
///
/// Its schema is an object that allows no members; those that a client sends all the same are
/// ignored.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[schemars(transform = schema::without_description)]
pub struct NoArguments {}
