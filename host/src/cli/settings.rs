//! Settings of the command: from flags, the environment and the configuration file, in this order.

use std::{collections::BTreeSet, fs, path::Path};

use clap::{Arg, ArgAction, Args, Command};
use figment::{
    Figment, Provider,
    providers::{Env, Format, Serialized, Toml},
};

use super::{flags::Flags, variables::Variables};
use crate::{config::Config, error::HostError};

const ENV_PREFIX: &str = "MIDGE_";

/// Loads the configuration from `flags`, the environment of the process, and `file`.
pub(super) fn load(file: Option<&Path>, flags: &Flags) -> Result<Config, HostError> {
    let names = names();
    // Variables with this prefix may belong to other programs.
    let env = Env::prefixed(ENV_PREFIX).filter(move |name| names.iter().any(|known| name == known));
    let env = Variables::new(&env, list_names());
    match file {
        Some(file) => {
            // figment treats a missing file as empty, or reports it on two lines.
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
        .map(Flags::into_config)
        .map_err(|error| HostError::Config(reason(&error)))
}

/// Formats an error of figment on one line, without the names of its profiles.
fn reason(error: &figment::Error) -> String {
    use figment::error::Kind;
    let what = match &error.kind {
        Kind::UnknownField(name, _) => format!("there is no setting `{name}`"),
        kind if error.path.is_empty() => kind.to_string(),
        kind => format!("`{}`: {kind}", error.path.join(".")),
    };
    // The TOML parser quotes the line; its number suffices.
    let lines = what.lines().map(str::trim);
    let what = lines.filter(|line| !line.contains('|')).collect::<Vec<_>>().join(", ");
    match error.metadata.as_ref().map(|data| (&data.source, &data.name)) {
        Some((Some(place), _)) => format!("{what} (in {place})"),
        Some((None, name)) if name.contains("environment") => {
            format!("{what} (in the environment)")
        }
        _ => what,
    }
}

/// Returns the names of all settings.
fn names() -> BTreeSet<String> {
    names_of(|_| true)
}

/// Returns the names of the settings that are lists.
fn list_names() -> BTreeSet<String> {
    names_of(|argument| matches!(argument.get_action(), ArgAction::Append))
}

fn names_of(condition: impl Fn(&Arg) -> bool) -> BTreeSet<String> {
    let command = Flags::augment_args(Command::default());
    let arguments = command.get_arguments().filter(|argument| condition(argument));
    arguments.map(|argument| argument.get_id().to_string()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::{net::SocketAddr, time::Duration};

    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::config::HostRule;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        flags: Flags,
    }

    fn config(file: &str, env: &str, flags: &[&str]) -> Result<Config, HostError> {
        let flags = Arguments::parse_from(["midge"].iter().chain(flags)).flags;
        layer(Toml::string(file), Toml::string(env), &flags)
    }

    #[test]
    fn without_settings_the_configuration_is_the_default() {
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
    fn errors_name_the_setting() {
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
    fn the_help_states_the_defaults() {
        let defaults = Config::default();
        for argument in Arguments::command().get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let (Some(stated), Some(flag)) = (stated_default(&help), argument.get_long()) else {
                continue;
            };
            let with = config("", "", &[&format!("--{flag}"), stated]).unwrap();
            assert_eq!(with, defaults, "--{flag}");
        }
    }

    fn stated_default(help: &str) -> Option<&str> {
        let stated = help.split_once("[default: ")?.1.trim_end_matches(']');
        (!stated.contains(' ')).then_some(stated)
    }

    #[test]
    fn settings_are_named_as_their_flags() {
        let command = Arguments::command();
        let flags = command.get_arguments().filter_map(|argument| argument.get_long());
        let flags = flags.filter(|flag| *flag != "help").map(|flag| flag.replace('-', "_"));
        assert_eq!(flags.collect::<BTreeSet<_>>(), names());
    }

    /// Loads a configuration from environment variables.
    fn from_variables(variables: &[(&str, &str)]) -> Result<Config, HostError> {
        let env = Variables::for_test(variables, list_names());
        layer(Toml::string(""), env, &Flags::default())
    }

    #[test]
    fn lists_in_the_environment_have_commas() {
        let config = from_variables(&[
            ("allow_host", "a.example, *.b.example:443,[::1]"),
            ("allow_outbound", "*"),
            ("env", "A=1,B={x}"),
            ("wasi_config", r#"["a=1,2", "b=3"]"#),
            ("keyvalue", "7"),
            ("max_exchanges", "8"),
            ("drain", "2s"),
        ])
        .unwrap();
        let rules = |rules: &[&str]| {
            rules.iter().map(|rule| rule.parse().unwrap()).collect::<Vec<HostRule>>()
        };
        assert_eq!(config.allow_host, rules(&["a.example", "*.b.example:443", "[::1]"]));
        assert_eq!(config.allow_outbound, rules(&["*"]));
        assert_eq!(config.env, ["A=1", "B={x}"]);
        assert_eq!(config.wasi_config, ["a=1,2", "b=3"]);
        assert_eq!(config.keyvalue, ["7"]);
        assert_eq!((config.max_exchanges, config.drain), (8, Duration::from_secs(2)));
    }

    #[test]
    fn every_list_setting_can_come_from_the_environment() {
        assert_eq!(list_names().len(), 5, "{:?}", list_names());
        for name in list_names() {
            assert_ne!(from_variables(&[(&name, "a")]).unwrap(), Config::default(), "{name}");
        }
    }

    #[test]
    fn host_names_that_match_nothing_are_refused() {
        for text in ["https://h", "", "a,,b", "*h", "a/b", "h:port"] {
            let message = from_variables(&[("allow_host", text)]).unwrap_err().to_string();
            assert!(message.contains("allow_host"), "{message}");
            assert!(message.contains("is not HOST, HOST:PORT, *.DOMAIN or *"), "{message}");
            assert!(message.contains("in the environment"), "{message}");
            let flags = ["midge", "--allow-host", text];
            assert!(Arguments::try_parse_from(flags).is_err(), "{text}");
        }
        let config = config("", "", &["--allow-host", "a,*.b", "--allow-host", "c:1"]).unwrap();
        assert_eq!(config.allow_host.len(), 3);
    }

    #[test]
    fn names_in_addresses_are_resolved() {
        let local: SocketAddr = "127.0.0.1:8081".parse().unwrap();
        assert_eq!(config("", "", &["--addr", "localhost:8081"]).unwrap().addr, local);
        assert_eq!(config("addr = 'localhost:8081'", "", &[]).unwrap().addr, local);
        assert_eq!(
            config("", "", &["--addr", "[::1]:80"]).unwrap().addr,
            "[::1]:80".parse().unwrap()
        );
        for text in ["localhost", ":8080", "localhost:x", "no-such-host.invalid:80"] {
            let message = config(&format!("addr = '{text}'"), "", &[]).unwrap_err().to_string();
            assert!(message.contains(text), "{message}");
        }
    }

    #[test]
    fn every_setting_can_come_from_the_file() {
        // Each name is known, and only the type of the value is wrong.
        for name in names() {
            let message = config(&format!("{name} = {{}}"), "", &[]).unwrap_err().to_string();
            assert!(!message.contains("there is no setting"), "{message}");
        }
    }
}
