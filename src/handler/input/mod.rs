//! Asking the client in the middle of a request: its user, its model, its folders.
//!
//! A stateless server cannot wait for an answer: the exchange ends with the question
//! (`input_required`), and the client repeats its request together with the answer. The handler
//! then runs again from the top, and the line that asked gets the answer. What an earlier round
//! came to travels through the client, sealed ([`state`]).

mod ask;
mod not_answered;
mod round;
mod sample;
mod state;

pub use not_answered::NotAnswered;
