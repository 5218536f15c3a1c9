//! Model Context Protocol servers as WebAssembly components: one exchange, one life.
//!
//! Every HTTP exchange gets a fresh instance of the component, which answers one MCP message and
//! is gone. There are no sessions, no shared memory and nothing to clean up, and a client that
//! goes away in the middle is an ordinary outcome: work for it stops, nothing traps, and the next
//! exchange notices nothing.
//!
//! ```
#![doc = include_str!("../examples/hello.rs")]
//! ```
//!
//! Tools are plain `async fn`s, typed in and typed out; see [`Tool`]. Failures that the model
//! should know are a [`ToolError`]. What a handler may ask and tell is its [`Context`].
//!
//! | what | by |
//! |---|---|
//! | things to read, at a URI or at all URIs of a template | [`Resource`] |
//! | messages that a user chooses | [`Prompt`] |
//! | values offered while a user types | [`Prompt::complete`], [`Resource::complete`] |
//! | questions to the user, to the client's model, for its folders | [`Context::elicit`], [`Context::sample`], [`Context::list_roots`] |
//! | work that is done once in a request of several rounds | [`Context::step`] |
//! | what must be remembered between calls | [`Sealed`] in the client, [`keyvalue`] in the host |
//! | what belongs to a deployment | [`Configuration`], [`Server::configure`] |
//! | progress, log messages, work for after the answer | [`Context::progress`], [`Context::log`], [`Context::defer`] |
//! | waiting, and calling other servers | [`sleep`], [`fetch`] |
//! | telling clients of changes | [`Subscriptions`] |
//! | pages of lists, and how long they may be kept | [`Server::page_size`], [`Cache`] |
//! | pages beside results | [`apps`] |
//! | extensions of the protocol | [`Server::extension`] |
//! | unit tests | [`testing`] |
//!
//! # Protocol
//! The modern revision, MCP 2026-07-28, and the legacy revisions 2025-03-26, 2025-06-18 and
//! 2025-11-25, which are answered without sessions on the same endpoint. The answer is JSON, until
//! a handler reports progress, logs or stays quiet for long: then it becomes a stream of events.
//!
//! # Targets
//! Build for `wasm32-wasip2`, with `crate-type = ["cdylib"]`; the result is a component that any
//! host of `wasi:http` 0.2 runs. With the feature `p3` it is one for hosts of `wasi:http` 0.3, of
//! the same source: [`sleep`] and [`fetch`] are the same in both. Everything but the export also
//! builds natively, for unit tests: see [`testing`].
//!
//! # Features
//! - `pattern`: regular expressions in schemas that tools enforce, for 55 KB of component.
//! - `p3`: the component exports `wasi:http/handler` 0.3 instead of `wasi:http/incoming-handler`
//!   0.2. A host may then run several exchanges in one instance, one after the other and at once;
//!   what a handler keeps in a static is seen by all of them. `wasi:cli/run` stays that of 0.2.
//! - `keyvalue`: [`keyvalue`], the key-value stores of hosts.
//! - `wasi-config`: [`WasiConfig`], the configuration of hosts.
//! - `spin`: both, in the versions that Spin has, and together with `p3` the module `spin`: Spin's
//!   key-value stores, variables and SQLite by its own crate, `spin-sdk` 7, for Spin 4.1.

// On WebAssembly, bindings are generated.
#![cfg_attr(not(target_family = "wasm"), forbid(unsafe_code))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panics"
    )
)]

mod configuration;
mod error;
mod export;
mod features;
mod handler;
mod headers;
pub mod protocol;
mod rpc;
mod schema;
mod seal;
mod server;
mod sys;
pub mod testing;
#[cfg(test)]
mod tests;
mod transport;

pub use configuration::{Configuration, ConfigurationError, Environment};
pub use error::{RequestError, ToolError};
pub use features::apps;
pub use features::completion::{CompletionRequest, IntoCompletion};
pub use features::list::List;
pub use features::prompt::{IntoPromptResult, Prompt};
pub use features::resource::{IntoResourceContents, Resource};
pub use features::sealed::Sealed;
pub use features::subscription::{Change, Subscriptions};
pub use features::tool::result::{IntoToolResult, Json};
pub use features::tool::{NoArguments, Tool};
pub use handler::context::{Context, Progress};
pub use handler::input::NotAnswered;
pub use headers::map::Headers;
#[doc(inline)]
pub use midge_contract::{Outcome, UnknownOutcome};
pub use protocol::Version;
pub use protocol::capabilities::ClientCapabilities;
pub use protocol::completion::Completion;
pub use protocol::content::{Annotations, ContentBlock, ResourceContents, ResourceLink, Role};
pub use protocol::discover::{Cache, CacheScope};
pub use protocol::identity::{Icon, IconTheme, Implementation};
pub use protocol::input::Root;
pub use protocol::logging::LoggingLevel;
pub use protocol::prompt::{GetPromptResult, PromptMessage};
pub use protocol::sampling::{
    CreateMessage, CreateMessageResult, IncludeContext, SamplingContent, ToolChoice, ToolUse,
};
pub use protocol::tool::{CallToolResult, ToolAnnotations};
pub use schema::form::InvalidForm;
pub use seal::{InvalidKeys, SealingKeys};
pub use server::Server;
pub use server::settings::Cors;
pub use server::validate::InvalidServer;
#[cfg(any(feature = "wasi-config", not(target_family = "wasm")))]
pub use sys::config::WasiConfig;
pub use sys::fetch::FetchError;
#[cfg(any(feature = "keyvalue", not(target_family = "wasm")))]
pub use sys::keyvalue;
pub use sys::runtime::{fetch, sleep};
#[cfg(all(feature = "spin", feature = "p3"))]
pub use sys::spin;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub use export::__private;

/// The pages of the guide, for their examples to be compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/guide/apps-and-extensions.md")]
#[doc = include_str!("../docs/guide/asking-the-client.md")]
#[doc = include_str!("../docs/guide/configuration.md")]
#[doc = include_str!("../docs/guide/lists-and-caching.md")]
#[doc = include_str!("../docs/guide/progress-and-logging.md")]
#[doc = include_str!("../docs/guide/prompts.md")]
#[doc = include_str!("../docs/guide/resources.md")]
#[doc = include_str!("../docs/guide/sealed-values.md")]
#[doc = include_str!("../docs/guide/state.md")]
#[doc = include_str!("../docs/guide/stdio.md")]
#[doc = include_str!("../docs/guide/subscriptions.md")]
#[doc = include_str!("../docs/guide/testing.md")]
#[doc = include_str!("../docs/guide/tools.md")]
#[doc = include_str!("../docs/guide/versions.md")]
struct Guide;
