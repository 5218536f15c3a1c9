//! Guests of WASI 0.3, which export `wasi:http/handler`.

mod call;
mod component;
mod detach;
mod imports;
mod instance_pool;
mod pooled;
mod shared_body;
mod task;
mod wrapper;

pub(crate) use self::{
    component::{P3Component, P3Engine},
    imports::handler_name,
    task::begin,
};
