//! Parameters of `sampling/createMessage`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::conversation::{Conversation, InvalidSampling};
use super::result::CreateMessageResult;
use crate::protocol::capabilities::ClientCapabilities;
use crate::protocol::content::{ContentBlock, Role};
use crate::protocol::tool::CallToolResult;

/// What the client's model should go on from; see [`Context::sample`](crate::Context::sample).
///
/// ```
/// use midge::{ContentBlock, CreateMessage};
///
/// let request = CreateMessage::new(200)
///     .system_prompt("You describe pictures in one sentence.")
///     .user("What is on this picture?")
///     .user(ContentBlock::image(b"\x89PNG...", "image/png"))
///     .model_hint("sonnet")
///     .speed_priority(0.8);
/// # drop(request);
/// ```
///
/// Which model it is, and what of this it gets to see, is up to the client and its user.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateMessage {
    messages: Conversation,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_preferences: Option<ModelPreferences>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_context: Option<IncludeContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<SamplingTool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelPreferences {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<ModelHint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_priority: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed_priority: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intelligence_priority: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
struct ModelHint {
    name: String,
}

/// A tool of the question: nothing that the server's clients can call.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SamplingTool {
    name: String,
    description: String,
    input_schema: Value,
}

/// What else the model gets to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum IncludeContext {
    /// Nothing, as when nothing is said.
    None,
    /// What the client has from this server. Deprecated in the protocol even before sampling.
    ThisServer,
    /// What the client has from all its servers. Deprecated in the protocol even before sampling.
    AllServers,
}

/// Whether the model uses tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum ToolChoice {
    /// As it likes, as when nothing is said.
    Auto,
    /// It must use one at least.
    Required,
    /// It must not, as in the last round of a loop.
    None,
}

impl CreateMessage {
    /// No messages yet, and an answer of so many tokens at most.
    #[must_use]
    pub fn new(max_tokens: u32) -> Self {
        Self {
            messages: Conversation::default(),
            max_tokens,
            model_preferences: None,
            system_prompt: None,
            include_context: None,
            temperature: None,
            stop_sequences: Vec::new(),
            metadata: None,
            tools: Vec::new(),
            tool_choice: None,
        }
    }

    /// The user says something: text, an image or audio.
    #[must_use]
    pub fn user(mut self, content: impl Into<ContentBlock>) -> Self {
        self.messages.say(Role::User, content.into());
        self
    }

    /// The model says something: text, an image or audio.
    #[must_use]
    pub fn assistant(mut self, content: impl Into<ContentBlock>) -> Self {
        self.messages.say(Role::Assistant, content.into());
        self
    }

    /// Says what the model is to be. The client may change it or leave it out.
    #[must_use]
    pub fn system_prompt(mut self, prompt: impl Into<String>) -> Self {
        self.system_prompt = Some(prompt.into());
        self
    }

