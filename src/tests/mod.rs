//! The exchange as a whole, over a transport that does what a test says.

mod apps;
mod arguments;
mod client_gone;
mod completion;
mod golden;
mod golden_methods;
mod layers;
mod legacy;
mod limits;
mod pages;
mod prompts;
pub(crate) mod properties;
mod real_clients;
mod resources;
mod results;
mod rounds;
mod sampling;
mod schema;
mod sealing;
mod statics;
mod status_table;
mod stdio;
mod stream;
mod subscriptions;
mod wire;
