//! Every setting of the host, with its unit and default.

mod outbound_rule;

use std::{
    fmt::Display,
    net::{Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer, Serialize};

pub use self::outbound_rule::{OutboundRule, OutboundRuleError};

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
    pub allow_host: Vec<String>,
    /// Threads that serve connections, where [`Server::on_threads`] asks for them, as the command
    /// does. A connection stays on its thread; streams of HTTP/2 are spread over all. Default 0: as
    /// many as the machine has cores.
    ///
    /// [`Server::on_threads`]: crate::Server::on_threads
    pub threads: u32,

    /// Bytes of linear memory an instance may have. Default 128 MiB.
    #[serde(deserialize_with = "bytes")]
    pub memory: u64,
    /// Bytes that all key-value stores hold together, keys included; what would be more is refused.
    /// Default 64 MiB.
    #[serde(deserialize_with = "bytes")]
    pub keyvalue_size: u64,
    /// Exchanges at work at once; one more is answered 503. Default 256.
    pub max_exchanges: u32,
    /// Exchanges that an instance of a WASI 0.3 guest serves before it goes. With more than one they
    /// share memory and fate: see `docs/deploy.md`. Default 1. Guests of WASI 0.2 serve one always.
    pub instance_reuse: u32,
    /// How many of them at once. Default 1.
    pub instance_concurrency: u32,
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
    /// deferred work. One that burns CPU and has not noticed that its client has left, or that its
    /// request was cut short, is cut at once. Zero: not at all. Default 1 s.
    #[serde(with = "humantime_serde")]
    pub abort_grace: Duration,
    /// Time a client has to send a request head once it has begun. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub head_timeout: Duration,
    /// Longest pause within a request body; then 408. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// Least bytes a second of a request body, on the average of the time that a guest waits for it;
    /// counts once `body_timeout` has been waited in all, and who is slower gets 408. Zero: any.
    /// Default 1 KiB.
    #[serde(deserialize_with = "bytes")]
    pub body_rate: u64,
    /// How long a client may refuse to take any of its answer before the connection is cut. Over
    /// HTTP/2 that goes for each answer on the connection.
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
    /// Key-value stores (`wasi:keyvalue`) the guest may open, by name. They are in memory, shared by
    /// all exchanges, and gone with the host.
    pub keyvalue: Vec<String>,
    /// Servers the guest may call by HTTP: `HOST`, `HOST:PORT`, `*.DOMAIN`, or `*` for any.
    pub allow_outbound: Vec<OutboundRule>,

    /// Compile anew at each start, and keep no compiled code on disk. Default false.
    pub no_cache: bool,
    /// Where compiled code is kept. Default: the cache folder of the user.
    pub cache_dir: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            allow_host: Vec::new(),
            threads: 0,
            memory: 128 << 20,
            keyvalue_size: 64 << 20,
            max_exchanges: 256,
            instance_reuse: 1,
            instance_concurrency: 1,
            max_connections: 1024,
            max_body: (4 << 20) + (64 << 10),
            max_head: 32 << 10,
            max_headers: 100,
            exchange_timeout: Duration::from_secs(60),
            abort_grace: Duration::from_secs(1),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            body_rate: 1 << 10,
            write_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            drain: Duration::from_secs(10),
            env: Vec::new(),
            wasi_config: Vec::new(),
            keyvalue: Vec::new(),
            allow_outbound: Vec::new(),
            no_cache: false,
            cache_dir: None,
        }
    }
}

/// The smallest buffer in which hyper can read a request head.
const MIN_HEAD: u64 = 8 << 10;
/// A larger one is no head.
const MAX_HEAD: u64 = 16 << 20;
/// The types of HTTP hold no more.
const MAX_HEADERS: u32 = 10_000;
/// What a 32-bit guest can address.
const MAX_MEMORY: u64 = 4 << 30;
/// For each exchange the engine reserves address space.
const MAX_EXCHANGES: u32 = 100_000;
/// Calls for which the wrapper of a guest has room.
const MAX_CONCURRENCY: u32 = 500;
/// More sockets than a system has.
const MAX_CONNECTIONS: u32 = 10_000_000;
/// More cores than a machine has.
const MAX_THREADS: u32 = 4096;
/// From a moment that is now, the clocks of all systems reach further.
const MAX_TIME: Duration = Duration::from_secs(365 * 24 * 3600);

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(ByteSize::deserialize(deserializer)?.as_u64())
}

/// A setting with a value that the host cannot honour.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidSetting {
    pub(crate) name: &'static str,
    pub(crate) reason: String,
}

