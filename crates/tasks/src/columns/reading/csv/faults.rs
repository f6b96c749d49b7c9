//! What can be wrong with a CSV file, said with the row where it is known.

use std::io;

use triway_core::Failure;

use crate::columns::kinds;

/// Reading a compressed file also fails where what is in it is no such thing.
pub(super) fn unreadable(error: &io::Error, gzip: bool) -> Failure {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        InvalidData | InvalidInput | UnexpectedEof if gzip => {
            kinds::bad_file(format!("the gzip file is damaged or was cut off: {error}"))
        }
        _ => kinds::unreadable(error),
    }
}

pub(super) fn of_row(row: u64, mut failure: Failure) -> Failure {
    failure.message = format!("row {row}: {}", failure.message);
    failure
}

pub(super) fn at_row(row: u64, cause: &str) -> Failure {
    kinds::bad_file(format!("row {row}: {cause}"))
}

/// What a NUL byte says about a file.
pub(super) const BINARY: &str = "there is a NUL byte; is it a binary file, or one in UTF-16?";

pub(super) fn ragged(row: u64, fields: usize, header: usize) -> Failure {
    at_row(
        row,
        &format!("the record has {fields} fields, and the header has {header}"),
    )
}
