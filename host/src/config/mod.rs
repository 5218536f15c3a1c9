//! The settings of the host, with their units and defaults.

mod host_rule;
mod redacted;

use std::{
    fmt::{self, Display},
    net::{Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use bytesize::ByteSize;

pub use self::host_rule::{HostRule, HostRuleError};
pub(crate) use self::host_rule::{canonical, is_name, parse_port};
use self::redacted::Redacted;

/// Limits, grants and the address of a host.
///
/// The command has a flag, a key of the configuration file and an environment variable for each field.
/// `Debug` shows the names of variables and configuration values, not their values.
#[derive(Clone, PartialEq)]
pub struct Config {
    /// Address on which `midge serve` listens. Port 0 picks a free one. Default `127.0.0.1:8080`.
    pub addr: SocketAddr,
    /// Host names that are accepted in the `Host` header besides the loopback ones: `HOST`,
    /// `HOST:PORT`, `*.DOMAIN`, or `*` for any.
    ///
    /// On a loopback address `localhost`, `127.0.0.1` and `[::1]` are always accepted and others
    /// refused, which defeats DNS rebinding. On any other address an empty list accepts every name. A
    /// rule without a port matches with any; a request without a port is one for 80 or 443.
    pub allow_host: Vec<HostRule>,
    /// Threads of [`Server::on_threads`]. A connection stays on its thread; streams of HTTP/2 are spread
    /// over all. Default 0: one for each core.
    ///
    /// [`Server::on_threads`]: crate::Server::on_threads
    pub threads: u32,

    /// Bytes of linear memory of one instance. Default 128 MiB.
    pub memory: u64,
    /// Bytes of all key-value stores together, keys included. Writes beyond that are refused. Default
    /// 64 MiB.
    pub keyvalue_size: u64,
    /// Bytes that guests, and the bodies of requests and responses, may have together. Beyond that,
    /// requests get a 503. `None`, the default: four fifths of the memory of the machine, or of the
    /// control group that the host runs in.
    pub memory_total: Option<u64>,
    /// Exchanges that may run at once. Further requests get a 503. Default 256. One client, which is an
    /// IPv4 address or an IPv6 network of 64 bits, may have three quarters of them, and a quarter on one
    /// connection of HTTP/2.
    pub max_exchanges: u32,
    /// Exchanges that one instance of a WASI 0.3 guest serves before it is dropped. With more than one
    /// they share its memory, and a trap ends them all: see `docs/deploy.md`. Default 1. Instances of
    /// WASI 0.2 guests always serve one.
    pub instance_reuse: u32,
    /// Exchanges that run in one instance at once. Default 1.
    pub instance_concurrency: u32,
    /// Open connections, or fewer if the system allows fewer open files. A further client gets the place
    /// of the connection that has been without an exchange for longest, and waits while all have one.
    /// Default 1024.
    pub max_connections: u32,
    /// Largest request body, in bytes. A larger one gets a 413. Default 4 MiB, which is also the default
    /// limit of a guest.
    pub max_body: u64,
    /// Bytes of all request bodies until their guests have exited, and of all finished responses that
    /// their clients have not received. Beyond that, requests get a 503. One client may have three
    /// quarters.
    /// At least twice `max_body`. Default 64 MiB.
    pub body_buffer: u64,
    /// Largest request head (request line and headers), in bytes. At least 8 KiB. Default 32 KiB.
    pub max_head: u64,
    /// Most headers of a request. Default 100.
    pub max_header_count: u32,

    /// Wall-clock time of an exchange, with all of a streamed response. Default 60 s.
    pub exchange_timeout: Duration,
    /// CPU time of the guest of one exchange. More gets a 504, or cuts a stream. Counted by ticks of 10 ms
    /// at which the guest is found running, so a busy machine counts too much. Does not apply to
    /// instances that serve several exchanges. Default 30 s.
    pub cpu_time: Duration,
    /// How long a guest may run on for deferred work after its response is complete or its client has
    /// disconnected. A guest that burns CPU, and has not noticed that its client has disconnected, is
    /// cut at once. Zero disables deferred work. Default 1 s.
    pub abort_grace: Duration,
    /// Time in which a request head must arrive once it has begun. Default 10 s.
    pub head_timeout: Duration,
    /// Longest pause within a request body. A longer one gets a 408. Default 10 s.
    pub body_timeout: Duration,
    /// Lowest rate of a request body, in bytes per second of the time that the host waits for it. It
    /// applies after `body_timeout` of waiting; a slower client gets a 408. Zero disables it. Default
    /// 1 KiB.
    pub body_rate: u64,
    /// How long a client may receive nothing of its response before the connection is aborted. Over
    /// HTTP/2 this applies to each response. Default 30 s.
    pub write_timeout: Duration,
    /// How long a connection may be idle between exchanges. Default 75 s.
    pub keep_alive: Duration,
    /// How long a shutdown waits for running exchanges. Default 10 s.
    pub drain: Duration,

    /// Environment variables of the guest: `NAME=VALUE`, or `NAME` to pass on the host's own value.
    pub env: Vec<String>,
    /// Values in the `wasi:config` store of the guest: `NAME=VALUE`.
    pub wasi_config: Vec<String>,
    /// Key-value stores (`wasi:keyvalue`) that the guest may open, by name. They are in memory, shared by
    /// all exchanges, and dropped with the host.
    pub keyvalue: Vec<String>,
    /// Servers that the guest may call by HTTP: `HOST`, `HOST:PORT`, `*.DOMAIN`, or `*` for any.
    pub allow_outbound: Vec<HostRule>,

    /// Compile at each start, without a cache of compiled code. Default false.
    pub no_cache: bool,
    /// Folder of the cache of compiled code. Default: the cache folder of the user.
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
            memory_total: None,
            max_exchanges: 256,
            instance_reuse: 1,
            instance_concurrency: 1,
            max_connections: 1024,
            max_body: 4 << 20,
            body_buffer: 64 << 20,
            max_head: 32 << 10,
            max_header_count: 100,
            exchange_timeout: Duration::from_secs(60),
            cpu_time: Duration::from_secs(30),
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

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        macro_rules! debug {
            ($($name:ident),*) => {{
                // Without `..`, so that no field is forgotten.
                let Self { env, wasi_config, $($name),* } = self;
                f.debug_struct("Config")
                    $(.field(stringify!($name), $name))*
                    .field("env", &Redacted(env))
                    .field("wasi_config", &Redacted(wasi_config))
                    .finish()
            }};
        }
        debug!(
            addr,
            allow_host,
            threads,
            memory,
            keyvalue_size,
            memory_total,
            max_exchanges,
            instance_reuse,
            instance_concurrency,
            max_connections,
            max_body,
            body_buffer,
            max_head,
            max_header_count,
            exchange_timeout,
            cpu_time,
            abort_grace,
            head_timeout,
            body_timeout,
            body_rate,
            write_timeout,
            keep_alive,
            drain,
            keyvalue,
            allow_outbound,
            no_cache,
            cache_dir
        )
    }
}

/// The smallest buffer in which hyper can read a request head.
const MIN_HEAD: u64 = 8 << 10;
/// The largest head that hyper may buffer.
const MAX_HEAD: u64 = 16 << 20;
/// Below the capacity limit of `HeaderMap`.
const MAX_HEADER_COUNT: u32 = 10_000;
/// The address space of a 32-bit guest.
const MAX_MEMORY: u64 = 4 << 30;
/// A guest holds the body in its memory.
const MAX_BODY: u64 = MAX_MEMORY;
/// More memory than any machine has.
const MAX_BODY_BUFFER: u64 = 1 << 48;
/// The engine reserves address space for each exchange.
const MAX_EXCHANGES: u32 = 100_000;
/// The wrapper of a guest has slots for 512 calls.
const MAX_CONCURRENCY: u32 = 500;
/// More sockets than a system supports.
const MAX_CONNECTIONS: u32 = 10_000_000;
/// More cores than any machine has.
const MAX_THREADS: u32 = 4096;
/// The clocks of all systems reach a year ahead.
const MAX_TIME: Duration = Duration::from_secs(365 * 24 * 3600);

/// A setting with a value that the host cannot honour.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidSetting {
    pub(crate) name: &'static str,
    pub(crate) reason: String,
}

