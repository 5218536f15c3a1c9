//! What [`export!`](crate::export) expands to in components: one macro for each world.

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
