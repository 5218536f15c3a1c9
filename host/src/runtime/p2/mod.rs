//! Guests of WASI 0.2, which export `wasi:http/incoming-handler`.

mod component;
mod task;

pub(crate) use self::{component::P2Component, task::begin};
