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

mod answer;
pub mod apps;
mod blame;
mod call;
mod client_gone;
mod completion;
mod configuration;
mod conform;
mod context;
mod delivery;
mod dispatch;
mod elicitation;
mod error;
mod fetch;
mod fields;
mod flat_schema;
mod from_strings;
mod headers;
mod http;
mod input;
#[cfg(any(feature = "keyvalue", not(target_family = "wasm")))]
pub mod keyvalue;
mod lists;
mod message;
mod outbox;
mod outcome;
mod paging;
mod params;
mod prompt;
pub mod protocol;
mod request;
mod resource;
mod response;
mod rounds;
mod running;
mod schema;
mod seal;
mod sealed;
mod server;
mod settings;
#[cfg(all(feature = "spin", feature = "p3"))]
pub mod spin;
mod stdio;
mod subscription;
pub mod testing;
#[cfg(test)]
mod tests;
mod tool;
mod tool_result;
mod uri;
mod uri_template;
mod validate;
#[cfg(target_family = "wasm")]
mod wasi;
#[cfg(any(feature = "wasi-config", not(target_family = "wasm")))]
mod wasi_config;
mod world;

pub use completion::{CompletionRequest, IntoCompletion};
pub use configuration::{Configuration, ConfigurationError, Environment};
pub use context::{Context, Progress};
pub use elicitation::InvalidForm;
pub use error::{RequestError, ToolError};
pub use fetch::FetchError;
pub use fields::Headers;
pub use input::NotAnswered;
pub use lists::List;
pub use outcome::Outcome;
pub use prompt::{IntoPromptResult, Prompt};
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
pub use resource::{IntoResourceContents, Resource};
pub use seal::{InvalidKeys, SealingKeys};
pub use sealed::Sealed;
pub use server::Server;
pub use settings::Cors;
pub use subscription::{Change, Subscriptions};
pub use tool::{NoArguments, Tool};
pub use tool_result::{IntoToolResult, Json};
pub use validate::InvalidServer;
#[cfg(any(feature = "wasi-config", not(target_family = "wasm")))]
pub use wasi_config::WasiConfig;
pub use world::{fetch, sleep};

/// Exports a function that builds a [`Server`] as the component's HTTP handler
/// (`wasi:http/incoming-handler` 0.2 or, with the feature `p3`, `wasi:http/handler` 0.3) and as its
/// command (`wasi:cli/run`), which serves one client over standard input and output. Once in a
/// crate.
///
/// The function runs for every message, so it should do little: name tools, and no work that one
/// of them may not need. In the crate's own tests, the macro adds a test that the server is one
/// that clients accept ([`Server::validate`]).
///
/// ```
/// fn server() -> midge::Server {
///     midge::Server::new("empty", env!("CARGO_PKG_VERSION"))
/// }
///
/// midge::export!(server);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export {
    ($server:path) => {
        #[cfg(target_family = "wasm")]
        $crate::__export_http!($server);

        $crate::__export_stdio!($server);

        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Server = $server;

        #[cfg(test)]
        #[test]
        fn clients_accept_the_server() {
            if let Err(problems) = $server().validate() {
                panic!("{problems}");
            }
        }
    };
}

/// The part of [`export!`] for standard input and output.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_stdio {
    ($server:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Guest;
            impl $crate::__private::Run for Guest {
                fn run() -> ::core::result::Result<(), ()> {
                    $crate::__private::run($server)
                }
            }
            $crate::__private::wasip2::cli::command::export!(
                Guest with_types_in $crate::__private::wasip2
            );
        };
    };
}

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

/// What [`export!`] needs; not for anybody else.
#[doc(hidden)]
#[cfg(target_family = "wasm")]
pub mod __private {
    #[cfg(not(feature = "p3"))]
    pub use crate::wasi::bindings::{
        self,
        exports::midge::mcp::exchange::{Answer, Guest as Exchange},
    };
    #[cfg(not(feature = "p3"))]
    pub use crate::wasi::p2::handle;
    #[cfg(feature = "p3")]
    pub use crate::wasi::p3::handle;
    pub use crate::wasi::stdio::run;
    #[cfg(not(feature = "p3"))]
    pub use crate::wasi::whole::{attempt, handle as handle_whole};
    pub use wasip2::{self, exports::cli::run::Guest as Run};
    #[cfg(not(feature = "p3"))]
    pub use wasip2::{
        exports::http::incoming_handler::Guest as IncomingHandler,
        http::types::{IncomingRequest, ResponseOutparam},
    };
    #[cfg(feature = "p3")]
    pub use wasip3::{
        self,
        exports::http::handler::Guest as Handler,
        http::types::{ErrorCode, Request, Response},
    };
}
