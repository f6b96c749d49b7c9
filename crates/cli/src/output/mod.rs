//! What scripts read: outcomes and findings, in the format that was asked for. One format a file.

mod csv;
mod destination;
mod format;
mod github;
mod joblog;
mod json;
mod jsonl;
mod junit;
mod md;
mod paced;
mod pictures;
mod plain;
mod record;
mod table;
mod target;

pub(crate) use self::{
    destination::{Destination, Usual},
    record::Record,
};
