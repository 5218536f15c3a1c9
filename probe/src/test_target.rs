//! What is known of the server under test, and the exchange that must go well after each case.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    beacon::Beacon,
    http1::{self, Connection, Whole},
    message::{Dialect, Message},
    reply::printable,
    slow::SlowTool,
    target::Target,
    wrong::Wrong,
};

/// The server under test.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) target: Target,
    pub(super) dialect: Dialect,
    pub(super) check: Check,
    pub(super) slow: Option<SlowTool>,
    /// How long an exchange that should go well may take.
    pub(super) patience: Duration,
    /// Whether the server speaks HTTP/2 without TLS, once that was asked.
    pub(super) speaks_http2: OnceCell<bool>,
    pub(super) ids: AtomicU64,
}

/// A request that any server of some kind answers, quickly and always alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    ListTools,
    Discover,
    Ping,
}

impl Check {
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::ListTools => "tools/list",
            Self::Discover => "server/discover",
            Self::Ping => "ping",
        }
    }

    fn is_right(self, result: &Value) -> bool {
        match self {
            Self::ListTools => result["tools"].is_array(),
            Self::Discover => result["supportedVersions"].is_array(),
            Self::Ping => result.is_object(),
        }
    }

    /// The result in the answer to this check, if that is right in all.
    pub(super) fn result(self, whole: &Whole, id: &Value) -> Result<Value, Wrong> {
        let result = result(whole, id)?;
        if self.is_right(&result) { Ok(result) } else { Err(Wrong::OtherResult(self.method())) }
    }
}

/// The result in an answer that is one.
pub(super) fn result(whole: &Whole, id: &Value) -> Result<Value, Wrong> {
    if let Some(code) = whole.message["error"]["code"].as_i64() {
        let message = printable(whole.message["error"]["message"].as_str().unwrap_or_default());
        return Err(Wrong::Refused { code, message });
    }
    match whole.status {
        StatusCode::OK if whole.message["id"] != *id => Err(Wrong::OtherId),
        StatusCode::OK => Ok(whole.message["result"].clone()),
        status => Err(Wrong::Status(status)),
    }
}

impl Ground {
    /// A new id: an answer to another request is noticed by it.
    pub(super) fn id(&self) -> Value {
        format!("probe-{}", self.ids.fetch_add(1, Ordering::Relaxed)).into()
    }

    /// The request that must be answered rightly.
    pub(super) fn check(&self) -> Message {
        self.check_with(self.id())
    }

    /// The same with an id of this many bytes: its answer is at least as large, since it has to
    /// repeat the id.
    pub(super) fn large_check(&self, bytes: usize) -> Message {
        self.check_with("x".repeat(bytes).into())
    }

    fn check_with(&self, id: Value) -> Message {
        self.dialect.request(id, self.check.method(), json!({}))
    }

    /// A call of the slow tool, with or without progress.
    pub(super) fn slow_call(&self, progress: bool, beacon: Option<&Beacon>) -> Option<Message> {
        let mut params = self.slow.as_ref()?.call(beacon);
        if progress {
            params["_meta"]["progressToken"] = "probe".into();
        }
        Some(self.dialect.request(self.id(), "tools/call", params))
    }

    /// A request worth aborting: a call of the slow tool where there is one.
    pub(super) fn victim(&self) -> Message {
        self.slow_call(false, None).unwrap_or_else(|| self.check())
    }

    /// An exchange on a new connection that must go well.
    pub(super) async fn good(&self) -> Result<(), Wrong> {
        self.good_with(&self.check()).await
    }

    /// The same with a check of one's own.
    pub(super) async fn good_with(&self, message: &Message) -> Result<(), Wrong> {
        let whole = http1::exchange(&self.target, message, self.patience).await?;
        self.check.result(&whole, &message.id).map(drop)
    }

    /// The same on a connection that is open.
    pub(super) async fn good_on(&self, connection: &mut Connection) -> Result<(), Wrong> {
        let message = self.check();
        let exchange = http1::exchange_and_keep(connection, &self.target, &message);
        let whole = tokio::time::timeout(self.patience, exchange)
            .await
            .unwrap_or(Err(Wrong::Late(self.patience)))?;
        self.check.result(&whole, &message.id).map(drop)
    }
}
