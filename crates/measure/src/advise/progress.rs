//! What is told of a job while it is measured, and after that.

use triway_core::Model;

use super::advice::Advice;

/// What happens to a job that is being measured, for whoever wants to show it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// A probe begins.
    Probing {
        /// The model.
        model: Model,
        /// How many inputs in flight.
        concurrency: usize,
    },
    /// The job goes on under what was advised.
    GoesOn(Box<Advice>),
    /// All inputs were done before it was known how the rest goes best.
    Exhausted,
    /// What was advised cannot begin, for this reason; the job goes on one input at a time.
    Refused(String),
    /// Attempts fail under what was advised, and it is measured anew.
    Fails {
        /// How many failed of late.
        failed: u64,
        /// Of so many.
        attempts: u64,
    },
    /// It computes, and nothing that was seen explains why more at once gained nothing; so it is measured anew, for others may
    /// have had the processors.
    Unexplained,
    /// Inputs came too slowly for it to be known how many at once are enough, and do not any more; so it is measured anew.
    Flows,
    /// It did less than was measured, and is measured anew.
    Fell {
        /// Outcomes a second that were measured.
        promised: f64,
        /// Outcomes a second since.
        found: f64,
    },
}

/// Whom to tell.
pub type Tell = Box<dyn FnMut(Progress) + Send>;
