//! Statements on a file of SQLite: a connection a lane, its statement prepared once.

mod committer;
mod connected;
mod done;
mod errors;
mod gate;
mod limit;
mod rows;
mod whole;

pub(super) use self::{
    committer::{Committer, Orders},
    connected::Connected,
    whole::{
        check, check_job, copied, each, has_begun, reads, script, script_on_copy, tables, verify,
    },
};
