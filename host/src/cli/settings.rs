//! Where the configuration comes from: defaults, then the file, the environment, the flags.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use bytesize::ByteSize;
use clap::Args;
use figment::{
    Figment, Provider,
    providers::{Env, Format, Serialized, Toml},
    value::Value,
};
use humantime_serde::re::humantime;
use serde::Serialize;

use crate::{
    config::{Config, OutboundRule},
    error::HostError,
};

const ENV_PREFIX: &str = "MIDGE_";

/// One flag for each setting, of the same name. What is not given is not serialized, and so does
/// not hide what the file or the environment say.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub(crate) struct Flags {
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "HOST:PORT", help_heading = "Server")]
    #[serde(skip_serializing_if = "Option::is_none")]
    addr: Option<SocketAddr>,
    /// Host name to accept besides localhost (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Server")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_host: Vec<String>,
    /// Threads that serve connections [default: 0, as many as cores]
    #[arg(long, value_name = "N", help_heading = "Server")]
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<u32>,
    /// How long a shutdown waits for exchanges at work [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Server")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    drain: Option<Duration>,

    /// Environment variable for the guest; NAME alone passes on the host's own (repeatable)
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = "Grants (none by default)")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    /// Value for the guest's wasi:config store (repeatable)
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Grants (none by default)")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wasi_config: Vec<String>,
    /// Key-value store that guests share and that lives as long as the host (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Grants (none by default)")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keyvalue: Vec<String>,
    /// Server the guest may call: HOST, HOST:PORT, *.DOMAIN or * (repeatable)
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "Grants (none by default)")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_outbound: Vec<OutboundRule>,

    /// Memory of one instance [default: 128MiB]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    /// All that is in key-value stores [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    keyvalue_size: Option<u64>,
    /// Exchanges at work at once; more are answered 503 [default: 256]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_exchanges: Option<u32>,
    /// Exchanges that an instance of a WASI 0.3 guest serves; they share its memory [default: 1]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_reuse: Option<u32>,
    /// How many of them at once [default: 1]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_concurrency: Option<u32>,
    /// Open connections; more wait to be accepted [default: 1024]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_connections: Option<u32>,
    /// Request body; a larger one is answered 413 [default: 4160KiB]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_body: Option<u64>,
    /// Request head: request line and headers [default: 32KiB]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_head: Option<u64>,
    /// Headers in a request [default: 100]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_headers: Option<u32>,

    /// Whole exchange, streamed answers included; then 504 or a cut [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    exchange_timeout: Option<Duration>,
    /// What a guest has left once its client has gone or its answer is complete, for deferred
    /// work; 0s: nothing [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    abort_grace: Option<Duration>,
    /// For a request head to arrive [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    head_timeout: Option<Duration>,
    /// Longest pause within a request body; then 408 [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    body_timeout: Option<Duration>,
    /// Least bytes a second of a request body, beyond the first body-timeout; then 408; 0: any
    /// [default: 1KiB]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none")]
    body_rate: Option<u64>,
    /// How long a client may take nothing of its answer; then it is cut [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    write_timeout: Option<Duration>,
    /// Idle connection between exchanges [default: 75s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Times")]
    #[serde(skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    keep_alive: Option<Duration>,

    /// Compile anew at each start
    #[arg(long, num_args = 0, default_missing_value = "true", help_heading = "Compiled code")]
    #[serde(skip_serializing_if = "Option::is_none")]
    no_cache: Option<bool>,
    /// Folder for compiled code [default: the user's cache folder]
    #[arg(long, value_name = "FOLDER", help_heading = "Compiled code")]
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_dir: Option<PathBuf>,
}

fn size(text: &str) -> Result<u64, String> {
    text.parse().map(|size: ByteSize| size.as_u64())
}

/// The configuration as `flags`, the process environment and `file` make it.
pub(crate) fn load(file: Option<&Path>, flags: &Flags) -> Result<Config, HostError> {
    let names = names()?;
    // Other programs may have variables of that prefix; only settings are of interest here.
    let env = Env::prefixed(ENV_PREFIX).filter(move |name| names.iter().any(|known| name == known));
    match file {
        Some(file) => {
            // figment takes a file that is not there for an empty one, or says so on two lines.
            fs::metadata(file)
                .map_err(|source| HostError::Read { path: file.to_owned(), source })?;
            layer(Toml::file_exact(file), env, flags)
        }
        None => layer(Toml::string(""), env, flags),
    }
}

