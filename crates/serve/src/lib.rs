//! Servers to try tasks on, on a machine without network.
//!
//! None of them knows a task or an executor: a test, an example or the command line starts one and points a job at it.

#![forbid(unsafe_code)]

pub mod echo;
pub mod http;
mod listen;
