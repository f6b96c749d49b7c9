//! The tasks that Triway brings along, each a file or folder, and the catalogue that names them.
//!
//! No task knows an executor, and no executor knows a task: they meet at [`triway_core::Task`].

#![forbid(unsafe_code)]

pub mod catalog;
pub mod check;
#[cfg(feature = "columns")]
pub mod columns;
pub mod command;
pub mod cpu;
pub mod echo;
pub mod http;
pub mod py;
pub mod sh;
#[cfg(feature = "sql")]
pub mod sql;
