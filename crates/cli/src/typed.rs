//! Reads what was typed, and where a word is no verb, task or server but nearly one, says which.

use std::ffi::OsString;

use clap::{
    Command, CommandFactory as _, Error, Parser as _,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{arguments::Arguments, exit::Fault, standard_output};

/// The arguments of this process; `None` where help or the version was asked for, which has then been written. Ends the
/// process where they make no sense.
///
/// # Errors
/// What was asked for could not be written.
pub(crate) fn typed() -> Result<Option<Arguments>, Fault> {
    let words: Vec<OsString> = std::env::args_os().collect();
    match Arguments::try_parse_from(&words) {
        Ok(arguments) => Ok(Some(arguments)),
        Err(error) if error.use_stderr() => with_suggestion(error, &words).exit(),
        Err(shown) => standard_output::write_by(|| shown.print()).map(|_| None),
    }
}

/// clap suggests by a likeness that words of three letters never reach.
fn with_suggestion(mut error: Error, words: &[OsString]) -> Error {
    if error.kind() == ErrorKind::InvalidSubcommand
        && error.get(ContextKind::SuggestedSubcommand).is_none()
        && let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidSubcommand)
    {
        let near = near(wrong, &Arguments::command(), words);
        if !near.is_empty() {
            error.insert(
                ContextKind::SuggestedSubcommand,
                ContextValue::Strings(near),
            );
        }
    }
    error
}

/// The names that could stand in the wrong one's place and are one slip from it: a letter too many, too few or
/// another, or two that changed places.
fn near(wrong: &str, command: &Command, words: &[OsString]) -> Vec<String> {
    let before = words.iter().skip(1).take_while(|word| *word != wrong);
    let place = before.fold(command, |command, word| {
        command.find_subcommand(word).unwrap_or(command)
    });
    let names = place.get_subcommands().map(Command::get_name);
    names
        .filter(|name| strsim::osa_distance(wrong, name) <= 1)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_forgiven() {
        for (line, expected) in [
            ("triway rnu cpu", "run"),
            ("triway run cup", "cpu"),
            ("triway run -c 2 htp", "http"),
            ("triway compare cpi", "cpu"),
            ("triway serv http", "serve"),
            ("triway serve htttp", "http"),
        ] {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            let error = Arguments::try_parse_from(&words).unwrap_err();
            let told = with_suggestion(error, &words).to_string();
            let says = format!("'{expected}'");
            assert!(told.contains("similar") && told.contains(&says), "{told}");
        }
        for line in ["triway run fly", "triway fly cpu"] {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            let error = Arguments::try_parse_from(&words).unwrap_err();
            let told = with_suggestion(error, &words).to_string();
            assert!(!told.contains("similar"), "{told}");
        }
    }
}
