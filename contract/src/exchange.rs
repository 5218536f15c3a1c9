//! The names in `midge:mcp/exchange`, which `wit/exchange.wit` defines.

macro_rules! interface {
    () => {
        "midge:mcp/exchange@0.1.0"
    };
}

/// The interface that a component exports.
pub const INTERFACE: &str = interface!();

/// The function that handles an exchange in an instance of the component.
pub const HANDLE: &str = "handle";

/// The fast path, `attempt`, as the core module of the component exports it.
pub const ATTEMPT_EXPORT: &str = concat!(interface!(), "#attempt");
