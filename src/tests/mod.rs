//! The exchange as a whole, over a transport that does what a test says.

mod client_gone;
mod golden;
mod legacy;
mod prompts;
mod properties;
mod resources;
mod sealing;
mod status_table;
mod stream;
mod wire;
