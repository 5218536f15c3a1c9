//! Finds out how a server speaks.

use std::{sync::atomic::AtomicU64, time::Duration};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    ProbeError,
    ground::{self, Check, Ground},
    http1,
    message::{self, Dialect, Era, MODERN, SESSION},
    reply::printable,
    slow::SlowTool,
    target::Target,
    wrong::Wrong,
};

/// What JSON-RPC says to a method that is not there.
const METHOD_NOT_FOUND: i64 = -32601;

/// Who answers.
#[derive(Debug)]
struct Acquaintance {
    dialect: Dialect,
    name: Option<String>,
}

/// Gets to know the server: how it speaks, what it is called, what it answers always.
pub(super) async fn detect(
    target: Target,
    slow: Option<(&str, &Value)>,
    patience: Duration,
) -> Result<(Ground, Option<String>), ProbeError> {
    let Acquaintance { dialect, name } = match discover(&target, patience).await {
        Ok(met) => met,
        Err(modern) => {
            initialize(&target, patience).await.map_err(|legacy| ProbeError::NotMcp {
                url: target.uri.to_string(),
                modern: modern.to_string(),
                legacy: legacy.to_string(),
            })?
        }
    };
    let (check, tools) = choose_check(&target, &dialect, patience).await?;
    let slow = SlowTool::choose(slow, &tools)?;
    let (speaks_http2, ids) = (OnceCell::new(), AtomicU64::new(1));
    Ok((Ground { target, dialect, check, slow, patience, speaks_http2, ids }, name))
}

/// Begins as a modern client does.
async fn discover(target: &Target, patience: Duration) -> Result<Acquaintance, Wrong> {
    let dialect = Dialect::modern();
    let message = dialect.request("probe-discover".into(), "server/discover", json!({}));
    let whole = http1::exchange(target, &message, patience).await?;
    let result = Check::Discover.result(&whole, &message.id)?;
    let versions = result["supportedVersions"].as_array();
    if !versions.is_some_and(|versions| versions.iter().any(|version| version == MODERN)) {
        return Err(Wrong::OtherResult("server/discover"));
    }
    let name = name_of(&result["_meta"]["io.modelcontextprotocol/serverInfo"]);
    Ok(Acquaintance { dialect, name })
}

/// Begins as a legacy client does.
async fn initialize(target: &Target, patience: Duration) -> Result<Acquaintance, Wrong> {
    let message = message::initialize();
    let whole = http1::exchange(target, &message, patience).await?;
    let result = ground::result(&whole, &message.id)?;
    let Some(version) = result["protocolVersion"].as_str() else {
        return Err(Wrong::OtherResult("initialize"));
    };
    let session = whole.headers.get(SESSION).cloned();
    let dialect = Dialect::legacy(version.to_owned(), session);
    let initialized = dialect.notification("notifications/initialized");
    http1::exchange(target, &initialized, patience).await?;
    Ok(Acquaintance { dialect, name: name_of(&result["serverInfo"]) })
}

fn name_of(info: &Value) -> Option<String> {
    let version = info["version"].as_str().unwrap_or_default();
    info["name"].as_str().map(|name| printable(format!("{name} {version}").trim()))
}

/// Finds a request that is answered rightly before anything bad has happened, and the tools if
/// there are any.
async fn choose_check(
    target: &Target,
    dialect: &Dialect,
    patience: Duration,
) -> Result<(Check, Vec<Value>), ProbeError> {
    let second = if dialect.era == Era::Modern { Check::Discover } else { Check::Ping };
    let checks = [Check::ListTools, second];
    let mut last = (Check::ListTools, Wrong::OtherResult("tools/list"));
    for check in checks {
        let message = dialect.request("probe-check".into(), check.method(), json!({}));
        let answer = http1::exchange(target, &message, patience).await;
        match answer.and_then(|whole| check.result(&whole, &message.id)) {
            Ok(result) => {
                let tools = result["tools"].as_array().cloned().unwrap_or_default();
                return Ok((check, tools));
            }
            Err(wrong @ Wrong::Refused { code: METHOD_NOT_FOUND, .. }) => last = (check, wrong),
            Err(wrong) => {
                last = (check, wrong);
                break;
            }
        }
    }
    let (check, wrong) = last;
    Err(ProbeError::Unfit { method: check.method(), reason: wrong.to_string() })
}
