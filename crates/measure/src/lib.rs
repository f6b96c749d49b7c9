//! Measures jobs and compares models: what a run cost, which model wins on this machine, and what the figures carry.
//!
//! [`Compare`] is the way in, also to a [`sweep`]. A trial is a fresh process: [`registration`] lets a task serve its trials. Nothing here
//! names a task, and nothing prints.

pub mod advise;
pub mod agreement;
pub mod arms;
pub mod compare;
mod conclusion;
mod course;
pub mod digests;
mod evidence;
mod figures;
pub mod inward;
pub mod latency;
pub mod machine;
pub mod meter;
pub mod overhead;
mod positioned;
pub mod progress;
pub mod ranking;
pub mod report;
mod rounds;
mod rusage;
pub mod schedule;
mod serve;
pub mod spool;
mod spread;
pub mod stage;
pub mod statistics;
pub mod sweep;
pub mod tally;
mod timeline;
mod trial;
pub mod verdict;

pub use arms::Arm;
pub use compare::{Compare, CompareError};
pub use progress::Progress;
pub use serve::registration;
