//! Exchanges and connections without I/O: what is read, in which order it is checked, what is
//! written. Bytes go through traits that `sys` and tests implement.

pub(crate) mod http;
pub(crate) mod stdio;