fn layer(file: impl Provider, env: impl Provider, flags: &Flags) -> Result<Config, HostError> {
    Figment::from(file)
        .merge(env)
        .merge(Serialized::defaults(flags))
        .extract()
        .map_err(|error| HostError::Config(reason(&error)))
}

/// What figment has to say, on one line and without the names of its profiles.
fn reason(error: &figment::Error) -> String {
    use figment::error::Kind;
    let what = match &error.kind {
        Kind::UnknownField(name, _) => format!("there is no setting `{name}`"),
        kind if error.path.is_empty() => kind.to_string(),
        kind => format!("`{}`: {kind}", error.path.join(".")),
    };
    // The TOML parser draws the line at fault; its number is enough.
    let lines = what.lines().map(str::trim);
    let what = lines.filter(|line| !line.contains('|')).collect::<Vec<_>>().join(", ");
    let place = error.metadata.as_ref().and_then(|data| data.source.as_ref());
    match place {
        Some(place) => format!("{what} (in {place})"),
        None => what,
    }
}

/// The names of all settings.
fn names() -> Result<BTreeSet<String>, HostError> {
    let defaults =
        Value::serialize(Config::default()).map_err(|error| HostError::Config(reason(&error)))?;
    Ok(defaults
        .into_dict()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        flags: Flags,
    }

    fn config(file: &str, env: &str, flags: &[&str]) -> Result<Config, HostError> {
        let flags = Command::parse_from(["midge"].iter().chain(flags)).flags;
        layer(Toml::string(file), Toml::string(env), &flags)
    }

    #[test]
    fn nothing_said_is_the_default() {
        assert_eq!(config("", "", &[]).unwrap(), Config::default());
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let file = "drain = '1s'\nmemory = '1MiB'\nmax_exchanges = 1";
        let env = "memory = 2097152\nmax_exchanges = 2";
        let config = config(file, env, &["--max-exchanges", "3", "--no-cache"]).unwrap();
        assert_eq!(config.drain, Duration::from_secs(1));
        assert_eq!(config.memory, 2 << 20);
        assert_eq!(config.max_exchanges, 3);
        assert!(config.no_cache);
    }

    #[test]
    fn sizes_times_and_rules_are_read() {
        let flags =
            ["--max-body", "5000", "--abort-grace", "250ms", "--allow-outbound", "*.a.b:80"];
        let config = config("allow_outbound = ['*']", "", &flags).unwrap();
        assert_eq!(config.max_body, 5000);
        assert_eq!(config.abort_grace, Duration::from_millis(250));
        assert_eq!(config.allow_outbound, ["*.a.b:80".parse().unwrap()]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (file, named) in [
            ("max_bodies = 1", "max_bodies"),
            ("drain = 'soon'", "drain"),
            ("allow_outbound = ['http://x']", "http://x"),
        ] {
            let message = config(file, "", &[]).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn the_help_tells_the_true_defaults() {
        let defaults = Config::default();
        for argument in Command::command().get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let (Some(told), Some(flag)) = (told_default(&help), argument.get_long()) else {
                continue;
            };
            let with = config("", "", &[&format!("--{flag}"), told]).unwrap();
            assert_eq!(with, defaults, "--{flag}");
        }
    }

    fn told_default(help: &str) -> Option<&str> {
        let told = help.split_once("[default: ")?.1.trim_end_matches(']');
        (!told.contains(' ')).then_some(told)
    }

    #[test]
    fn the_keys_are_the_flags() {
        let command = Command::command();
        let flags = command.get_arguments().filter_map(|argument| argument.get_long());
        let flags = flags.filter(|flag| *flag != "help").map(|flag| flag.replace('-', "_"));
        assert_eq!(flags.collect::<BTreeSet<_>>(), names().unwrap());
    }

    #[test]
    fn every_setting_can_come_from_the_environment() {
        let names = names().unwrap();
        assert!(names.contains("exchange_timeout") && names.contains("cache_dir"), "{names:?}");
    }
}
