//! From the bytes of a message to the work it asks for, on any transport.

use std::borrow::Cow;

use midge_contract::{MetadataWriter, Outcome};
use serde_json::value::RawValue;

use crate::error::ProtocolError;
use crate::handler::panic_attribution::PanicAttribution;
use crate::protocol::jsonrpc::{self, InvalidMessage, Message, RequestId};
use crate::protocol::members;
use crate::protocol::meta::RequestMeta;
use crate::rpc::dispatch::Dispatched;
use crate::rpc::era::{self, Era};
use crate::rpc::peer::PeerContext;
use crate::rpc::request::{self, Refused};
use crate::rpc::response::Response;
use crate::server::Server;

/// How many messages one array may hold.
const MAX_BATCH: usize = 100;

/// The work that a message asks for.
pub(crate) enum Work {
    /// Nothing that needs a response.
    Nothing,
    /// An error response.
    Refused(Refused),
    /// One request, or an array of them.
    Jobs { jobs: Vec<Dispatched>, batch: bool, modern: bool },
}

/// Receives notifications and their parameters.
pub(crate) trait Observer {
    fn notified(&mut self, method: &str, params: Option<&RawValue>);
}

/// Reads messages for a server.
pub(crate) struct Reader<'a> {
    pub(crate) server: &'a Server,
    pub(crate) peer: &'a PeerContext,
    /// Set as soon as a request is known: code of the server's author may run for it.
    pub(crate) attribution: &'a PanicAttribution,
    pub(crate) observer: Option<&'a mut dyn Observer>,
    /// Metadata of the exchange, for transports that report it to the host.
    pub(crate) metadata: Option<&'a mut MetadataWriter>,
}

impl Reader<'_> {
    /// Reads a message, or an array of them, and answers what needs no handler.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Work {
        let (work, id) = match text(bytes) {
            Ok((text, values)) => (self.read_text(text, values), None),
            Err(error) => (Err(error), id_at_start(bytes)),
        };
        work.unwrap_or_else(|error| rejected(id.as_ref(), error))
    }

    fn read_text(&mut self, text: &str, values: usize) -> Result<Work, ProtocolError> {
        let most = self.server.settings().max_values;
        let excess = (values > most).then_some(most);
        match text.trim_ascii_start().as_bytes().first() {
            Some(b'[') => self.read_batch(parse(text)?, excess),
            _ => self.read_single(text, excess),
        }
    }

    /// Reads one message; `excess` is the limit on values, where it has more.
    fn read_single(&mut self, json: &str, excess: Option<usize>) -> Result<Work, ProtocolError> {
        let request = match Message::from_json(json) {
            Ok(Message::Request(request)) => request,
            Ok(Message::Notification { method, params }) => {
                self.notified(&method, params);
                return Ok(Work::Nothing);
            }
            Ok(Message::Response) => return self.response_received(),
            Err(InvalidMessage { id, reason }) => {
                // Good messages are read once, so that only now it counts whether this is JSON.
                parse(json)?;
                return Ok(rejected(id.as_ref(), invalid(reason)));
            }
        };
        if let Some(metadata) = &mut self.metadata {
            metadata.method(&request.method);
            metadata.id(&request.id.text());
        }
        if let Some(most) = excess {
            let response = Response::error(Some(&request.id), too_many_values(most));
            return Ok(Work::Refused(Refused { response, modern: false }));
        }
        self.attribution.set(&request.id);
        Ok(match request::start(self.server, self.peer, &request, self.metadata.as_deref_mut()) {
            Ok((answer, modern)) => Work::Jobs { jobs: vec![answer], batch: false, modern },
            Err(refused) => Work::Refused(refused),
        })
    }

    /// An array of messages, which only one legacy version allows.
    fn read_batch(
        &mut self,
        json: &RawValue,
        excess: Option<usize>,
    ) -> Result<Work, ProtocolError> {
        let allowed = match self.said_outside() {
            Ok(Era::Legacy(version)) => version.allows_batches(),
            _ => false,
        };
        if !allowed {
            return Err(invalid("arrays of messages are part of 2025-03-26 only"));
        }
        let messages: Vec<&RawValue> = serde_json::from_str(json.get())
            .map_err(|error| ProtocolError::Parse(error.to_string()))?;
        if messages.is_empty() || messages.len() > MAX_BATCH {
            return Err(invalid("an array must hold 1 to 100 messages"));
        }
        if let Some(metadata) = &mut self.metadata {
            metadata.method("(batch)");
        }
        let answers = messages.into_iter().filter_map(|json| self.answer_in_batch(json, excess));
        let jobs: Vec<Dispatched> = answers.collect();
        Ok(match jobs.is_empty() {
            true => Work::Nothing,
            false => Work::Jobs { jobs, batch: true, modern: false },
        })
    }

    fn answer_in_batch(&mut self, message: &RawValue, excess: Option<usize>) -> Option<Dispatched> {
        let refuse = |id: Option<&_>, reason: &'static str| {
            Dispatched::Response(Response::error(id, ProtocolError::InvalidRequest(reason.into())))
        };
        let request = match Message::from_json(message.get()) {
            Ok(Message::Request(request)) => request,
            Ok(Message::Notification { method, params }) => {
                self.notified(&method, params);
                return None;
            }
            Ok(Message::Response) => return None,
            Err(invalid) => return Some(refuse(invalid.id.as_ref(), invalid.reason)),
        };
        if request.method == "initialize" {
            return Some(refuse(Some(&request.id), "initialize may not be part of an array"));
        }
        if let Some(most) = excess {
            let response = Response::error(Some(&request.id), too_many_values(most));
            return Some(Dispatched::Response(response));
        }
        self.attribution.set(&request.id);
        Some(match request::start(self.server, self.peer, &request, None) {
            Ok((_, true)) => refuse(Some(&request.id), "arrays are part of 2025-03-26 only"),
            Ok((answer, false)) => answer,
            Err(refused) => Dispatched::Response(refused.response),
        })
    }

    fn notified(&mut self, method: &str, params: Option<&RawValue>) {
        if let Some(observer) = &mut self.observer {
            observer.notified(method, params);
        }
    }

    /// A response: legacy clients may think that somebody waits for it; nobody does.
    fn response_received(&self) -> Result<Work, ProtocolError> {
        match self.said_outside()? {
            Era::Legacy(_) => Ok(Work::Nothing),
            Era::Modern => Err(invalid("a client may not send responses")),
        }
    }

    /// Who speaks, where the message itself does not say.
    fn said_outside(&self) -> Result<Era, ProtocolError> {
        era::decide("", &RequestMeta::default(), || self.peer.version())
    }
}

