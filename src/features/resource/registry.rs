//! The resources of a server, and the methods that list and read them.

use std::any::Any;
use std::collections::HashSet;

use serde_json::value::RawValue;

use super::{Resource, Variables};
use crate::error::{ProtocolError, RequestError, excerpt};
use crate::features::completion::Subject;
use crate::features::list::{List, Lists};
use crate::handler::call::HandlerCall;
use crate::handler::context::Context;
use crate::handler::outbox::Outbox;
use crate::handler::params;
use crate::handler::request::{RequestInfo, RetryInput};
use crate::handler::result::{Failure, MethodResult, ResultObject};
use crate::protocol::Version;
use crate::protocol::discover::Cache;
use crate::protocol::resource::ReadResourceResult;
use crate::protocol::uri;

/// The methods of resources. An object, so that a server without resources need not link them.
pub(crate) trait Resources: Any + std::fmt::Debug {
    fn add(&mut self, resource: Resource);
    fn has(&self, uri: &str) -> bool;
    fn list(&self, lists: &Lists, params: Option<&RawValue>, request: &RequestInfo)
    -> MethodResult;
    fn list_templates(
        &self,
        lists: &Lists,
        params: Option<&RawValue>,
        request: &RequestInfo,
    ) -> MethodResult;
    fn read(
        &self,
        lists: &Lists,
        params: Option<&RawValue>,
        request: RequestInfo,
    ) -> Result<HandlerCall, Failure>;
    fn complete(
        &self,
        uri: &str,
        subject: Subject<'_>,
        request: RequestInfo,
    ) -> Result<HandlerCall, Failure>;
}

/// Resources in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    listed: Vec<Resource>,
    templates: Vec<Resource>,
    /// Both kinds.
    unlisted: Vec<Resource>,
}

impl Registry {
    /// What clients would hold against them.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut addresses = HashSet::new();
        let mut problems = Vec::new();
        for resource in self.all() {
            let at = resource.address();
            problems
                .extend(resource.problems().iter().map(|why| format!("resource `{at}`: {why}")));
            if !addresses.insert(at) {
                problems.push(format!("resource `{at}`: there are two of that URI"));
            }
        }
        problems
    }

    fn all(&self) -> impl Iterator<Item = &Resource> {
        self.listed.iter().chain(&self.templates).chain(&self.unlisted)
    }

    /// The resource at a URI: the one of exactly that URI, else the first template that fits.
    fn find(&self, at: &str) -> Option<(&Resource, Variables)> {
        let exact = |resource: &&Resource| !resource.is_template() && resource.address() == at;
        if let Some(resource) = self.all().find(exact) {
            return Some((resource, Variables::new()));
        }
        if !uri::is_uri(at) || !uri::is_safe(at) {
            return None;
        }
        self.all().find_map(|resource| Some((resource, resource.matches(at)?)))
    }
}

impl Resources for Registry {
    fn add(&mut self, resource: Resource) {
        let list = match (resource.unlisted, resource.is_template()) {
            (true, _) => &mut self.unlisted,
            (false, true) => &mut self.templates,
            (false, false) => &mut self.listed,
        };
        list.push(resource);
    }

    fn has(&self, uri: &str) -> bool {
        self.find(uri).is_some()
    }

    fn list(
        &self,
        lists: &Lists,
        params: Option<&RawValue>,
        request: &RequestInfo,
    ) -> MethodResult {
        page(lists, List::Resources, (params, request), &self.listed)
    }

    fn list_templates(
        &self,
        lists: &Lists,
        params: Option<&RawValue>,
        request: &RequestInfo,
    ) -> MethodResult {
        page(lists, List::ResourceTemplates, (params, request), &self.templates)
    }

    fn read(
        &self,
        lists: &Lists,
        params: Option<&RawValue>,
        mut request: RequestInfo,
    ) -> Result<HandlerCall, Failure> {
        let [responses, state] = params::INPUT;
        let [uri, responses, state] = params::read(params, ["uri", responses, state])?;
        let uri = params::string(uri, "uri")?.into_owned();
        let version = request.version;
        let (resource, variables) = self.find(&uri).ok_or_else(|| not_found(&uri, version))?;
        let mime_type = resource.mime_type.clone();
        let input = [responses, state];
        request.retry = Some(RetryInput::new(version, "resources/read", &uri, None, input)?);
        // What is read with a user's answers is for nobody else, and for no other time.
        let own = request.retry.as_ref().is_some_and(RetryInput::has_input);
        let cache = resource.cache.unwrap_or(lists.cache);
        let cache = if own { Cache::default() } else { cache };
        let cache = version.has_result_envelope().then_some(cache);
        let context = Context::new(request, Outbox::default());
        let reading = (resource.handler)(uri.clone(), variables, context.clone())
            .map_err(|error| fail(error, &uri, version))?;
        let future = async move {
            let mut contents = reading.await.map_err(|error| fail(error, &uri, version))?;
            for item in &mut contents {
                let own = item.mime_type.take();
                item.mime_type = own.or_else(|| mime_type.as_deref().map(ToOwned::to_owned));
                *item = item.clone().for_version(version);
            }
            if contents.is_empty() {
                return Err(not_found(&uri, version).into());
            }
            ResultObject::new(&ReadResourceResult::new(contents, cache))
        };
        Ok(HandlerCall::new(context, Box::pin(future)))
    }

    fn complete(
        &self,
        uri: &str,
        subject: Subject<'_>,
        request: RequestInfo,
    ) -> Result<HandlerCall, Failure> {
        let named = |resource: &&Resource| resource.address() == uri;
        let fits = |resource: &&Resource| resource.matches(uri).is_some();
        let resource = self.all().find(named).or_else(|| self.all().find(fits));
        let unknown = || params::invalid(&format!("unknown resource template: {}", excerpt(uri)));
        let resource = resource.ok_or_else(unknown)?;
        let known = resource.has_variable(subject.argument());
        subject.complete(known, &resource.completers, request)
    }
}

fn page(
    lists: &Lists,
    list: List,
    asked: (Option<&RawValue>, &RequestInfo),
    resources: &[Resource],
) -> MethodResult {
    let version = asked.1.version;
    let define = |resource| Resource::definition(resource, version);
    lists.list(list, asked, resources, Resource::address, define)
}

fn not_found(uri: &str, version: Version) -> ProtocolError {
    ProtocolError::ResourceNotFound { uri: uri.to_owned(), version }
}

fn fail(error: RequestError, uri: &str, version: Version) -> Failure {
    match error {
        RequestError::NotFound => not_found(uri, version).into(),
        other => other.into(),
    }
}