impl Config {
    /// Checks values that would fail later with a worse error.
    pub(crate) fn check(&self) -> Result<(), InvalidSetting> {
        within("max_exchanges", self.max_exchanges, 1..=MAX_EXCHANGES)?;
        within("instance_reuse", self.instance_reuse, 1..=MAX_EXCHANGES)?;
        within("instance_concurrency", self.instance_concurrency, 1..=MAX_CONCURRENCY)?;
        within("max_connections", self.max_connections, 1..=MAX_CONNECTIONS)?;
        within("threads", self.threads, 0..=MAX_THREADS)?;
        within("max_header_count", self.max_header_count, 1..=MAX_HEADER_COUNT)?;
        within("memory", ByteSize(self.memory), ByteSize(1)..=ByteSize(MAX_MEMORY))?;
        within("max_body", ByteSize(self.max_body), ByteSize(1)..=ByteSize(MAX_BODY))?;
        let most = ByteSize(MAX_BODY_BUFFER);
        within("body_buffer", ByteSize(self.body_buffer), ByteSize(2 * self.max_body)..=most)?;
        if let Some(total) = self.memory_total {
            within("memory_total", ByteSize(total), ByteSize(self.memory)..=ByteSize(u64::MAX))?;
        }
        within("body_rate", ByteSize(self.body_rate), ByteSize(0)..=ByteSize(1 << 30))?;
        within("max_head", ByteSize(self.max_head), ByteSize(MIN_HEAD)..=ByteSize(MAX_HEAD))?;
        for (name, time) in [
            ("exchange_timeout", self.exchange_timeout),
            ("cpu_time", self.cpu_time),
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

/// Checks that a time is not absurdly long.
fn short(name: &'static str, time: Duration) -> Result<(), InvalidSetting> {
    if time > MAX_TIME { Err(refused(name, "must be at most a year".to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the error for a configuration with one value changed.
    fn said(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        let refused = config.check().err();
        refused
            .map(|InvalidSetting { name, reason }| format!("{name}: {reason}"))
            .unwrap_or_default()
    }

    #[test]
    fn the_default_is_valid_and_so_is_no_grace() {
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
            (said(|c| c.max_header_count = 40_000), "max_header_count", "must be at most 10000"),
            (said(|c| c.memory = 0), "memory", "must be at least 1 B"),
            (said(|c| c.memory = 5 << 30), "memory", "must be at most 4.0 GiB"),
            (said(|c| c.max_body = 0), "max_body", "must be at least 1 B"),
            (said(|c| c.body_buffer = 1000), "body_buffer", "must be at least 8.0 MiB"),
            (said(|c| c.memory_total = Some(1)), "memory_total", "must be at least 128.0 MiB"),
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

    #[test]
    fn values_of_variables_are_not_shown() {
        let config = Config {
            env: vec!["KEY=s3cret=x".to_owned(), "PASSED_ON".to_owned()],
            wasi_config: vec!["sealing_keys=s3cret".to_owned()],
            ..Config::default()
        };
        let shown = format!("{config:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains(r#"env: ["KEY=…", "PASSED_ON"]"#), "{shown}");
        assert!(shown.contains("sealing_keys=…") && shown.contains("drain: 10s"), "{shown}");
    }
}