impl Config {
    /// Refuses values that could only fail later, at a worse place.
    pub(crate) fn check(&self) -> Result<(), InvalidSetting> {
        within("max_exchanges", self.max_exchanges, 1..=MAX_EXCHANGES)?;
        within("instance_reuse", self.instance_reuse, 1..=MAX_EXCHANGES)?;
        within("instance_concurrency", self.instance_concurrency, 1..=MAX_CONCURRENCY)?;
        within("max_connections", self.max_connections, 1..=MAX_CONNECTIONS)?;
        within("threads", self.threads, 0..=MAX_THREADS)?;
        within("max_headers", self.max_headers, 1..=MAX_HEADERS)?;
        within("memory", ByteSize(self.memory), ByteSize(1)..=ByteSize(MAX_MEMORY))?;
        within("max_body", ByteSize(self.max_body), ByteSize(1)..=ByteSize(u64::MAX))?;
        within("body_rate", ByteSize(self.body_rate), ByteSize(0)..=ByteSize(1 << 30))?;
        within("max_head", ByteSize(self.max_head), ByteSize(MIN_HEAD)..=ByteSize(MAX_HEAD))?;
        for (name, time) in [
            ("exchange_timeout", self.exchange_timeout),
            ("head_timeout", self.head_timeout),
            ("body_timeout", self.body_timeout),
            ("write_timeout", self.write_timeout),
            ("keep_alive", self.keep_alive),
        ] {
            if time.is_zero() {
                return Err(refused(name, "must be longer than zero".to_owned()));
            }
            short(name, time)?;
        }
        short("abort_grace", self.abort_grace)?;
        short("drain", self.drain)
    }
}

fn refused(name: &'static str, reason: String) -> InvalidSetting {
    InvalidSetting { name, reason }
}

fn within<T: PartialOrd + Display>(
    name: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), InvalidSetting> {
    if value < *range.start() {
        return Err(refused(name, format!("must be at least {}", range.start())));
    }
    if value > *range.end() {
        return Err(refused(name, format!("must be at most {}", range.end())));
    }
    Ok(())
}

fn short(name: &'static str, time: Duration) -> Result<(), InvalidSetting> {
    if time > MAX_TIME { Err(refused(name, "must be at most a year".to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of the configuration with one value changed.
    fn said(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        let refused = config.check().err();
        refused
            .map(|InvalidSetting { name, reason }| format!("{name}: {reason}"))
            .unwrap_or_default()
    }

    #[test]
    fn the_default_is_good_and_so_is_no_grace() {
        assert_eq!(said(|_| ()), "");
        assert_eq!(said(|config| config.abort_grace = Duration::ZERO), "");
        assert_eq!(said(|config| config.drain = Duration::ZERO), "");
    }

    #[test]
    fn absurd_values_are_refused_by_name() {
        let zero = "must be longer than zero";
        for (said, name, reason) in [
            (said(|c| c.max_exchanges = 0), "max_exchanges", "must be at least 1"),
            (said(|c| c.max_exchanges = u32::MAX), "max_exchanges", "must be at most 100000"),
            (said(|c| c.max_connections = 0), "max_connections", "must be at least 1"),
            (said(|c| c.threads = u32::MAX), "threads", "must be at most 4096"),
            (said(|c| c.instance_reuse = 0), "instance_reuse", "must be at least 1"),
            (said(|c| c.instance_concurrency = 501), "instance_concurrency", "must be at most 500"),
            (said(|c| c.max_headers = 40_000), "max_headers", "must be at most 10000"),
            (said(|c| c.memory = 0), "memory", "must be at least 1 B"),
            (said(|c| c.memory = 5 << 30), "memory", "must be at most 4.0 GiB"),
            (said(|c| c.max_body = 0), "max_body", "must be at least 1 B"),
            (said(|c| c.max_head = 100), "max_head", "must be at least 8.0 KiB"),
            (said(|c| c.exchange_timeout = Duration::ZERO), "exchange_timeout", zero),
            (said(|c| c.head_timeout = Duration::ZERO), "head_timeout", zero),
            (said(|c| c.body_timeout = Duration::ZERO), "body_timeout", zero),
            (said(|c| c.write_timeout = Duration::ZERO), "write_timeout", zero),
            (said(|c| c.keep_alive = Duration::ZERO), "keep_alive", zero),
            (said(|c| c.abort_grace = Duration::MAX), "abort_grace", "must be at most a year"),
            (said(|c| c.keep_alive = Duration::MAX), "keep_alive", "must be at most a year"),
        ] {
            assert_eq!(said, format!("{name}: {reason}"));
        }
    }
}
