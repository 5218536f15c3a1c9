//! Return types of prompt handlers: [`IntoPromptResult`].

use crate::error::RequestError;
use crate::protocol::prompt::{GetPromptResult, PromptMessage};

/// What the handler of a prompt may return.
///
/// Implemented for text (`String`, `&'static str`: one message of the user), for messages
/// ([`PromptMessage`], a `Vec` of them, [`GetPromptResult`]), and for `Result` of any of them with
/// [`RequestError`].
#[diagnostic::on_unimplemented(
    message = "a prompt cannot return `{Self}`",
    note = "return text, `PromptMessage`, `Vec<PromptMessage>`, `GetPromptResult`, or a `Result` of one of them with `RequestError`"
)]
pub trait IntoPromptResult {
    /// The value as a result.
    ///
    /// # Errors
    /// The handler's own.
    fn into_prompt_result(self) -> Result<GetPromptResult, RequestError>;
}

impl IntoPromptResult for GetPromptResult {
    fn into_prompt_result(self) -> Result<GetPromptResult, RequestError> {
        Ok(self)
    }
}

impl IntoPromptResult for Vec<PromptMessage> {
    fn into_prompt_result(self) -> Result<GetPromptResult, RequestError> {
        Ok(self.into_iter().fold(GetPromptResult::new(), GetPromptResult::message))
    }
}

impl IntoPromptResult for PromptMessage {
    fn into_prompt_result(self) -> Result<GetPromptResult, RequestError> {
        Ok(GetPromptResult::new().message(self))
    }
}

impl IntoPromptResult for String {
    fn into_prompt_result(self) -> Result<GetPromptResult, RequestError> {
        PromptMessage::user(self).into_prompt_result()
    }
}

impl IntoPromptResult for &'static str {
    fn into_prompt_result(self) -> Result<GetPromptResult, RequestError> {
        PromptMessage::user(self).into_prompt_result()
    }
}

impl<T: IntoPromptResult> IntoPromptResult for Result<T, RequestError> {
    fn into_prompt_result(self) -> Result<GetPromptResult, RequestError> {
        self?.into_prompt_result()
    }
}
