//! One API over three concurrency models: a job runs on threads, on worker processes or as async tasks, and which of
//! them is one word. [`Compare`] runs it under all of them, fairly, and says which wins on this machine.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use triway::prelude::*;
//!
//! /// The task's value is its configuration; worker processes get a copy.
//! #[derive(Serialize, Deserialize)]
//! struct Scale { factor: u64 }
//!
//! impl Task for Scale {
//!     type Input = u64;
//!     type Output = u64;
//!     type Lane = (); // state of one lane: a connection, a buffer
//!
//!     fn forms(&self) -> Forms {
//!         Forms::Both
//!     }
//!     fn run_blocking(&self, (): &mut (), n: &u64, _: &Context<'_>) -> Result<u64, Failure> {
//!         Ok(n * self.factor)
//!     }
//!     async fn run_async(&self, (): &mut (), n: &u64, _: &Context<'_>) -> Result<u64, Failure> {
//!         Ok(n * self.factor)
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Worker processes and trials are this program started again; this line serves them.
//!     triway::init([triway::task::<Scale>("scale")]);
//!     for model in Model::ALL {
//!         let done = Job::new(Scale { factor: 3 }, 0..100).model(model).run().wait()?;
//!         assert_eq!(done.summary.succeeded, 100);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Each input has one outcome, whatever happens on the way: a panic, a time limit and a worker process that died are
//! outcomes of the input that met them. With the feature `tasks`, the tasks of the command line are here as well;
//! `columns` and `sql` are among them only with the features of these names.

#![forbid(unsafe_code)]

pub use tokio_util::sync::CancellationToken;
pub use triway_core::*;
pub use triway_exec::{
    Blob, Control, Each, Feed, Finished, Job, Outcomes, Refusal, Running, Sink, Source, Summary,
    Supply, Wake, journal,
};
pub use triway_measure::{
    self as measure, Arm, Compare, CompareError, Progress, arms,
    overhead::registration as overhead, registration as task, report::Comparison,
};

#[cfg(feature = "tasks")]
pub use triway_tasks as tasks;

use triway_exec::restart::{self, Registration};

/// What a program that uses Triway usually needs.
pub mod prelude {
    pub use crate::{
        CancellationToken, Compare, Context, Control, Failure, FailureKind, Forms, Job, Model,
        Outcome, Plan, Sink, Status, Task, Tried,
    };
}

/// Makes tasks known to the processes that this program starts of itself, and serves as one of them if it was started
/// as one. Belongs at the top of `main`, before any thread; in such a process it does not return.
///
/// Needed for [`Model::Processes`] and for [`Compare`]; with [`overhead`] among the tasks, for
/// [`Charges`](measure::overhead::Charges) as well.
pub fn init(tasks: impl IntoIterator<Item = Registration>) {
    restart::init(tasks.into_iter().collect());
}

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
