//! Lists of a server: cache hints, and cutting a list into pages.

pub(crate) mod paging;

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::handler::params;
use crate::handler::request::RequestInfo;
use crate::handler::result::{Failure, MethodResult, ResultObject};
use crate::protocol::discover::Cache;

/// A list that a server answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum List {
    /// `tools/list`
    Tools,
    /// `prompts/list`
    Prompts,
    /// `resources/list`
    Resources,
    /// `resources/templates/list`
    ResourceTemplates,
}

impl List {
    /// The member of the result that is the list.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::ResourceTemplates => "resourceTemplates",
        }
    }
}

/// What is the same for all lists of a server.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// For `server/discover` and for all lists without a policy of their own.
    pub(crate) cache: Cache,
    pub(crate) own_cache: Vec<(List, Cache)>,
    pub(crate) paging: Option<Paging>,
}

/// Pages of at most so many items. A function pointer, so that servers without pages need not link
/// what seals cursors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    pub(crate) size: usize,
    pub(crate) paginate: fn(&PageRequest<'_>) -> Result<Page, Failure>,
}

/// A request for a page.
pub(crate) struct PageRequest<'a> {
    pub(crate) list: List,
    pub(crate) request: &'a RequestInfo,
    /// Where the page starts; `None` for the first one.
    pub(crate) cursor: Option<Cow<'a, str>>,
    /// Items of a page.
    pub(crate) size: usize,
    /// The names of all items, in their order.
    pub(crate) names: Vec<&'a str>,
}

/// A part of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where the next page starts; `None` for the last one.
    pub(crate) next: Option<String>,
}

impl Lists {
    pub(crate) fn cache_of(&self, list: List) -> Cache {
        let own = self.own_cache.iter().rev().find(|(other, _)| *other == list);
        own.map_or(self.cache, |(_, cache)| *cache)
    }

    /// Answers with a list, or a page of it. `define` says what a client gets to see of an item.
    pub(crate) fn list<'a, T, D: Serialize>(
        &self,
        list: List,
        (params, request): (Option<&RawValue>, &RequestInfo),
        items: &'a [T],
        name: fn(&T) -> &str,
        define: impl Fn(&'a T) -> D,
    ) -> MethodResult {
        let [cursor] = params::read(params, ["cursor"])?;
        let cursor = cursor.map(|cursor| params::string(Some(cursor), "cursor")).transpose()?;
        let page = match &self.paging {
            Some(Paging { size, paginate }) => {
                let names = items.iter().map(name).collect();
                paginate(&PageRequest { list, request, cursor, size: *size, names })?
            }
            None if cursor.is_none() => Page { start: 0, end: items.len(), next: None },
            // All items fit one page, so no cursor was ever given out.
            None => return Err(params::invalid("unknown cursor").into()),
        };
        let items = items.get(page.start..page.end).unwrap_or_default();
        let cache = request.version.has_result_envelope().then(|| self.cache_of(list));
        let items = items.iter().map(define).collect();
        ResultObject::new(&ListResult { list, items, next: page.next, cache })
    }
}

/// Result of a method that lists.
struct ListResult<D> {
    list: List,
    items: Vec<D>,
    next: Option<String>,
    cache: Option<Cache>,
}

impl<D: Serialize> Serialize for ListResult<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.list.member(), &self.items)?;
        if let Some(next) = &self.next {
            map.serialize_entry("nextCursor", next)?;
        }
        if let Some(cache) = self.cache {
            map.serialize_entry("ttlMs", &cache.ttl_ms())?;
            map.serialize_entry("cacheScope", &cache.scope())?;
        }
        map.end()
    }
}
