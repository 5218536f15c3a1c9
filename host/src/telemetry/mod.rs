//! How an exchange ended, and the parts of the host that have to know.

pub(crate) mod access_log;
pub(crate) mod cancellation;
pub(crate) mod fault;
pub(crate) mod h2_stall;
pub(crate) mod liveness;
