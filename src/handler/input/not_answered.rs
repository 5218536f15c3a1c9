//! Outcomes of a question other than an answer.

use crate::error::{RequestError, ToolError};

/// The user was asked and has not answered.
///
/// With `?`, a tool tells it the model as a result, a prompt or resource the client as an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAnswered {
    /// The user has said no.
    #[error("The user declined `{key}`")]
    Declined {
        /// The key of the question.
        key: String,
    },
    /// The user has closed the question without a choice.
    #[error("The user dismissed `{key}` without a choice")]
    Cancelled {
        /// The key of the question.
        key: String,
    },
}

impl From<NotAnswered> for ToolError {
    fn from(not_answered: NotAnswered) -> Self {
        Self::new(not_answered.to_string())
    }
}

impl From<NotAnswered> for RequestError {
    fn from(not_answered: NotAnswered) -> Self {
        Self::invalid(not_answered.to_string())
    }
}
