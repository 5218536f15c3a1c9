//! From the bytes of a body to the work that answers it.

use std::rc::Rc;

use serde_json::value::RawValue;

use super::era::{self, Era};
use super::record::Record;
use super::reply::Reply;
use super::{request, status};
use crate::dispatch::Answer;
use crate::error::ProtocolError;
use crate::fields::Fields;
use crate::headers::{self, Field};
use crate::outcome::Outcome;
use crate::protocol::jsonrpc::{self, InvalidMessage, Message, RequestId};
use crate::protocol::meta::RequestMeta;
use crate::response::Response;
use crate::server::Server;

/// How many messages one array may hold.
const MAX_BATCH: usize = 100;

/// What a body asks for.
pub(crate) enum Work {
    /// No message that has an answer: an HTTP reply is all there is.
    Reply(Reply),
    /// One answer, or an array of them.
    Jobs { jobs: Vec<Answer>, batch: bool, modern: bool },
}

/// What bodies are read for.
pub(crate) struct Reader<'a> {
    pub(crate) server: &'a Server,
    pub(crate) headers: &'a Rc<Fields>,
    pub(crate) record: &'a mut Record,
    /// Told of each request before any code of the server's author runs for it.
    pub(crate) blame: &'a mut dyn FnMut(&RequestId),
}

impl Reader<'_> {
    /// Reads a body and answers what needs no handler.
    pub(crate) fn read(&mut self, body: &[u8]) -> Work {
        let work = parse(body).and_then(|json| match json.get().as_bytes().first() {
            Some(b'[') => self.read_batch(json),
            _ => self.read_single(json),
        });
        work.unwrap_or_else(|error| {
            Work::Reply(Reply { outcome: Outcome::Rejected, ..reply_to_error(error) })
        })
    }

    fn read_single(&mut self, json: &RawValue) -> Result<Work, ProtocolError> {
        let request = match Message::from_json(json) {
            Ok(Message::Request(request)) => request,
            Ok(Message::Notification) => return Ok(Work::Reply(status::accepted())),
            Ok(Message::Response) => return response_received(self.headers),
            Err(invalid) => return Ok(Work::Reply(reply_to_invalid(invalid))),
        };
        self.record.request(&request);
        (self.blame)(&request.id);
        Ok(match request::answer(self.server, self.headers, &request, self.record) {
            Ok((answer, modern)) => Work::Jobs { jobs: vec![answer], batch: false, modern },
            Err(refused) => Work::Reply(status::reply_to(refused.response, refused.modern)),
        })
    }

    /// An array of messages, which only one legacy version allows.
    fn read_batch(&mut self, json: &RawValue) -> Result<Work, ProtocolError> {
        let invalid = |reason: &'static str| ProtocolError::InvalidRequest(reason.into());
        let version = Field::of(self.headers, headers::PROTOCOL_VERSION);
        let allowed = match era::decide("", &RequestMeta::default(), version) {
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
        self.record.method("(batch)");
        let jobs: Vec<Answer> =
            messages.into_iter().filter_map(|message| self.answer_in_batch(message)).collect();
        Ok(match jobs.is_empty() {
            true => Work::Reply(status::accepted()),
            false => Work::Jobs { jobs, batch: true, modern: false },
        })
    }

    fn answer_in_batch(&mut self, message: &RawValue) -> Option<Answer> {
        let refuse = |id: Option<&_>, reason: &'static str| {
            Answer::Now(Response::error(id, ProtocolError::InvalidRequest(reason.into())))
        };
        let request = match Message::from_json(message) {
            Ok(Message::Request(request)) => request,
            Ok(Message::Notification | Message::Response) => return None,
            Err(invalid) => return Some(refuse(invalid.id.as_ref(), invalid.reason)),
        };
        if request.method == "initialize" {
            return Some(refuse(Some(&request.id), "initialize may not be part of an array"));
        }
        (self.blame)(&request.id);
        let mut unrecorded = Record::default();
        Some(match request::answer(self.server, self.headers, &request, &mut unrecorded) {
            Ok((_, true)) => refuse(Some(&request.id), "arrays are part of 2025-03-26 only"),
            Ok((answer, false)) => answer,
            Err(refused) => Answer::Now(refused.response),
        })
    }
}

fn reply_to_error(error: ProtocolError) -> Reply {
    status::reply_to(Response::error(None, error), false)
}

/// Checks that the body is JSON, in UTF-8 and not too deep, and reads no more of it.
fn parse(body: &[u8]) -> Result<&RawValue, ProtocolError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body)
        .map_err(|_| ProtocolError::Parse("the body is not UTF-8".to_owned()))?;
    if jsonrpc::nests_too_deep(text) {
        let depth = jsonrpc::MAX_DEPTH;
        return Err(ProtocolError::Parse(format!("the body nests deeper than {depth} levels")));
    }
    serde_json::from_str(text).map_err(|error| ProtocolError::Parse(error.to_string()))
}

/// A posted response: legacy clients may think that somebody waits for it; nobody does.
fn response_received(headers: &Fields) -> Result<Work, ProtocolError> {
    match era::decide("", &RequestMeta::default(), Field::of(headers, headers::PROTOCOL_VERSION))? {
        Era::Legacy(_) => Ok(Work::Reply(status::accepted())),
        Era::Modern => Err(ProtocolError::InvalidRequest("a client may not send responses".into())),
    }
}

fn reply_to_invalid(invalid: InvalidMessage) -> Reply {
    let error = ProtocolError::InvalidRequest(invalid.reason.into());
    let reply = status::reply_to(Response::error(invalid.id.as_ref(), error), false);
    Reply { outcome: Outcome::Rejected, ..reply }
}
