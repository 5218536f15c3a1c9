//! What a running handler sees: its request, what it may ask and send, and what it came to.
//!
//! Nothing here knows how a server is built or how its answers travel.

pub(crate) mod call;
pub(crate) mod context;
pub(crate) mod disconnect;
pub(crate) mod input;
pub(crate) mod outbox;
pub(crate) mod panic_attribution;
pub(crate) mod params;
pub(crate) mod request;
pub(crate) mod result;
pub(crate) mod rounds;
