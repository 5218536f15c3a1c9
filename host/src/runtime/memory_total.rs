//! The memory that guests and bodies may have together.

use std::{fs, path::Path};

use crate::config::Config;

/// The part of the memory of the machine that is left to the host itself and to other programs.
const RESERVE: u64 = 5;

/// Returns the limit that is configured, or else one by the memory of the machine or its control group.
pub(super) fn limit(config: &Config) -> u64 {
    config.memory_total.unwrap_or_else(|| {
        let available = [machine(), control_group()].into_iter().flatten().min();
        available.map_or(u64::MAX, |bytes| bytes - bytes / RESERVE)
    })
}

/// Returns the memory of the machine, where the system says so.
fn machine() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Returns the lowest limit of the control groups that this process is in.
fn control_group() -> Option<u64> {
    control_groups("memory.max").filter_map(|text| text.trim().parse().ok()).min()
}

/// Returns the contents of a file of each control group (version 2) that this process is in. In a
/// container its own is at the root.
pub(super) fn control_groups(file: &str) -> impl Iterator<Item = String> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let own = Path::new("/sys/fs/cgroup").join(own);
    let folders: Vec<_> = own.ancestors().map(|folder| folder.join(file)).collect();
    folders.into_iter().filter_map(|path| fs::read_to_string(path).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_configured_counts() {
        assert_eq!(limit(&Config { memory_total: Some(7), ..Config::default() }), 7);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_default_leaves_some_of_the_machine() {
        let total = machine().unwrap_or_default();
        assert!(total > 0);
        assert!(limit(&Config::default()) < total);
    }
}
