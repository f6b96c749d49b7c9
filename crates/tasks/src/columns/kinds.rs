//! The kinds of failures that files have.

use std::{fmt::Display, io};

use triway_core::{Failure, FailureKind};

/// There is no such file, or none any more.
pub const NO_FILE: FailureKind = FailureKind::new("no-file");
/// The file is there and cannot be read.
pub const UNREADABLE: FailureKind = FailureKind::new("unreadable");
/// The file is not what it claims to be: truncated, ragged, damaged or of another kind.
pub const BAD_FILE: FailureKind = FailureKind::new("bad-file");
/// The file has no column of this name.
pub const NO_COLUMN: FailureKind = FailureKind::new("no-such-column");
/// Several columns of the file have this name.
pub const AMBIGUOUS: FailureKind = FailureKind::new("ambiguous-column");
/// A column is of a type that cannot be compared or added up as it should.
pub const WRONG_TYPE: FailureKind = FailureKind::new("wrong-type");
/// A value is not of the type that the values before it have.
pub const BAD_VALUE: FailureKind = FailureKind::new("bad-value");
/// The file is compressed in a way that nobody here can undo.
pub const CODEC: FailureKind = FailureKind::new("unsupported-codec");

/// A file that is damaged in a way that its reader tells.
pub(super) fn bad_file(cause: impl Display) -> Failure {
    Failure::permanent(BAD_FILE, cause.to_string())
}

/// A file that could not be opened or read.
pub(super) fn unreadable(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => Failure::permanent(NO_FILE, "there is no such file"),
        io::ErrorKind::IsADirectory => {
            Failure::permanent(UNREADABLE, "this is a directory; name the files in it")
        }
        _ => Failure::new(UNREADABLE, format!("the file cannot be read: {error}")),
    }
}

/// A part that its file does not have.
pub(super) fn beyond(what: &str, there: impl Display) -> Failure {
    bad_file(format!(
        "the file has {there} {what}, and this part is beyond them: it is another file than the one that was split"
    ))
}

/// A part of another sort of file.
pub(super) fn no_such_part() -> Failure {
    bad_file(
        "files of this sort have no such parts: CSV that is not compressed has bytes, Parquet row groups, Arrow batches",
    )
}
