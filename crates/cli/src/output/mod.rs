//! What scripts read: outcomes and comparisons, in the format that was asked for. One format a file.

mod csv;
mod destination;
mod excerpt;
mod format;
mod github;
mod json;
mod jsonl;
mod junit;
mod md;
mod paced;
mod record;
mod table;
mod target;

pub(crate) use self::{destination::Destination, record::Record};
