//! Flags of the command for the settings of the host.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use bytesize::ByteSize;
use clap::Args;
use humantime_serde::re::humantime;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::address::resolve;
use crate::config::{Config, HostRule};

/// One flag for each field of [`Config`], of the same name. Also the keys of the configuration file.
///
/// A flag that is not given is not serialized, so it does not override the environment or the file.
#[derive(Args, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Flags {
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "HOST:PORT", value_parser = resolve, help_heading = "Server")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "address")]
    addr: Option<SocketAddr>,
    /// Host name to accept besides localhost: HOST, HOST:PORT, *.DOMAIN or * (repeatable)
    #[arg(long, value_name = "HOST[:PORT]", value_delimiter = ',', help_heading = "Server")]
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_host: Option<Vec<HostRule>>,
    /// Threads that serve connections [default: 0, as many as cores]
    #[arg(long, value_name = "N", help_heading = "Server")]
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<u32>,
    /// How long a shutdown waits for running exchanges [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Server")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    drain: Option<Duration>,

    /// Environment variable for the guest; NAME alone passes on the host's own (repeatable)
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = "Grants (none by default)")]
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<Vec<String>>,
    /// Value for the guest's wasi:config store (repeatable)
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Grants (none by default)")]
    #[serde(skip_serializing_if = "Option::is_none")]
    wasi_config: Option<Vec<String>>,
    /// Key-value store in memory that all exchanges share (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Grants (none by default)")]
    #[serde(skip_serializing_if = "Option::is_none")]
    keyvalue: Option<Vec<String>>,
    /// Server the guest may call: HOST, HOST:PORT, *.DOMAIN or * (repeatable)
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        value_delimiter = ',',
        help_heading = "Grants (none by default)"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_outbound: Option<Vec<HostRule>>,

    /// Memory of one instance [default: 128MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "size")]
    memory: Option<u64>,
    /// Memory of all guests and bodies together [default: four fifths of the machine or container]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "size")]
    memory_total: Option<u64>,
    /// Size of all key-value stores together [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "size")]
    keyvalue_size: Option<u64>,
    /// Exchanges that run at once; more get a 503 [default: 256]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_exchanges: Option<u32>,
    /// Exchanges that an instance of a WASI 0.3 guest serves; they share its memory [default: 1]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_reuse: Option<u32>,
    /// Exchanges that run in such an instance at once [default: 1]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_concurrency: Option<u32>,
    /// Open connections; one more gets the place of the longest idle, or waits [default: 1024]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_connections: Option<u32>,
    /// Request body; a larger one gets a 413 [default: 4MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "size")]
    max_body: Option<u64>,
    /// All request bodies that guests have not read, and responses that clients have not received; more
    /// get a 503 [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "size")]
    body_buffer: Option<u64>,
    /// Request head: request line and headers [default: 32KiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "size")]
    max_head: Option<u64>,
    /// Headers in a request [default: 100]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_header_count: Option<u32>,

    /// Whole exchange, with a streamed response; then a 504, or a cut stream [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    exchange_timeout: Option<Duration>,
    /// CPU time of the guest of one exchange; then a 504, or a cut stream [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    cpu_time: Option<Duration>,
    /// How long a guest may run after its response is complete or its client has disconnected, for
    /// deferred work; 0s: not at all [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    abort_grace: Option<Duration>,
    /// For a request head to arrive [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    head_timeout: Option<Duration>,
    /// Longest pause within a request body; then a 408 [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    body_timeout: Option<Duration>,
    /// Lowest rate of a request body per second, after body-timeout; then a 408; 0: any
    /// [default: 1KiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "size")]
    body_rate: Option<u64>,
    /// How long a client may receive nothing of its response; then it is disconnected [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    write_timeout: Option<Duration>,
    /// Idle connection between exchanges [default: 75s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    keep_alive: Option<Duration>,

    /// Compile at each start, without a cache
    #[arg(long, num_args = 0, default_missing_value = "true", help_heading = "Compiled code")]
    #[serde(skip_serializing_if = "Option::is_none")]
    no_cache: Option<bool>,
    /// Folder for compiled code [default: the user's cache folder]
    #[arg(long, value_name = "FOLDER", help_heading = "Compiled code")]
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_dir: Option<PathBuf>,
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let size = Option::<ByteSize>::deserialize(deserializer)?;
    Ok(size.map(|size| size.as_u64()))
}

fn parse_size(text: &str) -> Result<u64, String> {
    text.parse().map(|size: ByteSize| size.as_u64())
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| resolve(&text).map_err(D::Error::custom)).transpose()
}

impl fmt::Debug for Flags {
    /// Omits the settings, some of which are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flags").finish_non_exhaustive()
    }
}

impl Flags {
    /// Returns the configuration: the defaults, except for the settings that are given.
    pub(super) fn into_config(self) -> Config {
        macro_rules! config {
            ($($name:ident),*) => {{
                let Config { cache_dir, memory_total, $($name),* } = Config::default();
                Config {
                    memory_total: self.memory_total.or(memory_total),
                    cache_dir: self.cache_dir.or(cache_dir),
                    $($name: self.$name.unwrap_or($name)),*
                }
            }};
        }
        config!(
            addr,
            allow_host,
            threads,
            memory,
            keyvalue_size,
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
            env,
            wasi_config,
            keyvalue,
            allow_outbound,
            no_cache
        )
    }
}