fn invalid(reason: impl Into<Cow<'static, str>>) -> ProtocolError {
    ProtocolError::InvalidRequest(reason.into())
}

/// What is said before there is a request to answer.
fn rejected(id: Option<&RequestId>, error: ProtocolError) -> Work {
    let response = Response { outcome: Outcome::Rejected, ..Response::error(id, error) };
    Work::Refused(Refused { response, modern: false })
}

/// A value that is built takes many times the memory of its text, so a message with too many is
/// refused before any of them is.
fn too_many_values(most: usize) -> ProtocolError {
    let reason = format!("the message has more than {most} JSON values, the limit of this server");
    ProtocolError::InvalidParams(reason.into())
}

/// The id of a message that cannot be read, if it stands before what is wrong with it.
pub(crate) fn id_at_start(bytes: &[u8]) -> Option<RequestId> {
    let end = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let [id] = members::find_at_start(text, ["id"]);
    // A number at the end may go on behind it.
    let id = id.ok()?.filter(|id| !text.ends_with(id.get()))?;
    RequestId::from_json(id)
}

/// A message as a text that does not nest too deep, and how many values it has.
fn text(bytes: &[u8]) -> Result<(&str, usize), ProtocolError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| ProtocolError::Parse("the message is not UTF-8".to_owned()))?;
    let values = jsonrpc::count_values(text).ok_or_else(|| {
        let depth = jsonrpc::MAX_DEPTH;
        ProtocolError::Parse(format!("the message nests deeper than {depth} levels"))
    })?;
    Ok((text, values))
}

/// Checks that a text is JSON, and reads no more of it.
fn parse(text: &str) -> Result<&RawValue, ProtocolError> {
    serde_json::from_str(text).map_err(|error| ProtocolError::Parse(error.to_string()))
}
