//! What commands wrote, as they wrote it: standard output where outcomes go, standard error to standard error, each
//! command's in one piece. That is what whoever knows xargs or GNU parallel expects, and what a pipe needs.

use std::io::{self, Write};

use triway_core::Status;
use triway_tasks::sh::{Captured, Ran};

use super::{format::Format, record::Record};
use crate::people::{Screen, excerpt::excerpt};

/// The commands' own output.
pub(super) struct Plain {
    /// Whether each line begins with the input.
    pub(super) tag: bool,
    /// Whether what does not end in a line's end gets one, because a tag or a progress bar follows.
    pub(super) whole_lines: bool,
    /// Standard error.
    pub(super) screen: Screen,
}

/// How much of an input a remark repeats.
const SHOWN: usize = 100;

impl Format for Plain {
    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
        let ran = record.output().and_then(Ran::of_json);
        if let Some(ran) = &ran {
            let mut error = Vec::new();
            self.stream(record, &ran.stderr, &mut error)?;
            if !error.is_empty() {
                // Nothing can be told to anybody where standard error is closed.
                let _unheard = self.screen.write(&error);
            }
            self.say_cuts(record, ran);
        }
        self.say_failure(record, ran.as_ref());
        match &ran {
            Some(ran) => self.stream(record, &ran.stdout, to),
            None => Ok(()),
        }
    }
}

impl Plain {
    fn stream(&self, record: &Record<'_>, stream: &Captured, to: &mut dyn Write) -> io::Result<()> {
        let text = &*stream.kept;
        if self.tag {
            for line in text.split_inclusive(|byte| *byte == b'\n') {
                to.write_all(record.outcome.input.as_bytes())?;
                to.write_all(b"\t")?;
                to.write_all(line)?;
            }
        } else {
            to.write_all(text)?;
        }
        match text.last() {
            Some(last) if self.whole_lines && *last != b'\n' => to.write_all(b"\n"),
            _ => Ok(()),
        }
    }

    fn say_cuts(&self, record: &Record<'_>, ran: &Ran) {
        for (name, stream) in [("output", &ran.stdout), ("error", &ran.stderr)] {
            if stream.is_cut() {
                let (kept, bytes) = (stream.kept.len(), stream.bytes);
                let input = record.input.lossy();
                // Told even to those who want to hear nothing: what is missing, nobody could see.
                self.screen.warn(&format!(
                    "{}: standard {name} is cut after {kept} of {bytes} bytes; --max-output",
                    excerpt(&input, SHOWN)
                ));
            }
        }
        if ran.left_behind {
            self.say(
                record,
                "a child of the command still held its output when it had ended, and was ended",
            );
        }
    }

    /// A command that failed has mostly said why itself.
    fn say_failure(&self, record: &Record<'_>, ran: Option<&Ran>) {
        let status = record.outcome.status;
        let spoke = ran.is_some_and(|ran| ran.stderr.bytes > 0) && status != Status::Timeout;
        if let Some(failure) = &record.outcome.error
            && status != Status::Cancelled
            && !spoke
        {
            let message = record.message(failure);
            let message = excerpt(&message, 2 * SHOWN);
            self.say(record, &format!("{}: {message}", failure.kind));
        }
    }

    fn say(&self, record: &Record<'_>, what: &str) {
        let input = record.input.lossy();
        self.screen
            .say(&format!("{}: {what}", excerpt(&input, SHOWN)));
    }
}
