//! Measuring jobs and comparing models.

pub mod arms;
pub mod latency;
pub mod machine;
pub mod meter;
pub mod report;
mod rusage;
pub mod statistics;
pub mod tally;
