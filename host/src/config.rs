//! Every setting of the host, with its unit and default.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{HostError, outbound::OutboundRule};

/// Limits, grants and the address of a host; also the shape of the configuration file.
///
/// In the file and the environment a time is text with a unit (`"10s"`, `"500ms"`, `"2m"`) and a
/// size is a number of bytes or text with a unit (`"4MiB"`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where `midge serve` listens. Port 0 picks a free one. Default `127.0.0.1:8080`.
    pub addr: SocketAddr,
    /// Host names accepted in the `Host` header besides the loopback ones.
    ///
    /// On a loopback address `localhost`, `127.0.0.1` and `[::1]` are always accepted and others
    /// refused, which defeats DNS rebinding. On any other address an empty list accepts every
    /// name. A name counts with any port.
    pub allowed_hosts: Vec<String>,

    /// Bytes of linear memory an instance may have. Default 128 MiB.
    #[serde(deserialize_with = "bytes")]
    pub memory: u64,
    /// Exchanges at work at once; one more is answered 503. Default 256.
    pub max_exchanges: u32,
    /// Open connections; one more waits in the backlog of the system. Default 1024.
    pub max_connections: u32,
    /// Largest request body, in bytes; a larger one is answered 413. Default 4 MiB and 64 KiB, so that the
    /// guest can be the one to refuse what is over its own 4 MiB.
    #[serde(deserialize_with = "bytes")]
    pub max_body: u64,
    /// Largest request head (request line and headers), in bytes. At least 8 KiB. Default 32 KiB.
    #[serde(deserialize_with = "bytes")]
    pub max_head: u64,
    /// Most headers in a request. Default 100.
    pub max_headers: u32,

    /// Wall-clock time an exchange may take, streamed answers included. Default 60 s.
    #[serde(with = "humantime_serde")]
    pub exchange_timeout: Duration,
    /// How long a guest may go on after its client has left or its answer is complete, for
    /// deferred work. Zero: not at all. Default 1 s.
    #[serde(with = "humantime_serde")]
    pub abort_grace: Duration,
    /// Time a client has to send a request head once it has begun. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub head_timeout: Duration,
    /// Longest pause within a request body; then 408. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// How long a client may refuse to take any of its answer before the connection is cut.
    /// Default 30 s.
    #[serde(with = "humantime_serde")]
    pub write_timeout: Duration,
    /// How long a connection may be idle between exchanges. Default 75 s.
    #[serde(with = "humantime_serde")]
    pub keep_alive: Duration,
    /// How long a shutdown waits for exchanges at work. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,

    /// Environment variables of the guest: `NAME=VALUE`, or `NAME` to pass on the host's own.
    pub env: Vec<String>,
    /// Values the guest finds in its `wasi:config` store: `NAME=VALUE`.
    pub wasi_config: Vec<String>,
    /// Servers the guest may call by HTTP: `HOST`, `HOST:PORT`, `*.DOMAIN`, or `*` for any.
    pub allow_outbound: Vec<OutboundRule>,

    /// Whether compiled code is kept on disk, so that the next start is quick. Default true.
    pub cache: bool,
    /// Where compiled code is kept. Default: the cache folder of the user.
    pub cache_dir: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            allowed_hosts: Vec::new(),
            memory: 128 << 20,
            max_exchanges: 256,
            max_connections: 1024,
            max_body: (4 << 20) + (64 << 10),
            max_head: 32 << 10,
            max_headers: 100,
            exchange_timeout: Duration::from_secs(60),
            abort_grace: Duration::from_secs(1),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            drain: Duration::from_secs(10),
            env: Vec::new(),
            wasi_config: Vec::new(),
            allow_outbound: Vec::new(),
            cache: true,
            cache_dir: None,
        }
    }
}

/// The smallest buffer in which hyper can read a request head.
const MIN_HEAD: u64 = 8 << 10;
/// What a 32-bit guest can address.
const MAX_MEMORY: u64 = 4 << 30;

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(ByteSize::deserialize(deserializer)?.as_u64())
}

impl Config {
    /// Refuses values that could only fail later, at a worse place.
    pub(crate) fn check(&self) -> Result<(), HostError> {
        let refuse =
            |name, reason: &str| Err(HostError::Setting { name, reason: reason.to_owned() });
        match self {
            Self { max_exchanges: 0, .. } => refuse("max_exchanges", "must be at least 1"),
            Self { max_connections: 0, .. } => refuse("max_connections", "must be at least 1"),
            Self { max_headers: 0, .. } => refuse("max_headers", "must be at least 1"),
            _ if self.max_head < MIN_HEAD => refuse("max_head", "must be at least 8KiB"),
            _ if self.memory > MAX_MEMORY => refuse("memory", "must be at most 4GiB"),
            _ if self.exchange_timeout.is_zero() => {
                refuse("exchange_timeout", "must be longer than zero")
            }
            _ => Ok(()),
        }
    }
}
