//! The extension for MCP Apps, as a server declares it and as [`Server::validate`] checks it.

use serde_json::json;

use crate::features::apps::{ID, META};
use crate::features::tool::Tool;
use crate::server::Server;

impl Server {
    /// Declares that tools have pages ([`apps`](crate::apps)).
    #[must_use]
    pub fn apps(self) -> Self {
        self.extension(ID, json!({}))
    }
}

/// What is wrong with the pages of a server: tools name what is not there, or nobody is told.
pub(crate) fn problems(server: &Server) -> Vec<String> {
    let page = |tool: &Tool| Some(tool.meta_of(META)?.get("resourceUri")?.as_str()?.to_owned());
    let pages = server.tools().iter().filter_map(|tool| Some((tool.name(), page(tool)?)));
    let mut problems = Vec::new();
    for (tool, uri) in pages {
        if !uri.starts_with("ui://") || !server.has_resource(&uri) {
            problems.push(format!("tool `{tool}`: there is no page `{uri}`"));
        }
        if !server.extensions().contains_key(ID) {
            problems.push(format!("tool `{tool}`: clients learn of its page by `Server::apps`"));
        }
    }
    problems
}
