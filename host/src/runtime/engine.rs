//! WebAssembly engines: allocation and interruption of instances, and the cache of compiled code.

use std::{fs, thread, time::Duration};

use wasmtime::{
    Cache, CacheConfig, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};

use super::memory_total::control_groups;
use crate::{
    config::Config,
    error::{HostError, one_line},
};

/// Interval at which running guests yield their thread. A guest that is cancelled or over its deadline
/// is dropped then.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Stack that a guest may use, on a fiber or on the fast path. One more frame is a trap.
pub(super) const GUEST_STACK: usize = 512 << 10;

/// Memory of a pool slot that stays mapped for the next instance.
const KEEP_RESIDENT: usize = 1 << 20;

/// Limits of one component, which may consist of several modules.
const MEMORIES_PER_COMPONENT: u32 = 4;
const CORE_INSTANCES_PER_COMPONENT: u32 = 32;
const TABLES_PER_COMPONENT: u32 = 16;

/// Stacks of one WASI 0.3 instance: one for each suspended call, those of its caller and of the host
/// functions it calls included.
const STACKS_PER_INSTANCE: u32 = 4;

/// Starts an engine for as many instances as `config` allows exchanges.
pub(crate) fn start(config: &Config) -> Result<Engine, HostError> {
    start_with(settings(config)?, config, 1)
}

/// Starts an engine for guests of WASI 0.3, which run several tasks at once.
pub(crate) fn start_concurrent(config: &Config) -> Result<Engine, HostError> {
    let mut settings = settings(config)?;
    settings.concurrency_support(true);
    settings.wasm_component_model_async(true);
    // For `subtask.cancel` without waiting for the guest.
    settings.wasm_component_model_more_async_builtins(true);
    start_with(settings, config, STACKS_PER_INSTANCE)
}

fn start_with(
    on_demand: wasmtime::Config,
    config: &Config,
    stacks: u32,
) -> Result<Engine, HostError> {
    let mut pooling = on_demand.clone();
    pooling.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config, stacks)));
    let engine = Engine::new(&pooling).or_else(|error| {
        // Reserving address space fails under a tight limit of virtual memory.
        tracing::warn!(target: "midge", reason = %one_line(&error), "cannot pool instances, exchanges will be slower");
        Engine::new(&on_demand)
    });
    let engine = engine.map_err(|error| HostError::Engine(one_line(&error)))?;
    tick(&engine)?;
    Ok(engine)
}

fn settings(config: &Config) -> Result<wasmtime::Config, HostError> {
    let mut settings = wasmtime::Config::new();
    settings.wasm_component_model(true);
    settings.epoch_interruption(true);
    settings.max_wasm_stack(GUEST_STACK);
    // Costs every call of a WASI 0.2 guest, which cannot use it.
    settings.concurrency_support(false);
    if !config.no_cache {
        settings.cache(cache(config)?);
    }
    Ok(settings)
}

fn pool(config: &Config, stacks: u32) -> PoolingAllocationConfig {
    let instances = config.max_exchanges;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances.saturating_mul(stacks))
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(instances.saturating_mul(MEMORIES_PER_COMPONENT))
        .total_tables(instances.saturating_mul(TABLES_PER_COMPONENT))
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_memory_size(usize::try_from(config.memory).unwrap_or(usize::MAX));
    if PoolingAllocationConfig::is_pagemap_scan_available() && !may_swap() {
        // Without the scan this would zero the whole range for each exchange.
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(KEEP_RESIDENT)
            .table_keep_resident(KEEP_RESIDENT);
    }
    pool
}

/// Whether the system may swap memory of this process out. The scan finds pages that are present, so a
/// page that was swapped out would keep what an instance wrote for the next one ([issue 14357]).
///
/// [issue 14357]: https://github.com/bytecodealliance/wasmtime/issues/14357
fn may_swap() -> bool {
    // The first line is a heading.
    let has_swap = fs::read_to_string("/proc/swaps").map_or(true, |text| text.lines().count() > 1);
    let is_denied = control_groups("memory.swap.max").any(|limit| limit.trim() == "0");
    let may_swap = has_swap && !is_denied;
    if may_swap {
        tracing::info!(target: "midge", "the system may swap, so the memory of instances is unmapped after each exchange, which is slower");
    }
    may_swap
}

fn cache(config: &Config) -> Result<Option<Cache>, HostError> {
    let mut settings = CacheConfig::new();
    let Some(directory) = &config.cache_dir else {
        // Without a home folder the server starts without a cache.
        let cache = Cache::new(settings).inspect_err(
            |error| tracing::warn!(target: "midge", reason = %one_line(error), "compiled code is not cached"),
        );
        return cache.ok().map(private).transpose();
    };
    let directory =
        std::path::absolute(directory).map_err(|error| refuse_cache(error.to_string()))?;
    settings.with_directory(directory);
    private(Cache::new(settings).map_err(|error| refuse_cache(one_line(&error)))?).map(Some)
}

fn refuse_cache(reason: String) -> HostError {
    HostError::Setting { name: "cache_dir", reason }
}

/// Checks that not everybody can put code into a cache, which the host would run.
#[cfg(unix)]
fn private(cache: Cache) -> Result<Cache, HostError> {
    use std::{fs, os::unix::fs::PermissionsExt};
    let folder = cache.directory();
    let metadata = fs::metadata(folder).map_err(|error| refuse_cache(error.to_string()))?;
    if metadata.permissions().mode() & 0o002 != 0 {
        let folder = folder.display();
        return Err(refuse_cache(format!(
            "every user can write to {folder}, and so have the host run their code; \
             `chmod o-w {folder}` or name another folder"
        )));
    }
    Ok(cache)
}

/// The permissions of other systems are those of the folder above, which is the user's own.
#[cfg(not(unix))]
fn private(cache: Cache) -> Result<Cache, HostError> {
    Ok(cache)
}

/// Starts the thread that ticks. Guests may occupy every thread of the runtime.
fn tick(engine: &Engine) -> Result<(), HostError> {
    let engine = engine.weak();
    let ticker = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new()
        .name("midge-epoch".to_owned())
        .spawn(ticker)
        .map(drop)
        .map_err(|source| HostError::System { what: "start the ticker thread", source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
#[cfg(unix)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_code_cache_that_everybody_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { cache_dir: Some(folder.path().to_owned()), ..Config::default() };
        for (mode, is_refused) in [(0o700, false), (0o755, false), (0o777, true), (0o1777, true)] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            let refused = cache(&config).err().map(|error| error.to_string());
            assert_eq!(refused.is_some(), is_refused, "{mode:o}: {refused:?}");
            let reason = refused.unwrap_or_default();
            assert!(reason.is_empty() || reason.contains("chmod o-w"), "{reason}");
        }
    }
}
