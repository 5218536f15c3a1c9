//! The number of files that the system lets this process open. Each connection is one.

use crate::config::Config;

/// Files that are not connections: standard streams, the runtime, the code cache, outbound calls.
const RESERVE: u64 = 64;

/// Raises the soft limit of open files as far as it has to be, and returns how many connections the
/// server may have. Says so if they are fewer than configured.
pub(super) fn max_connections(config: &Config) -> usize {
    let wanted = u64::from(config.max_connections);
    let allowed = raise(wanted + RESERVE).map_or(wanted, |files| files.saturating_sub(RESERVE));
    let connections = wanted.min(allowed.max(1));
    if connections < wanted {
        tracing::warn!(
            target: "midge::listen",
            connections,
            max_connections = wanted,
            "the system allows too few open files for `max_connections`; raise the limit (`ulimit -n`)"
        );
    }
    usize::try_from(connections).unwrap_or(usize::MAX)
}

#[cfg(unix)]
fn raise(files: u64) -> Option<u64> {
    let (soft, _) = rlimit::Resource::NOFILE.get().ok()?;
    if soft >= files {
        return Some(soft);
    }
    // A limit that cannot be raised stays.
    Some(rlimit::increase_nofile_limit(files).unwrap_or(soft))
}

/// Elsewhere sockets are no files.
#[cfg(not(unix))]
fn raise(_: u64) -> Option<u64> {
    None
}
