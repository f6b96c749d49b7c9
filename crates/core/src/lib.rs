//! The words that every part of Triway shares: a task and its inputs, the plan to run them by, and what became of each.
//!
//! Nothing here does I/O, starts a thread or needs a runtime, so that executors, tasks, measurements and the command
//! line can all depend on it without depending on each other.

#![forbid(unsafe_code)]

mod context;
mod event;
mod failure;
mod inside;
mod model;
mod outcome;
mod outside;
mod plan;
mod pool;
mod task;

pub use context::Context;
pub use event::{Event, StopReason};
pub use failure::{Failure, FailureKind};
pub use inside::{Inside, LockWait};
pub use model::{Model, UnknownModel};
pub use outcome::{Outcome, Status, Tried};
pub use outside::{Outside, Said};
pub use plan::{
    DEFAULT_ORDER_WINDOW_BYTES, FailureLimit, FailureLimitError, MAX_LANES, Plan, PlanError, Rate,
    RateError, Retry,
};
pub use pool::{Inner, Pool, UnknownInner};
pub use task::{Forms, Task};
