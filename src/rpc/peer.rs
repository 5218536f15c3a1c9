//! Context of a message beside its bytes: headers of the request, or memory of the connection.

use std::cell::Cell;
use std::rc::Rc;

use crate::error::ProtocolError;
use crate::headers::map::Fields;
use crate::headers::mirrored::{self, Field};
use crate::protocol::Version;
use crate::protocol::logging::LoggingLevel;

/// What a transport knows about a message beside its bytes.
#[derive(Debug)]
pub(crate) struct PeerContext {
    /// The headers of an HTTP request; none on a connection.
    pub(crate) headers: Rc<Fields>,
    /// Present where all messages share one connection, which has no headers.
    memory: Option<Memory>,
}

/// Memory of a connection for a legacy client.
#[derive(Debug, Default)]
struct Memory {
    version: Cell<Option<Version>>,
    log_level: Cell<Option<LoggingLevel>>,
}

impl PeerContext {
    /// The peer of one HTTP request. Nothing is remembered; headers of modern clients mirror the body.
    pub(crate) fn by_request(headers: Fields) -> Self {
        Self { headers: Rc::new(headers), memory: None }
    }

    /// The peer of a connection, which is one client.
    pub(crate) fn by_connection() -> Self {
        Self { headers: Rc::default(), memory: Some(Memory::default()) }
    }

    /// The version that is named outside of the message: by a header, or in the handshake.
    pub(crate) fn version(&self) -> Field<'_> {
        match &self.memory {
            None => mirrored::version(&self.headers),
            Some(Memory { version, .. }) => {
                version.get().map_or(Field::Absent, |version| Field::Named(version.as_str()))
            }
        }
    }

    /// The least level of log messages for a legacy client: what it has set, or else what most of
    /// them expect.
    pub(crate) fn log_level(&self) -> LoggingLevel {
        let set = self.memory.as_ref().and_then(|memory| memory.log_level.get());
        set.unwrap_or(LoggingLevel::Info)
    }

    /// Remembers, where anything is, what a handshake has agreed on.
    pub(crate) fn remember_version(&self, version: Version) {
        if let Some(memory) = &self.memory {
            memory.version.set(Some(version));
        }
    }

    /// Remembers, where anything is, the level that a client has set.
    pub(crate) fn remember_log_level(&self, level: LoggingLevel) {
        if let Some(memory) = &self.memory {
            memory.log_level.set(Some(level));
        }
    }

    /// Checks that a header names a version, where there are headers.
    pub(crate) fn check_version_is_named(&self) -> Result<(), ProtocolError> {
        if self.has_headers() && !self.headers.contains(mirrored::PROTOCOL_VERSION) {
            let message = "MCP-Protocol-Version header is missing".to_owned();
            return Err(ProtocolError::HeaderMismatch(message));
        }
        Ok(())
    }

    /// Compares the version of the body with its header.
    pub(crate) fn check_version(&self, version: &str) -> Result<(), ProtocolError> {
        self.check(|headers| mirrored::check_version(headers, version))
    }

    /// Compares the method of the body with its header.
    pub(crate) fn check_method(&self, method: &str) -> Result<(), ProtocolError> {
        self.check(|headers| mirrored::check_method(headers, method))
    }

    /// Compares the name of what the body asks for with its header.
    pub(crate) fn check_name(&self, name: &str) -> Result<(), ProtocolError> {
        self.check(|headers| mirrored::check_name(headers, name))
    }

    /// The headers in which a client of `version` repeats arguments. Only modern clients do, and
    /// only over HTTP.
    pub(crate) fn mirrored_headers(&self, version: Version) -> Option<&Fields> {
        (self.has_headers() && version.is_modern()).then_some(&*self.headers)
    }

    fn check(
        &self,
        check: impl FnOnce(&Fields) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        if self.has_headers() { check(&self.headers) } else { Ok(()) }
    }

    fn has_headers(&self) -> bool {
        self.memory.is_none()
    }
}
