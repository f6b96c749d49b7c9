//! The tasks as a job meets them: over real connections, with real clocks, and by name.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;
mod both;
mod catalog;
mod certificates;
mod cpu;
mod faults;
mod http;
mod proxied;
mod python;
mod reach;
mod real;
mod redirects;
mod servers;
mod sh;
#[cfg(feature = "columns")]
mod tables;
