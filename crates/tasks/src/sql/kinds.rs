//! The kinds of failures that statements have.

use triway_core::FailureKind;

/// The statement does not parse, or names what is not there.
pub const BAD_STATEMENT: FailureKind = FailureKind::new("bad-statement");
/// The row breaks a rule of its table: unique, not null, check, foreign key.
pub const CONSTRAINT: FailureKind = FailureKind::new("constraint");
/// A value is not of the type that its column has.
pub const WRONG_TYPE: FailureKind = FailureKind::new("wrong-type");
/// The database may be read and not be written.
pub const READ_ONLY: FailureKind = FailureKind::new("read-only");
/// The file is no database, or a damaged one.
pub const CORRUPT: FailureKind = FailureKind::new("corrupt");
/// There is no room for what was to be written.
pub const DISK_FULL: FailureKind = FailureKind::new("disk-full");
/// The database cannot be opened.
pub const CONNECT: FailureKind = FailureKind::new("connect");
/// The database could not be read or written.
pub const IO: FailureKind = FailureKind::new("io");
/// A query gave more than an outcome may hold.
pub const TOO_LARGE: FailureKind = FailureKind::new("too-large");
/// Anything else that the database says.
pub const DATABASE: FailureKind = FailureKind::new("database");
