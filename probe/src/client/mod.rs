//! The clients of the battery, from well-behaved to raw.
//!
//! Nothing here knows a case. `http1` and `http2` conduct exchanges, and `wire` sends arbitrary
//! bytes over HTTP/1.1.

pub(crate) mod check_error;
pub(crate) mod connection_task;
pub(crate) mod dialect;
pub(crate) mod disconnect;
pub(crate) mod endpoint;
pub(crate) mod http1;
pub(crate) mod http2;
pub(crate) mod message_decoder;
pub(crate) mod printable;
pub(crate) mod wire;
