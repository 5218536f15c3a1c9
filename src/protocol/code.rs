//! Error codes of JSON-RPC and MCP: the only ones that a server sends.

/// The body is not JSON.
pub const PARSE_ERROR: i32 = -32700;
/// The body is JSON, but no JSON-RPC message.
pub const INVALID_REQUEST: i32 = -32600;
/// The method does not exist, or not for this client.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The parameters do not fit the method.
pub const INVALID_PARAMS: i32 = -32602;
/// There is no resource at a URI: the number for legacy clients.
pub const LEGACY_RESOURCE_NOT_FOUND: i32 = -32002;
/// The server failed.
pub const INTERNAL_ERROR: i32 = -32603;
/// An HTTP header does not say what the body says.
pub const HEADER_MISMATCH: i32 = -32020;
/// The client lacks a capability that the request needs.
pub const MISSING_CLIENT_CAPABILITY: i32 = -32021;
/// The protocol version is not supported.
pub const UNSUPPORTED_PROTOCOL_VERSION: i32 = -32022;
