//! The journal of a job: every outcome, written down before it is reported, so that a job that was cut off can be
//! resumed without doing anything twice.
//!
//! A journal is one file that only grows: a header (`header`), then frames (`frame`), each with the outcome of an input
//! or with how many inputs there were (`entry`). `reader` reads it from the beginning and tells a torn tail from damage;
//! `past` makes of that what a resume has to know; `writer` appends. `open` puts these together for a job, `recorder` and
//! `checked` are the two places at which a job meets its journal: where outcomes go, and where inputs come from.

mod checked;
mod entry;
mod error;
mod frame;
mod header;
mod open;
mod past;
mod reader;
mod recorder;
mod room;
mod shown;
mod spool;
mod table;
mod window;
mod writer;

pub(crate) use self::{
    checked::{Checked, OTHER_INPUTS},
    recorder::Recorder,
};
pub use self::{
    error::JournalError,
    open::{Journal, Opening},
    past::Found,
    shown::{Recorded, Torn},
    writer::Durability,
};