    /// How freely the model answers; what the numbers mean is up to it.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature).filter(|temperature| temperature.is_finite());
        self
    }

    /// Adds a text at which the model stops.
    #[must_use]
    pub fn stop_sequence(mut self, text: impl Into<String>) -> Self {
        self.stop_sequences.push(text.into());
        self
    }

    /// Names a model, or a part of its name. The first of several that the client has counts.
    #[must_use]
    pub fn model_hint(self, name: impl Into<String>) -> Self {
        self.prefer(|preferences| preferences.hints.push(ModelHint { name: name.into() }))
    }

    /// How much it matters that the model is cheap, from 0 to 1. Values outside are clamped.
    #[must_use]
    pub fn cost_priority(self, priority: f64) -> Self {
        self.prefer(|preferences| preferences.cost_priority = clamped(priority))
    }

    /// How much it matters that the model is fast, from 0 to 1. Values outside are clamped.
    #[must_use]
    pub fn speed_priority(self, priority: f64) -> Self {
        self.prefer(|preferences| preferences.speed_priority = clamped(priority))
    }

    /// How much it matters that the model is capable, from 0 to 1. Values outside are clamped.
    #[must_use]
    pub fn intelligence_priority(self, priority: f64) -> Self {
        self.prefer(|preferences| preferences.intelligence_priority = clamped(priority))
    }

    /// What else the model gets to see. All but [`IncludeContext::None`] needs a client that
    /// declares `sampling.context`.
    #[must_use]
    pub fn include_context(mut self, context: IncludeContext) -> Self {
        self.include_context = Some(context);
        self
    }

    /// Offers a tool to the model, by a JSON Schema of the type `object`. The server runs it, when
    /// the answer says so: see [`CreateMessage::tool_results`].
    ///
    /// Needs a client that declares `sampling.tools`, as all that has to do with tools here.
    #[must_use]
    pub fn tool(
        mut self,
        name: impl Into<String>,
        description: impl Into<String>,
        input_schema: Value,
    ) -> Self {
        let (name, description) = (name.into(), description.into());
        self.tools.push(SamplingTool { name, description, input_schema });
        self
    }

    /// Says whether the model uses tools.
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = Some(choice);
        self
    }

    /// Sets a key of what the client hands on to whoever runs the model.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Adds an answer in which the model uses tools. What follows must be their results.
    #[must_use]
    pub fn tool_use(mut self, answer: &CreateMessageResult) -> Self {
        self.messages.answer(answer.content.clone());
        self
    }

    /// Adds what the tools came to that the last answer used: one result for each, by its id.
    ///
    /// The handler runs again for each round, and a question that has changed is asked anew: so
    /// tools whose results may differ, or must not run twice, run in a
    /// [`Context::step`](crate::Context::step). Let the loop end after some rounds, whatever the
    /// model wants.
    ///
    /// ```
    /// use midge::{CallToolResult, Context, CreateMessage, NoArguments, ToolChoice, ToolError};
    ///
    /// async fn advise(_: NoArguments, context: Context) -> Result<String, ToolError> {
    ///     let schema = serde_json::json!({ "type": "object" });
    ///     let mut request = CreateMessage::new(300)
    ///         .user("Do I need an umbrella?")
    ///         .tool("weather", "Tells the weather.", schema);
    ///     for round in 0..4 {
    ///         let answer = context.sample(format!("model_{round}"), &request).await?;
    ///         if answer.tool_uses().next().is_none() {
    ///             return Ok(answer.text());
    ///         }
    ///         let weather = context.step("weather", look_outside()).await?;
    ///         let results = answer.tool_uses().map(|tool_use| {
    ///             (tool_use.id.clone(), CallToolResult::new().block(weather.clone()))
    ///         });
    ///         request = request.tool_use(&answer).tool_results(results);
    ///         if round == 2 {
    ///             request = request.tool_choice(ToolChoice::None);
    ///         }
    ///     }
    ///     Err(ToolError::new("The model cannot decide."))
    /// }
    /// # async fn look_outside() -> Result<String, ToolError> { Ok("Rain.".to_owned()) }
    /// # drop(advise);
    /// ```
    #[must_use]
    pub fn tool_results(
        mut self,
        results: impl IntoIterator<Item = (String, CallToolResult)>,
    ) -> Self {
        self.messages.results(results.into_iter());
        self
    }

    fn prefer(mut self, change: impl FnOnce(&mut ModelPreferences)) -> Self {
        change(self.model_preferences.get_or_insert_default());
        self
    }

    /// What a client must be able to do to be asked this.
    pub(crate) fn needs(&self) -> ClientCapabilities {
        let mut needs = ClientCapabilities::none().with_sampling();
        if !self.tools.is_empty() || self.tool_choice.is_some() || self.messages.has_tools() {
            needs = needs.with_sampling_tools();
        }
        if self.include_context.is_some_and(|context| context != IncludeContext::None) {
            needs = needs.with_sampling_context();
        }
        needs
    }

    /// Whether a client can make sense of it.
    pub(crate) fn check(&self) -> Result<(), InvalidSampling> {
        match self.tools.iter().find(|tool| tool.input_schema["type"] != "object") {
            Some(tool) => Err(InvalidSampling::Schema(tool.name.clone())),
            None => self.messages.check(),
        }
    }
}

/// A priority; none where it is not a number.
fn clamped(priority: f64) -> Option<f64> {
    (!priority.is_nan()).then(|| priority.clamp(0.0, 1.0))
}
