//! The names of the response headers that guests set for their host.

/// [Metadata](crate::Metadata) of the exchange. Also the name of a trailer.
///
/// `midge-host` reads it and strips it. Other hosts pass it on to the client, for which it is
/// nothing new.
pub const EXCHANGE: &str = "midge-exchange";

/// Asks the host not to cancel the exchange when its client disconnects. The value has no meaning.
pub const RUN_TO_COMPLETION: &str = "midge-run-to-completion";
