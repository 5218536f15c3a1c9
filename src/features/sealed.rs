//! Values that the client keeps for the server: [`Sealed`].

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::ToolError;
use crate::handler::context::Context;
use crate::protocol::finite;
use crate::seal::{self, SealingKeys, Unsealing};

/// How long a value is good for unless something else is said.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A handle of a value that lives in the client, which can neither read nor change it.
///
/// A server that serves each exchange from a fresh instance has no memory in which to keep a cart
/// between two calls. It need not have one: it hands the cart, sealed, to the model, which hands it
/// back with the next call. To clients a handle is a string; it can be a field of a tool's
/// arguments and of its result.
///
/// ```
#[doc = include_str!("../../examples/cart.rs")]
/// ```
///
/// A value is encrypted and bound to the server's name, to the caller
/// ([`Server::principal`](crate::Server::principal)) and to the name of its type, so that a cart
/// does not open as an order; it is not bound to a tool. It opens until its time is over, an hour
/// unless [`Context::seal_for`] says otherwise, as often as it is sent: only a store that all
/// instances share can tell that something was used before. A token has at most 64 KiB, which is
/// some 48 KB of JSON, and a model must repeat it: the smaller, the better.
///
/// The keys are [`SealingKeys`].
pub struct Sealed<T> {
    token: String,
    /// No value is in here.
    value: PhantomData<fn() -> T>,
}

impl<T> Sealed<T> {
    /// The handle as clients have it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.token
    }
}

impl<T: DeserializeOwned + JsonSchema> Sealed<T> {
    /// The value.
    ///
    /// # Errors
    /// [`ToolError::Failed`], with a text for the model, when the handle has expired, was changed,
    /// was made for another caller or type, or has a value that the type no longer fits;
    /// [`ToolError::Internal`] when the server has no keys.
    pub fn open(&self, context: &Context) -> Result<T, ToolError> {
        let kind = T::schema_name();
        let purpose = Purpose::new(context, &kind);
        let content = keys(context)?.open(&purpose.parts(), seal::now(), &self.token);
        let content = content.map_err(|reason| refusal(&kind, reason))?;
        serde_json::from_slice(&content).map_err(|_| {
            let advice = "the server has changed since it was made; get a new one";
            ToolError::Failed(format!("This {kind} handle is of no use: {advice}"))
        })
    }
}

impl Context {
    /// Seals a value for an hour, to be handed to the client; see [`Sealed`].
    ///
    /// # Errors
    /// [`ToolError::Internal`] when the server has no keys, or when the value is too large or
    /// cannot be written as JSON.
    pub fn seal<T: Serialize + JsonSchema>(&self, value: &T) -> Result<Sealed<T>, ToolError> {
        self.seal_for(LIFETIME, value)
    }

    /// Seals a value for a time of whole seconds, to be handed to the client; see [`Sealed`].
    ///
    /// # Errors
    /// As [`Context::seal`].
    pub fn seal_for<T: Serialize + JsonSchema>(
        &self,
        lifetime: Duration,
        value: &T,
    ) -> Result<Sealed<T>, ToolError> {
        let expires = seal::now().saturating_add(lifetime.as_secs());
        let content = finite::to_json(value).map_err(ToolError::internal)?;
        let kind = T::schema_name();
        let purpose = Purpose::new(self, &kind);
        let token = keys(self)?.seal(&purpose.parts(), expires, content.get().as_bytes());
        Ok(Sealed { token: token.map_err(ToolError::internal)?, value: PhantomData })
    }
}

/// What a handle is bound to.
struct Purpose<'a> {
    server: &'a str,
    principal: Vec<u8>,
    kind: &'a str,
}

impl<'a> Purpose<'a> {
    fn new(context: &'a Context, kind: &'a str) -> Self {
        let request = context.request();
        let principal = request.sealing.principal(&request.headers);
        Self { server: &request.sealing.server, principal, kind }
    }

    fn parts(&self) -> [&[u8]; 4] {
        [b"value", self.server.as_bytes(), &self.principal, self.kind.as_bytes()]
    }
}

fn keys(context: &Context) -> Result<SealingKeys, ToolError> {
    context.request().sealing.keys().map_err(ToolError::internal)
}

/// What the model is told: what it may do about it, and not what was wrong with a forgery.
fn refusal(kind: &str, reason: Unsealing) -> ToolError {
    ToolError::Failed(match reason {
        Unsealing::Expired => format!("This {kind} handle has expired; get a new one"),
        _ => format!(
            "This is no {kind} handle of this server for this caller; \
             pass on a handle exactly as a tool has returned it"
        ),
    })
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self { token: self.token.clone(), value: PhantomData }
    }
}

/// Without the handle, which is not for logs: whoever is its caller could use it.
impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sealed").finish_non_exhaustive()
    }
}

impl<T> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.token)
    }
}

impl<'de, T> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { token: String::deserialize(deserializer)?, value: PhantomData })
    }
}

impl<T: JsonSchema> JsonSchema for Sealed<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Sealed_{}", T::schema_name()).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kind = T::schema_name();
        let description =
            format!("An opaque {kind} handle; pass it on exactly as a tool has returned it.");
        json_schema!({ "type": "string", "description": description })
    }
}
