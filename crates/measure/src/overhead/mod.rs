//! What this machine charges for concurrency: starts, memory, hand-over, context switches, locks, and the same in
//! Python; hence from which duration of an input each model pays.
//!
//! [`Charges`] is the way in. Every probe runs in a fresh process, as trials do, so that no probe finds the stacks, the
//! caches or the allocator's leftovers of another; rounds are interleaved. This is the one place in this crate that knows
//! the machinery of models (threads, a runtime, worker processes), because the machinery itself is what it measures.

mod answer;
mod catalog;
mod charges;
mod handing;
mod limits;
mod locks;
mod memory;
mod other;
mod pays;
mod python;
mod report;
mod serve;
mod starts;
mod switches;
mod table;
mod told;
mod verdict;

pub use self::{
    charges::{Charges, DEFAULT_BUDGET, OverheadError, Step},
    report::{Cell, Figure, Overhead, Pays, Python, Row, Unit, Work},
    serve::registration,
};
