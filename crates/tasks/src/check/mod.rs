//! What a health check of URLs is made of.

pub mod sources;
