//! The tools that the benchmark's components have in common; the components are the examples of
//! this package.

use midge::{Server, Tool, ToolError};

/// The argument of every tool here, as in the example `hello`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Greet {
    /// Who to greet.
    name: String,
}

async fn greet(args: Greet) -> Result<String, ToolError> {
    Ok(format!("Hello, {}!", args.name))
}

/// Ten names for each of the beginnings, known at compile time as in any server: making them up
/// in each exchange would be measured, too.
macro_rules! names {
    ($($tens:literal)*) => {
        [$(
            concat!("greet_", $tens, "0"),
            concat!("greet_", $tens, "1"),
            concat!("greet_", $tens, "2"),
            concat!("greet_", $tens, "3"),
            concat!("greet_", $tens, "4"),
            concat!("greet_", $tens, "5"),
            concat!("greet_", $tens, "6"),
            concat!("greet_", $tens, "7"),
            concat!("greet_", $tens, "8"),
            concat!("greet_", $tens, "9"),
        )*]
    };
}

const NAMES: [&str; 200] = names!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);

/// A server with the tool `greet`, and as many others as make `count`, of 200 at most.
pub fn with_tools(count: usize) -> Server {
    let others = NAMES.into_iter().take(count.saturating_sub(1));
    std::iter::once("greet")
        .chain(others)
        .fold(Server::new("tools", env!("CARGO_PKG_VERSION")), |server, name| {
            server.tool(Tool::new(name, greet).description("Greets someone by name."))
        })
}
