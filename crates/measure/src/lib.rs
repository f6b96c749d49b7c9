//! Measuring jobs and comparing models.

pub mod agreement;
pub mod arms;
pub mod digests;
pub mod latency;
pub mod machine;
pub mod meter;
mod positioned;
pub mod report;
mod rusage;
pub mod spool;
pub mod statistics;
pub mod tally;
