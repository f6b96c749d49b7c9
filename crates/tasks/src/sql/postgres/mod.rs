//! Statements on a server of PostgreSQL: a connection a lane, its statement prepared once.
//!
//! One session serves both forms of the task. Under async it is driven by the job's runtime; where lanes are threads,
//! by the thread that waits for it.

mod address;
mod done;
mod errors;
mod lane;
mod parameter;
mod password;
mod schema;
mod security;
mod session;
mod whole;

pub use self::address::Server;
pub(super) use self::{
    lane::{Away, Lane, Orders},
    schema::{Schema, copied, tables},
    whole::{check, check_job, each, has_begun, room, script, verify},
};
