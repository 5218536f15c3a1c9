//! Static checks that a server is acceptable to MCP clients.

use std::any::Any;
use std::collections::HashSet;

use crate::features::subscription::Subscriptions;
use crate::features::{prompt, resource};
use crate::protocol::{Version, meta};
use crate::server::Server;
use crate::server::apps;

/// What is wrong with a server, as [`Server::validate`] found it: one line for each problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server would be refused by clients:\n{}", .0.join("\n"))]
pub struct InvalidServer(pub Vec<String>);

impl Server {
    /// Finds what clients would hold against this server: names that the protocol does not allow
    /// or that occur twice, argument types that are no objects, missing descriptions, schemas that
    /// large model APIs refuse. And what they would rely on in vain: rules of schemas that nothing
    /// enforces.
    ///
    /// [`export!`](crate::export) makes a unit test of it.
    ///
    /// # Errors
    /// All problems together, each naming what has it.
    pub fn validate(&self) -> Result<(), InvalidServer> {
        let mut problems = settings(self);
        problems.extend(tools(self));
        problems.extend(features(self));
        problems.extend(subscriptions(self));
        problems.extend(extensions(self));
        problems.extend(apps::problems(self));
        if problems.is_empty() { Ok(()) } else { Err(InvalidServer(problems)) }
    }
}

fn settings(server: &Server) -> Vec<String> {
    let mut problems = Vec::new();
    let settings = server.settings();
    if !settings.endpoint.starts_with('/') {
        problems.push(format!("the endpoint `{}` must start with /", settings.endpoint));
    }
    let bad = |origin: &&String| !is_origin(origin);
    problems.extend(settings.origins.iter().filter(bad).map(|origin| {
        format!("`{origin}` is not an origin like https://app.example.com, without a path")
    }));
    problems
}

fn tools(server: &Server) -> Vec<String> {
    let mut names = HashSet::new();
    let mut problems = Vec::new();
    for tool in server.tools() {
        let name = tool.name();
        problems.extend(tool.problems().iter().map(|why| format!("tool `{name}`: {why}")));
        if !names.insert(name) {
            problems.push(format!("tool `{name}`: there are two of that name"));
        }
    }
    problems
}

/// Prompts and resources, by their own types: as methods of the objects that a server has them
/// behind, these checks would be part of every component.
fn features(server: &Server) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(prompts) = server.prompts() {
        let prompts: &dyn Any = prompts;
        problems
            .extend(prompts.downcast_ref().iter().flat_map(|all| prompt::Registry::problems(all)));
    }
    if let Some(resources) = server.resources() {
        let resources: &dyn Any = resources;
        let resources = resources.downcast_ref();
        problems.extend(resources.iter().flat_map(|all| resource::Registry::problems(all)));
    }
    problems
}

/// What clients could listen to in vain.
fn subscriptions(server: &Server) -> Vec<String> {
    let Some(subscriptions) = server.listening(Version::V2026_07_28) else { return Vec::new() };
    let subscriptions: &dyn Any = subscriptions;
    let announced = subscriptions.downcast_ref().map_or([false; 4], Subscriptions::announced);
    if announced == [false; 4] {
        return vec![
            "subscriptions: nothing is announced, as by `Subscriptions::tools`".to_owned(),
        ];
    }
    let resources = server.resources().is_some();
    let has = [!server.tools().is_empty(), server.prompts().is_some(), resources, resources];
    let names = ["tools", "prompts", "resources", "resource_updates"];
    let idle = names.iter().zip(announced).zip(has).filter(|((_, told), has)| *told && !has);
    idle.map(|((name, _), _)| format!("subscriptions: there is nothing for `{name}` to tell of"))
        .collect()
}

fn extensions(server: &Server) -> impl Iterator<Item = String> {
    server.extensions().iter().flat_map(|(id, settings)| {
        let bad_id = (!meta::is_key(id) || !id.contains('/'))
            .then(|| format!("extension `{id}`: an id is like com.example/name"));
        let bad_settings =
            (!settings.is_object()).then(|| format!("extension `{id}`: settings are an object"));
        bad_id.into_iter().chain(bad_settings)
    })
}

/// Whether a browser could send this as its `Origin`: scheme, host and maybe a port, no more.
fn is_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(scheme, host)| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !host.is_empty()
            && !host.contains(['/', '?', '#', '@', '*', ' '])
    })
}
