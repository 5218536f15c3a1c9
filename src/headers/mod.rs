//! HTTP header fields: a map that is cheap for one exchange, and the fields that modern clients
//! mirror from the message body.

pub(crate) mod map;
pub(crate) mod mirrored;
