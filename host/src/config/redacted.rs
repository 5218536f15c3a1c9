//! The configuration in logs and error messages, without what may be secret.

use std::fmt;

use super::Config;

/// Shows entries `NAME=VALUE` without their values.
struct Redacted<'a>(&'a [String]);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redact = |entry: &String| match entry.split_once('=') {
            Some((name, _)) => format!("{name}=…"),
            None => entry.clone(),
        };
        f.debug_list().entries(self.0.iter().map(redact)).finish()
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
            max_exchanges,
            instance_reuse,
            instance_concurrency,
            max_connections,
            max_body,
            body_buffer,
            max_head,
            max_header_count,
            exchange_timeout,
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

#[cfg(test)]
mod tests {
    use super::*;

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
