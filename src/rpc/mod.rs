//! From the bytes of a JSON-RPC message to the work that answers it, for any transport.

pub(crate) mod dispatch;
pub(crate) mod era;
pub(crate) mod message;
pub(crate) mod peer;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod run;
