//! The exchange as a whole, over a transport that does what a test says.

mod client_gone;
mod golden;
mod legacy;
mod properties;
mod sampling;
mod schema;
mod sealing;
mod status_table;
mod stream;
mod wire;
