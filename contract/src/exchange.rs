//! The fast path, which `wit/exchange.wit` defines.

/// `attempt` of `midge:mcp/exchange`, as the core module of a component exports it.
pub const ATTEMPT_EXPORT: &str = "midge:mcp/exchange@0.1.0#attempt";
