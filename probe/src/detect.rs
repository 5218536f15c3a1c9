//! Detection of the protocol version, the check and the slow tool of a server.

use std::sync::atomic::AtomicU64;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    client::{
        check_error::CheckError,
        dialect::{self, Dialect, Era, MODERN, SESSION},
        endpoint::Endpoint,
        http1,
        printable::printable,
    },
    error::ProbeError,
    slow_tool::SlowTool,
    test_target::{self, Check, TestTarget},
};

/// JSON-RPC error code for an unknown method.
const METHOD_NOT_FOUND: i64 = -32601;

/// Outcome of the first exchanges with a server.
#[derive(Debug)]
struct Handshake {
    dialect: Dialect,
    server: Option<String>,
}

/// Makes a test target of the server at an endpoint.
pub(crate) async fn detect(
    endpoint: Endpoint,
    slow_tool: Option<(&str, &Value)>,
) -> Result<TestTarget, ProbeError> {
    let Handshake { dialect, server } = match discover(&endpoint).await {
        Ok(handshake) => handshake,
        Err(modern) => initialize(&endpoint).await.map_err(|legacy| ProbeError::NotMcp {
            url: endpoint.uri.to_string(),
            modern: modern.to_string(),
            legacy: legacy.to_string(),
        })?,
    };
    let (check, tools) = choose_check(&endpoint, &dialect).await?;
    Ok(TestTarget {
        slow_tool: SlowTool::choose(slow_tool, &tools)?,
        speaks_http2: OnceCell::new(),
        ids: AtomicU64::new(1),
        endpoint,
        dialect,
        server,
        check,
    })
}

/// Sends the first request of a modern client.
async fn discover(endpoint: &Endpoint) -> Result<Handshake, CheckError> {
    let dialect = Dialect::modern();
    let request = dialect.request("probe-discover".into(), "server/discover", json!({}));
    let response = http1::exchange(endpoint, &request).await?;
    let result = Check::Discover.result(&response, &request.id)?;
    let versions = result["supportedVersions"].as_array();
    if !versions.is_some_and(|versions| versions.iter().any(|version| version == MODERN)) {
        return Err(CheckError::WrongResult("server/discover"));
    }
    let server = name_of(&result["_meta"]["io.modelcontextprotocol/serverInfo"]);
    Ok(Handshake { dialect, server })
}

/// Conducts the handshake of a legacy client.
async fn initialize(endpoint: &Endpoint) -> Result<Handshake, CheckError> {
    let request = dialect::initialize();
    let response = http1::exchange(endpoint, &request).await?;
    let result = test_target::result(&response, &request.id)?;
    let Some(version) = result["protocolVersion"].as_str() else {
        return Err(CheckError::WrongResult("initialize"));
    };
    let session = response.headers.get(SESSION).cloned();
    let dialect = Dialect::legacy(version.to_owned(), session);
    let initialized = dialect.notification("notifications/initialized");
    http1::exchange(endpoint, &initialized).await?;
    Ok(Handshake { dialect, server: name_of(&result["serverInfo"]) })
}

fn name_of(info: &Value) -> Option<String> {
    let version = info["version"].as_str().unwrap_or_default();
    info["name"].as_str().map(|name| printable(format!("{name} {version}").trim()))
}

/// Finds a check that succeeds before any client has disconnected, and the tools of the server.
async fn choose_check(
    endpoint: &Endpoint,
    dialect: &Dialect,
) -> Result<(Check, Vec<Value>), ProbeError> {
    let second = if dialect.era == Era::Modern { Check::Discover } else { Check::Ping };
    let mut last = (Check::ListTools, CheckError::WrongResult("tools/list"));
    for check in [Check::ListTools, second] {
        let request = dialect.request("probe-check".into(), check.method(), json!({}));
        let response = http1::exchange(endpoint, &request).await;
        match response.and_then(|response| check.result(&response, &request.id)) {
            Ok(result) => {
                let tools = result["tools"].as_array().cloned().unwrap_or_default();
                return Ok((check, tools));
            }
            Err(error @ CheckError::JsonRpc { code: METHOD_NOT_FOUND, .. }) => {
                last = (check, error);
            }
            Err(error) => {
                last = (check, error);
                break;
            }
        }
    }
    let (check, error) = last;
    Err(ProbeError::CheckFailed { method: check.method(), reason: error.to_string() })
}
