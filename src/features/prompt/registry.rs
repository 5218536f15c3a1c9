//! The prompts of a server, and the methods that list and get them.

use std::any::Any;
use std::collections::HashSet;

use serde_json::value::RawValue;

use super::Prompt;
use crate::error::{ProtocolError, excerpt};
use crate::features::completion::Subject;
use crate::features::list::{List, Lists};
use crate::handler::call::HandlerCall;
use crate::handler::context::Context;
use crate::handler::outbox::Outbox;
use crate::handler::params;
use crate::handler::request::{RequestInfo, RetryInput};
use crate::handler::result::{Failure, MethodResult, ResultObject};

/// The methods of prompts. An object, so that a server without prompts need not link them.
pub(crate) trait Prompts: Any + std::fmt::Debug {
    fn add(&mut self, prompt: Prompt);
    fn list(&self, lists: &Lists, params: Option<&RawValue>, request: &RequestInfo)
    -> MethodResult;
    fn get(&self, params: Option<&RawValue>, request: RequestInfo) -> Result<HandlerCall, Failure>;
    fn complete(
        &self,
        name: &str,
        subject: Subject<'_>,
        request: RequestInfo,
    ) -> Result<HandlerCall, Failure>;
}

/// Prompts in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Registry(Vec<Prompt>);

impl Registry {
    /// What clients would hold against them.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut names = HashSet::new();
        let mut problems = Vec::new();
        for prompt in &self.0 {
            let name = prompt.name();
            problems.extend(prompt.problems().iter().map(|why| format!("prompt `{name}`: {why}")));
            if !names.insert(name) {
                problems.push(format!("prompt `{name}`: there are two of that name"));
            }
        }
        problems
    }

    fn find(&self, name: &str) -> Result<&Prompt, ProtocolError> {
        let prompt = self.0.iter().find(|prompt| prompt.name() == name);
        prompt.ok_or_else(|| params::invalid(&format!("unknown prompt: {}", excerpt(name))))
    }
}

impl Prompts for Registry {
    fn add(&mut self, prompt: Prompt) {
        self.0.push(prompt);
    }

    fn list(
        &self,
        lists: &Lists,
        params: Option<&RawValue>,
        request: &RequestInfo,
    ) -> MethodResult {
        let define = |prompt| Prompt::definition(prompt, request.version);
        lists.list(List::Prompts, (params, request), &self.0, Prompt::name, define)
    }

    fn get(
        &self,
        params: Option<&RawValue>,
        mut request: RequestInfo,
    ) -> Result<HandlerCall, Failure> {
        let [responses, state] = params::INPUT;
        let names = ["name", "arguments", responses, state];
        let [name, arguments, responses, state] = params::read(params, names)?;
        let name = params::string(name, "name")?;
        let prompt = self.find(&name)?;
        let (version, input) = (request.version, [responses, state]);
        request.retry = Some(RetryInput::new(version, "prompts/get", &name, arguments, input)?);
        let arguments = params::strings(arguments, "arguments")?.into_iter().collect();
        let context = Context::new(request, Outbox::default());
        let messages = prompt.get(arguments, context.clone())?;
        let future = async move { ResultObject::new(&messages.await?.for_version(version)) };
        Ok(HandlerCall::new(context, Box::pin(future)))
    }

    fn complete(
        &self,
        name: &str,
        subject: Subject<'_>,
        request: RequestInfo,
    ) -> Result<HandlerCall, Failure> {
        let prompt = self.find(name)?;
        let arguments = prompt.arguments().unwrap_or_default();
        let known = arguments.iter().any(|argument| argument.name == subject.argument());
        subject.complete(known, &prompt.completers, request)
    }
}
