//! Measuring jobs and comparing models.
pub mod report;
