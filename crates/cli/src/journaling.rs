//! What the options of a journal mean: the journal of this run, opened, and what is to be told of it.

use std::{
    ffi::OsString,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use anyhow::anyhow;
use rustix::fs::fstat;
use triway_exec::{
    Summary,
    journal::{Durability, Found, Journal, JournalError, Opening},
};
use triway_tasks::http::redact;

use crate::{
    arguments::{JobArguments, JournalArguments, Survives},
    exit::Fault,
    inputs::Inputs,
    people::{Screen, figures::counted},
    prepared::Configuration,
};

/// Options whose values may hold secrets that nobody can tell by their look.
const SECRETIVE: [&str; 3] = ["-H", "--request-header", "--data"];

/// Opens the journal that was asked for, if one was, and tells the task of it.
pub(crate) fn open(
    arguments: &JournalArguments,
    job: &JobArguments,
    configuration: &mut Configuration,
    inputs: &Inputs,
) -> Result<Option<Journal>, Fault> {
    let Some(path) = &arguments.journal else {
        return match unused(arguments, configuration) {
            None => Ok(None),
            Some(option) => Err(Fault::usage(anyhow!(
                "{option} is about a journal; say which with --journal FILE"
            ))),
        };
    };
    refuse_other_uses(path, job, inputs)?;
    let opening = Opening {
        resume: arguments.resume || arguments.retry_failed,
        retry_failed: arguments.retry_failed,
        durability: durability(arguments.durability),
    };
    let task = configuration.without_limits().task();
    let journal = Journal::open(path, task.name(), &task, opening).map_err(refused)?;
    configuration.recorded(&journal);
    Ok(Some(journal))
}

/// Says what was found in a journal that is to be resumed.
pub(crate) fn tell(journal: Option<&Journal>, arguments: &JournalArguments, screen: &Screen) {
    let Some(journal) = journal else {
        return;
    };
    let Found {
        begun,
        outcomes,
        done,
        torn_bytes,
        ..
    } = journal.found();
    let path = journal.path().display();
    if !begun && (arguments.resume || arguments.retry_failed) {
        screen.say(&format!("there is no journal {path} yet: beginning one"));
    }
    if torn_bytes > 0 {
        let bytes = counted(torn_bytes, "byte", "bytes");
        screen.say(&format!(
            "the journal {path} ends in a record that was cut off: its {bytes} are given up"
        ));
    }
    if begun {
        let inputs = counted(outcomes, "input has", "inputs have");
        let again = match outcomes - done {
            0 => String::new(),
            failed => format!("; {failed} of them failed and are executed again"),
        };
        screen.say(&format!(
            "resuming: {inputs} an outcome in the journal {path}{again}"
        ));
    }
}

/// Says by how much the inputs grew, if an earlier run came to their end.
pub(crate) fn grown(found: Found, summary: &Summary) -> Option<String> {
    let more = summary.admitted.checked_sub(found.inputs?)?;
    (more > 0 && summary.unread_from.is_none()).then(|| {
        let inputs = counted(more, "input is", "inputs are");
        format!("{inputs} new since the journal was written")
    })
}

/// The command that goes on where this run ends.
pub(crate) fn command(inputs: &Inputs) -> String {
    let words: Vec<_> = std::env::args_os().collect();
    let command = resuming(&words)
        .unwrap_or_else(|| "the same command, with --resume if that is not there yet".to_owned());
    match inputs.include_stdin() {
        true => format!("{command} (with the same standard input)"),
        false => command,
    }
}

/// These words with `--resume` after the verb, as a shell reads them; `None` if they may hold a secret.
fn resuming(words: &[OsString]) -> Option<String> {
    let mut told = Vec::new();
    let options = words.iter().take_while(|word| *word != "--");
    let resumes = options
        .into_iter()
        .any(|word| word == "--resume" || word == "--retry-failed");
    for (place, word) in words.iter().enumerate() {
        let word = word.to_str()?;
        if SECRETIVE.iter().any(|option| word.starts_with(option)) || redact(word) != word {
            return None;
        }
        told.push(quoted(word));
        if place == 1 && !resumes {
            told.push("--resume".to_owned());
        }
    }
    Some(told.join(" "))
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// An option that means nothing without a journal.
fn unused(arguments: &JournalArguments, configuration: &Configuration) -> Option<&'static str> {
    match arguments {
        JournalArguments { resume: true, .. } => Some("--resume"),
        JournalArguments {
            retry_failed: true, ..
        } => Some("--retry-failed"),
        JournalArguments {
            durability: Some(_),
            ..
        } if !configuration.changes_data() => Some("--durability"),
        _ => None,
    }
}

fn durability(survives: Option<Survives>) -> Durability {
    match survives {
        Some(Survives::None) => Durability::None,
        None | Some(Survives::Flush) => Durability::Flush,
        Some(Survives::Full) => Durability::Full,
    }
}

/// A journal that is an input or the output as well would spoil both.
fn refuse_other_uses(path: &Path, job: &JobArguments, inputs: &Inputs) -> Result<(), Fault> {
    let found = fs::metadata(path).ok();
    let same = |other: &Path| match (&found, fs::metadata(other)) {
        (Some(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => path == other,
    };
    let used = if found.as_ref().is_some_and(|it| inputs.include(it)) {
        "an input"
    } else if job.output.as_deref().is_some_and(same) {
        "where the outcomes go (--output)"
    } else if job.output.is_none() && found.as_ref().is_some_and(is_standard_output) {
        "standard output, where the outcomes go"
    } else {
        return Ok(());
    };
    Err(Fault::usage(anyhow!(
        "--journal: {} is {used}; name another file",
        path.display()
    )))
}

fn is_standard_output(file: &Metadata) -> bool {
    let output = fstat(io::stdout());
    output.is_ok_and(|it| (it.st_dev, it.st_ino) == (file.dev(), file.ino()))
}

fn refused(error: JournalError) -> Fault {
    let machine = matches!(
        error,
        JournalError::Io { .. } | JournalError::Temporary(_) | JournalError::InUse(_)
    );
    let cause = anyhow::Error::from(error).context("--journal");
    match machine {
        true => Fault::could_not_run(cause),
        false => Fault::usage(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_the_one_that_was_typed_and_resumes() {
        for (typed, told) in [
            ("triway run cpu a", Some("triway run --resume cpu a")),
            (
                "triway run --resume cpu a",
                Some("triway run --resume cpu a"),
            ),
            (
                "triway check --retry-failed a",
                Some("triway check --retry-failed a"),
            ),
            (
                "triway run cpu -- --resume",
                Some("triway run --resume cpu -- --resume"),
            ),
            ("triway run http -H A:b u", None),
            ("triway run http -HA:b u", None),
            ("triway run http -- http://u:p@h/", None),
            ("triway run http -- http://h/?token=x", None),
        ] {
            let words: Vec<_> = typed.split(' ').map(OsString::from).collect();
            assert_eq!(resuming(&words).as_deref(), told, "{typed}");
        }
    }

    #[test]
    fn a_shell_reads_words_as_they_were() {
        for (word, told) in [
            ("a-b_c./:=1", "a-b_c./:=1"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
        ] {
            assert_eq!(quoted(word), told);
        }
    }
}
