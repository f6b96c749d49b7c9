//! Runs a job under one concurrency model: on threads, on worker processes or as async tasks.
//!
//! One dispatcher serves every model. It pulls inputs from a [`Source`], keeps the books in a pure ledger, and hands
//! inputs to lanes; a lane is a thread, an async task, or a thread that speaks to a worker process. Outcomes go to a
//! [`Sink`].

#![forbid(unsafe_code)]

mod ahead;
mod cell;
mod clock;
mod control;
mod delivery;
mod dispatch;
mod hand_over;
mod job;
pub mod journal;
mod lane;
mod lanes;
mod ledger;
mod processes;
mod refusal;
pub mod restart;
mod runtime;
mod sink;
mod source;
pub mod stretch;
mod summary;
mod unwind;
mod waiters;
mod worker_process;

pub use control::Control;
pub use job::{Finished, Job, Outcomes, Running};
pub use lanes::can_run;
pub use processes::registration;
pub use refusal::Refusal;
pub use runtime::ensure_threads;
pub use sink::{Each, Sink};
pub use source::{Feed, Source, Supply, Wake};
pub use summary::Summary;
pub use triway_memory::Blob;
