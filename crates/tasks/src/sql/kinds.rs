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
/// The user may not do it.
pub const DENIED: FailureKind = FailureKind::new("denied");
/// Another transaction was in the way, and this one was undone.
pub const CONFLICT: FailureKind = FailureKind::new("conflict");
/// The server accepts no further connection.
pub const TOO_MANY_CONNECTIONS: FailureKind = FailureKind::new("too-many-connections");
/// The connection cannot be secured.
pub const TLS: FailureKind = FailureKind::new("tls");
/// The connection was lost while a statement was on its way that changes something: it may be done, or not.
pub const UNKNOWN_COMMIT: FailureKind = FailureKind::new("unknown-commit");
/// The database cannot be opened or reached.
pub const CONNECT: FailureKind = FailureKind::new("connect");
/// The database could not be read or written.
pub const IO: FailureKind = FailureKind::new("io");
/// A query gave more than an outcome may hold.
pub const TOO_LARGE: FailureKind = FailureKind::new("too-large");
/// Anything else that the database says.
pub const DATABASE: FailureKind = FailureKind::new("database");
