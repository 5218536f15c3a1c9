//! Components that serve one client over standard input and output: the command `midge stdio`, and
//! `wasmtime run`, as processes of their own.
#![cfg(unix)]

mod behaviour;
mod leaving;
mod limits;
mod p3;
mod process;

pub(crate) use self::process::{Runner, command_line};
