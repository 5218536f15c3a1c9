//! A server with 20 tools.

fn server() -> midge::Server {
    midge_bench_guests::with_tools(20)
}

midge::export!(server);
