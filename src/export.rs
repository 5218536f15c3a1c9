//! [`export!`](crate::export), what it expands to for each WASI world, and the paths that the
//! expansions name.

/// Exports a function that builds a [`Server`](crate::Server) as the component's HTTP handler
/// (`wasi:http/incoming-handler` 0.2 or, with the feature `p3`, `wasi:http/handler` 0.3) and as its
/// command (`wasi:cli/run`), which serves one client over standard input and output. Once in a
/// crate.
///
/// The function runs for every message, so it should do little: name tools, and no work that one
/// of them may not need. In the crate's own tests, the macro adds a test that the server is one
/// that clients accept ([`Server::validate`](crate::Server::validate)).
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

/// Exports a handler of `wasi:http` 0.2, and the exchange in one call.
#[cfg(not(feature = "p3"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http {
    ($server:path) => {
        const _: () = {
            struct Guest;
            impl $crate::__private::IncomingHandler for Guest {
                fn handle(
                    request: $crate::__private::IncomingRequest,
                    response: $crate::__private::ResponseOutparam,
                ) {
                    $crate::__private::handle($server, request, response);
                }
            }
            $crate::__private::wasip2::http::proxy::export!(
                Guest with_types_in $crate::__private::wasip2
            );
            impl $crate::__private::Exchange for Guest {
                fn handle(
                    head: Vec<u8>,
                    body: Vec<u8>,
                    response: $crate::__private::ResponseOutparam,
                ) -> Option<$crate::__private::Answer> {
                    $crate::__private::handle_whole($server, head, body, response)
                }

                fn attempt(head: Vec<u8>, body: Vec<u8>) -> Option<$crate::__private::Answer> {
                    $crate::__private::attempt($server, head, body)
                }
            }
            $crate::__private::bindings::export!(
                Guest with_types_in $crate::__private::bindings
            );
        };
    };
}

/// Exports a handler of `wasi:http` 0.3.
///
/// `return_now` is how a handler that panics still answers: its future will never be ready, so the
/// answer goes to the host by the function that the future's own answer would have gone by.
#[cfg(feature = "p3")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http {
    ($server:path) => {
        const _: () = {
            struct Guest;
            impl $crate::__private::Handler for Guest {
                async fn handle(
                    request: $crate::__private::Request,
                ) -> Result<$crate::__private::Response, $crate::__private::ErrorCode> {
                    $crate::__private::handle($server, request, return_now).await
                }
            }

            fn return_now(response: $crate::__private::Response) {
                #[link(wasm_import_module = "[export]wasi:http/handler@0.3.0")]
                unsafe extern "C" {
                    #[link_name = "[task-return]handle"]
                    fn task_return(
                        is_error: i32,
                        response: i32,
                        _: i32,
                        _: i64,
                        _: i32,
                        _: i32,
                        _: i32,
                        _: i32,
                    );
                }
                // SAFETY: the shape is that of `result<response, error-code>`, of which a response
                // fills the first two places; the host gets the only handle there is.
                unsafe { task_return(0, response.take_handle() as i32, 0, 0, 0, 0, 0, 0) };
            }

            $crate::__private::wasip3::http::service::export!(
                Guest with_types_in $crate::__private::wasip3
            );
        };
    };
}

/// What [`export!`] needs; not for anybody else.
#[doc(hidden)]
#[cfg(target_family = "wasm")]
pub mod __private {
    #[cfg(not(feature = "p3"))]
    pub use crate::sys::p2::bindings::{
        self,
        exports::midge::mcp::exchange::{Answer, Guest as Exchange},
    };
    #[cfg(not(feature = "p3"))]
    pub use crate::sys::p2::fast_path::{attempt, handle as handle_whole};
    #[cfg(not(feature = "p3"))]
    pub use crate::sys::p2::http::handle;
    #[cfg(feature = "p3")]
    pub use crate::sys::p3::http::handle;
    pub use crate::sys::stdio::run;
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
