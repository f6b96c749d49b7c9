//! What SQLite says, as failures of rows.

use std::path::Path;

use rusqlite::{Error, ErrorCode};
use triway_core::{Failure, FailureKind};

use crate::sql::{kinds, statement::Statement};

/// What went wrong with a statement; places in it are those of the text as it was written.
pub(super) fn failure(error: &Error, statement: &Statement) -> Failure {
    if let Error::SqlInputError { msg, offset, .. } = error {
        let place = usize::try_from(*offset).map(|offset| statement.place(offset));
        let place = place.map_or_else(
            |_| String::new(),
            |(line, column)| format!(" (line {line}, character {column} of the statement)"),
        );
        return Failure::permanent(kinds::BAD_STATEMENT, format!("{msg}{place}"));
    }
    let Some(code) = error.sqlite_error_code() else {
        return Failure::permanent(kinds::DATABASE, error.to_string());
    };
    let (kind, again) = kind(code);
    let message = match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "the database was locked by another program until the attempt's time limit".to_owned()
        }
        ErrorCode::OperationInterrupted => {
            "the statement was not done when the attempt's time limit expired".to_owned()
        }
        _ => error.to_string(),
    };
    told(kind, again, message)
}

/// What went wrong with opening a file.
pub(super) fn unopened(error: &Error, path: &Path) -> Failure {
    let path = path.display();
    let code = error.sqlite_error_code();
    let (kind, again) = code.map_or((kinds::CONNECT, false), kind);
    let message = format!("the database {path} cannot be used: {error}");
    told(kind, again, message)
}

fn told(kind: FailureKind, again: bool, message: String) -> Failure {
    match again {
        true => Failure::new(kind, message),
        false => Failure::permanent(kind, message),
    }
}

/// The kind, and whether another attempt could end otherwise.
fn kind(code: ErrorCode) -> (FailureKind, bool) {
    match code {
        ErrorCode::ConstraintViolation => (kinds::CONSTRAINT, false),
        ErrorCode::TypeMismatch => (kinds::WRONG_TYPE, false),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => (kinds::READ_ONLY, false),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => (kinds::CORRUPT, false),
        ErrorCode::DiskFull => (kinds::DISK_FULL, true),
        ErrorCode::CannotOpen => (kinds::CONNECT, true),
        ErrorCode::SystemIoFailure => (kinds::IO, true),
        ErrorCode::TooBig => (kinds::TOO_LARGE, false),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OperationInterrupted => {
            (FailureKind::TIMEOUT, true)
        }
        _ => (kinds::DATABASE, false),
    }
}
