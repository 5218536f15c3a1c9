//! The harness: a project is built, and its component called.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod project;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use http::Request;
use midge_host::{BuildError, Config, Exchange, Harness, HostError, Outcome};
use project::{project, target};

const GUEST: &str = r#"
use midge::{Context, NoArguments, Sealed, Server, Tool, ToolError};

async fn late(_: NoArguments, context: Context) -> &'static str {
    eprintln!("at work");
    context.defer(async { eprintln!("deferred") });
    "done"
}

async fn panics(_: NoArguments) -> &'static str {
    panic!("on purpose")
}

async fn spins(_: NoArguments) -> &'static str {
    loop {
        std::hint::spin_loop();
    }
}

async fn seals(_: NoArguments, context: Context) -> Result<&'static str, ToolError> {
    let _: Sealed<u32> = context.seal(&7)?;
    Ok("sealed")
}

fn server() -> Server {
    Server::new("under-test", "1.0.0")
        .tool(Tool::with_context("late", late).description("Works afterwards."))
        .tool(Tool::new("panics", panics).description("Panics."))
        .tool(Tool::new("spins", spins).description("Never ends."))
        .tool(Tool::with_context("seals", seals).description("Seals."))
}

midge::export!(server);
"#;

/// The component, built once.
fn component() -> &'static Path {
    static COMPONENT: OnceLock<PathBuf> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        project(folder.path(), "under-test", GUEST);
        // The harness builds with the environment of the tests, which may name no such folder.
        let config = format!("[build]\ntarget-dir = {:?}\n", target());
        fs::create_dir(folder.path().join(".cargo")).unwrap();
        fs::write(folder.path().join(".cargo/config.toml"), config).unwrap();
        midge_host::build(folder.path(), "dev").unwrap()
    })
}

/// A call of a tool by a legacy client.
fn call(tool: &str) -> Request<Vec<u8>> {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{{}}}}}}"#
    );
    Request::post("http://127.0.0.1/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(body.into_bytes())
        .unwrap()
}

fn text(exchange: &Exchange) -> String {
    String::from_utf8(exchange.response.body().clone()).unwrap()
}

fn has(exchange: &Exchange, words: &str) -> bool {
    exchange.log.iter().any(|line| line.contains(words))
}

#[test]
fn an_exchange_has_its_answer_its_outcome_and_its_log() {
    let harness = Harness::new(component()).unwrap();
    let exchange = harness.exchange(call("late")).unwrap();
    assert_eq!(exchange.response.status(), 200);
    assert_eq!(exchange.response.headers()["content-type"], "application/json");
    assert!(text(&exchange).contains("done"), "{exchange:?}");
    assert_eq!(exchange.outcome, Outcome::Ok);
    let [at_work, deferred, line] = exchange.log.as_slice() else {
        panic!("not three lines: {:#?}", exchange.log);
    };
    assert!(at_work.ends_with("at work exchange=1"), "{at_work}");
    assert!(deferred.ends_with("deferred exchange=1"), "{deferred}");
    assert!(line.starts_with("INFO midge::exchange: exchange=1"), "{line}");
}

#[test]
fn what_a_guest_does_wrong_is_an_exchange() {
    let harness = Harness::new(component()).unwrap();
    let exchange = harness.exchange(call("panics")).unwrap();
    assert_eq!(exchange.outcome, Outcome::Trapped);
    assert!(text(&exchange).contains("-32603"), "{exchange:?}");
    assert!(has(&exchange, "on purpose"), "{:#?}", exchange.log);
}

#[test]
fn a_guest_that_never_ends_is_cut_by_the_limit() {
    let config = Config { exchange_timeout: Duration::from_millis(200), ..Config::default() };
    let harness = Harness::with_config(component(), config).unwrap();
    let start = Instant::now();
    let exchange = harness.exchange(call("spins")).unwrap();
    assert_eq!((exchange.response.status().as_u16(), exchange.outcome), (504, Outcome::TimedOut));
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[test]
fn a_guest_under_test_can_seal() {
    let harness = Harness::new(component()).unwrap();
    assert_eq!(harness.exchange(call("seals")).unwrap().outcome, Outcome::Ok);
}

#[test]
fn exchanges_at_the_same_time_have_their_own_logs() {
    let harness = Harness::new(component()).unwrap();
    let exchanges: Vec<_> = thread::scope(|scope| {
        let calls = ["late", "panics", "late", "panics"].map(|tool| {
            let harness = &harness;
            scope.spawn(move || harness.exchange(call(tool)).unwrap())
        });
        calls.map(|call| call.join().unwrap()).into()
    });
    for (exchange, (line, other)) in exchanges
        .iter()
        .zip([("at work", "on purpose"), ("on purpose", "at work")].into_iter().cycle())
    {
        assert!(has(exchange, line) && !has(exchange, other), "{:#?}", exchange.log);
    }
}

#[tokio::test]
async fn a_test_may_be_async() {
    let harness = Harness::new(component()).unwrap();
    assert_eq!(harness.exchange(call("late")).unwrap().outcome, Outcome::Ok);
}

#[test]
fn what_the_host_refuses_is_an_exchange() {
    let harness = Harness::new(component()).unwrap();
    let mut request = call("late");
    *request.uri_mut() = "http://evil.example/mcp".parse().unwrap();
    let exchange = harness.exchange(request).unwrap();
    assert_eq!((exchange.response.status().as_u16(), exchange.outcome), (403, Outcome::Rejected));
}

#[test]
fn what_cannot_be_built_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let built = midge_host::build(folder.path(), "dev");
    assert!(matches!(built, Err(HostError::Build(BuildError::NoProject { .. }))), "{built:?}");
}
