//! `triway journal`: what a run has written down, finished or not.

use std::{io, path::Path};

use triway_exec::journal::{JournalError, Recorded};
use triway_tasks::catalog::{RawInput, RawOutput};

use crate::{
    arguments::{JournalAction, JournalVerbArguments, ShowArguments},
    exit::{Exit, Fault},
    inputs::Places,
    output::{Destination, Record},
    people::{Screen, figures::counted},
};

/// Does with a journal what was asked for.
pub(crate) fn run(arguments: &JournalVerbArguments) -> Result<Exit, Fault> {
    match &arguments.action {
        JournalAction::Show(show) => self::show(show),
    }
}

fn show(arguments: &ShowArguments) -> Result<Exit, Fault> {
    let screen = Screen::new(arguments.quiet);
    let path = &*arguments.journal;
    let recorded = Recorded::<RawInput, RawOutput>::open(path).map_err(unreadable)?;
    let mut destination = Destination::of_journal(arguments, &screen)?;
    let name = destination.name().to_owned();
    let task = recorded.task().to_owned();
    destination.begin(&task).map_err(Fault::could_not_run)?;
    let (found, torn) = (recorded.found(), recorded.torn());
    let written = write(recorded, destination)?;
    if let Some(error) = written {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Ok(Exit::Ok);
        }
        let cause = anyhow::Error::from(error);
        return Err(Fault::could_not_run(
            cause.context(format!("the outcomes could not be written to {name}")),
        ));
    }
    let inputs = counted(found.outcomes, "outcome", "outcomes");
    screen.say(&match found.inputs {
        Some(all) => format!("{task}: {inputs} of {}", counted(all, "input", "inputs")),
        None => format!("{task}: {inputs} so far"),
    });
    if let Some(torn) = torn {
        screen.say(&tail(path, torn.bytes));
    }
    Ok(Exit::Ok)
}

/// Writes the outcomes, and says what kept some from being written.
fn write(
    recorded: Recorded<RawInput, RawOutput>,
    mut destination: Destination,
) -> Result<Option<io::Error>, Fault> {
    let places = Places::default();
    for outcome in recorded {
        let outcome = outcome.map_err(unreadable)?;
        if destination
            .outcome(&Record::recorded(&outcome, &places))
            .is_err()
        {
            break;
        }
    }
    Ok(destination.end().broken)
}

fn tail(path: &Path, bytes: u64) -> String {
    let bytes = counted(bytes, "byte", "bytes");
    format!(
        "the last {bytes} of {} are no whole record: a run is writing it, or one was cut off",
        path.display()
    )
}

fn unreadable(error: JournalError) -> Fault {
    Fault::usage(error)
}
