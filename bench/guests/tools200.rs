//! A server with 200 tools.

fn server() -> midge::Server {
    midge_bench_guests::with_tools(200)
}

midge::export!(server);
