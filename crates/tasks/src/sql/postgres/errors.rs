//! What the server and the client say, as failures of rows.

use std::error::Error as _;

use tokio_postgres::{
    Error,
    error::{DbError, ErrorPosition, SqlState},
};
use triway_core::{Failure, FailureKind};

use crate::sql::{kinds, statement::Statement, statement::line_and_column};

/// What came before the statement in the text that was sent.
pub(super) type Before = usize;

/// Whether the connection is gone, and with it the answer to whatever was asked.
pub(super) fn is_lost(error: &Error) -> bool {
    match error.code() {
        Some(code) => {
            [
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::DATABASE_DROPPED,
            ]
            .contains(code)
                || code.code() == "57P05"
                || code.code().starts_with("08")
        }
        None => {
            error.is_closed()
                || error
                    .source()
                    .is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        }
    }
}

/// What went wrong with a statement; places in it are those of the text as it was written.
pub(super) fn failure(error: &Error, statement: &Statement, before: Before) -> Failure {
    let Some(said) = error.as_db_error() else {
        return match is_lost(error) {
            true => Failure::new(
                kinds::CONNECT,
                format!("the connection is lost: {}", causes(error)),
            ),
            false => Failure::permanent(kinds::DATABASE, causes(error)),
        };
    };
    let (kind, again) = kind(said.code());
    let locate = |character: usize| {
        let numbered = statement.numbered('$');
        let byte = numbered
            .char_indices()
            .nth(character)
            .map_or(numbered.len(), |(byte, _)| byte);
        statement.place(byte)
    };
    let place = place(said, before, "statement", locate);
    told(
        kind,
        again,
        [said.message().to_owned(), about(said, statement), place].concat(),
    )
}

/// What went wrong with a script, with the place in it.
pub(super) fn scripted(error: &Error, text: &str, before: Before) -> Failure {
    let Some(said) = error.as_db_error() else {
        return Failure::permanent(kinds::DATABASE, causes(error));
    };
    let locate = |character: usize| {
        let byte = text
            .char_indices()
            .nth(character)
            .map_or(text.len(), |(byte, _)| byte);
        line_and_column(text, byte)
    };
    let detail = said
        .detail()
        .map(|detail| format!(": {detail}"))
        .unwrap_or_default();
    let place = place(said, before, "script", locate);
    Failure::permanent(
        kind(said.code()).0,
        [said.message(), &detail, &place].concat(),
    )
}

/// What went wrong with connecting, and whether it could be otherwise soon.
pub(super) fn unconnected(error: &Error) -> (Failure, bool) {
    let message = causes(error);
    let Some(said) = error.as_db_error() else {
        let io = error
            .source()
            .and_then(|source| source.downcast_ref::<std::io::Error>());
        // What fails in TLS comes as an error of input and output as well, but has a cause of its own.
        let tls = message.contains("TLS") || io.is_some_and(|io| io.get_ref().is_some());
        return match tls {
            true => (Failure::permanent(kinds::TLS, message), false),
            false => (Failure::new(kinds::CONNECT, message), true),
        };
    };
    let code = said.code();
    let message = said.message().to_owned();
    if *code == SqlState::TOO_MANY_CONNECTIONS {
        let message = format!("the server has too many connections: {message}");
        return (Failure::new(kinds::TOO_MANY_CONNECTIONS, message), true);
    }
    let starts = *code == SqlState::CANNOT_CONNECT_NOW || is_lost(error);
    match starts {
        true => (Failure::new(kinds::CONNECT, message), true),
        false => (Failure::permanent(kinds::CONNECT, message), false),
    }
}

fn told(kind: FailureKind, again: bool, message: String) -> Failure {
    match again {
        true => Failure::new(kind, message),
        false => Failure::permanent(kind, message),
    }
}

/// Which parameter or row it is about, where the server says so.
fn about(said: &DbError, statement: &Statement) -> String {
    let parameter = said.where_().and_then(|context| {
        let number = context.split("portal parameter $").nth(1)?;
        let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
        let place = digits.parse::<usize>().ok()?.checked_sub(1)?;
        statement.names().get(place)
    });
    let parameter = parameter.map(|name| format!(" (parameter :{name})"));
    let detail = said.detail().map(|detail| format!(": {detail}"));
    parameter.into_iter().chain(detail).collect()
}

fn place(
    said: &DbError,
    before: Before,
    of: &str,
    locate: impl Fn(usize) -> (usize, usize),
) -> String {
    let Some(ErrorPosition::Original(character)) = said.position() else {
        return String::new();
    };
    let (line, column) = locate((*character as usize).saturating_sub(1 + before));
    format!(" (line {line}, character {column} of the {of})")
}

/// An error with the causes that its own text leaves out.
fn causes(error: &Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !message.ends_with(&cause_text) {
            message = format!("{message}: {cause_text}");
        }
        source = cause.source();
    }
    message
}

/// What the server says, or else the client.
pub(super) fn said(error: &Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| causes(error), |said| said.message().to_owned())
}

/// The kind, and whether another attempt could end otherwise.
fn kind(code: &SqlState) -> (FailureKind, bool) {
    match code.code() {
        "25006" => (kinds::READ_ONLY, false),
        "40001" | "40P01" => (kinds::CONFLICT, true),
        "53100" => (kinds::DISK_FULL, true),
        "53300" => (kinds::TOO_MANY_CONNECTIONS, true),
        "57014" | "55P03" => (FailureKind::TIMEOUT, true),
        "XX001" | "XX002" => (kinds::CORRUPT, false),
        "42501" => (kinds::DENIED, false),
        other => match &other[..2.min(other.len())] {
            "08" | "57" => (kinds::CONNECT, true),
            "22" => (kinds::WRONG_TYPE, false),
            "23" => (kinds::CONSTRAINT, false),
            "42" | "26" => (kinds::BAD_STATEMENT, false),
            "53" | "58" => (kinds::IO, true),
            _ => (kinds::DATABASE, false),
        },
    }
}
