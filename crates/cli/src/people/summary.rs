//! What a run came to, for people: the last thing they read.

use std::time::Duration;

use triway_core::{Plan, Status, StopReason};
use triway_exec::Summary;
use triway_measure::{inward::NOTICEABLE_HOLD, latency::Latencies, tally::Tally};

use super::figures;
use crate::{arguments::Chosen, delivered::Delivered, inputs::Places};

/// All that a summary tells of.
pub(crate) struct Told<'a> {
    /// The task's name.
    pub(crate) task: &'a str,
    /// How it was run.
    pub(crate) plan: &'a Plan,
    /// Who chose the model.
    pub(crate) chosen: Chosen,
    /// How the job went, whether its outcomes were written or not.
    pub(crate) summary: &'a Summary,
    /// The outcomes that were written.
    pub(crate) delivered: &'a Delivered,
    /// Whether one of them stands there in part.
    pub(crate) torn: bool,
    /// How often an input was tried again.
    pub(crate) retries: u64,
    /// Where inputs stood.
    pub(crate) places: &'a Places,
    /// The command that goes on from the journal, if there is one.
    pub(crate) resume: Option<&'a str>,
}

impl Told<'_> {
    /// The summary, line by line.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.how(), self.counts()];
        lines.extend(self.latency());
        lines.extend(self.response());
        lines.extend(self.inside());
        lines.extend(self.failures());
        lines.extend(self.trouble());
        lines.extend(self.stopped());
        lines.extend(self.unwritten());
        lines
    }

    fn tally(&self) -> &Tally {
        self.delivered.tally()
    }

    fn how(&self) -> String {
        let Self { task, plan, .. } = self;
        let chosen = match self.chosen {
            Chosen::Model(_) => "",
            Chosen::Unsettled => ", while it was still measured which is best",
            Chosen::Preferred => ", as the task prefers; -m chooses another",
            Chosen::Measured => ", as measured on the first inputs; -m chooses another",
        };
        let start_up = figures::time(self.summary.startup.as_secs_f64());
        format!(
            "{task} under {}@{}{chosen} (start-up {start_up})",
            plan.model, plan.concurrency
        )
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "three digits are shown, a float has more"
    )]
    fn counts(&self) -> String {
        let tally = self.tally();
        let (succeeded, failed) = (tally.succeeded(), tally.failed());
        let cancelled = tally.count(Status::Cancelled);
        let ended = succeeded + failed;
        let now = ended.saturating_sub(self.summary.earlier);
        let seconds = self.summary.wall.as_secs_f64();
        if self.summary.admitted == 0 {
            return "no input was run".to_owned();
        }
        let mut line = format!(
            "{succeeded} of {ended} succeeded{}{}{} in {}",
            share(succeeded, ended),
            after_retry(self.delivered.after_retry()),
            in_earlier_runs(self.summary.earlier, now),
            figures::time(seconds)
        );
        if now > 0 && seconds > 0.0 {
            let rate = figures::number(now as f64 / seconds);
            line.push_str(&format!(", {rate} a second"));
        }
        if cancelled > 0 {
            line.push_str(&format!("; {cancelled} cancelled"));
        }
        line
    }

    fn latency(&self) -> Option<String> {
        percentiles("latency", self.tally().latencies())
    }

    /// What clients feel that come on schedule, whether or not those before them have been served.
    fn response(&self) -> Option<String> {
        let told = percentiles("response", self.delivered.responses())?;
        Some(format!("{told}, from the moment at which each was planned"))
    }

    /// What workers told of themselves.
    fn inside(&self) -> Option<String> {
        let inside = self.summary.inside?;
        let time = |time: Duration| figures::time(time.as_secs_f64());
        let mut told = format!(
            "in the interpreters: {} of processor time, {} for reading and writing values, {} without a processor",
            time(inside.cpu),
            time(inside.serialising),
            time(inside.run_queue)
        );
        // Where there is one at a time, nobody waits for it.
        let noticed = |(held, _): &(Duration, u64)| {
            self.plan.concurrency.get() > 1 && *held >= NOTICEABLE_HOLD
        };
        if let Some((held, index)) = inside.longest_hold.filter(noticed) {
            let name = self.places.name(index);
            told.push_str(&format!("; {name} held its event loop for {}", time(held)));
        }
        Some(told)
    }

    fn failures(&self) -> Option<String> {
        let kinds = self.tally().kinds();
        let told: Vec<_> = kinds
            .iter()
            .filter(|(kind, _)| kind.as_str() != "cancelled")
            .map(|(kind, n)| format!("{n} {kind}"))
            .collect();
        (!told.is_empty()).then(|| format!("failed: {}", told.join(", ")))
    }

    fn trouble(&self) -> Option<String> {
        let mut told = Vec::new();
        if self.retries > 0 {
            let ending = if self.retries == 1 { "y" } else { "ies" };
            told.push(format!("{} retr{ending}", self.retries));
        }
        if self.summary.abandoned > 0 {
            let attempts = figures::counted(self.summary.abandoned, "attempt", "attempts");
            told.push(format!("{attempts} left behind"));
        }
        let at_once = self.summary.at_once as u64;
        let begun = self.summary.admitted - self.summary.earlier;
        let wanted = (self.plan.concurrency.get() as u64).min(begun);
        if at_once < wanted && self.summary.stopped.is_none() {
            told.push(format!(
                "{at_once} at once in the end, {} were asked for",
                self.plan.concurrency
            ));
        }
        (!told.is_empty()).then(|| told.join(", "))
    }

    /// Why it stopped early, where, and how to go on.
    fn stopped(&self) -> Vec<String> {
        let Some(reason) = &self.summary.stopped else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        lines.extend(asked_for(reason).map(|why| format!("stopped: {why}")));
        if let Some(resume) = self.resume {
            if self.lost() == 0 && self.summary.unread_from.is_some() | (self.summary.cancelled > 0)
            {
                lines.push(format!("to go on: {resume}"));
            }
            return lines;
        }
        if let Some(unread) = self.summary.unread_from
            && self.lost() == 0
        {
            lines.push(self.how_to_go_on(unread));
        }
        if self.summary.cancelled > 0 {
            lines.push(to_run_again(self.summary.cancelled));
        }
        lines
    }

    fn how_to_go_on(&self, unread: u64) -> String {
        let name = self.places.name(unread);
        if let Some((map, 1)) = self.places.map(unread) {
            return format!("nothing was read from {map} on; to check its pages, give it again");
        }
        format!("not read from {name} on; {}", self.command_from(unread))
    }

    fn command_from(&self, index: u64) -> String {
        if let Some(resume) = self.resume {
            return format!("to go on: {resume}");
        }
        match self.places.list(index) {
            Some((file, line)) => format!(
                "to go on: tail -n +{line} {file} | triway run {} ... with - in place of {file}, all else as it was, and \
                 another -o",
                self.task
            ),
            _ if self.places.map(index).is_some() => {
                "a sitemap is read from its beginning: to go on, give it again, and --journal keeps what is done"
                    .to_owned()
            }
            _ => "to go on, give the inputs from there on".to_owned(),
        }
    }

    /// How many inputs that were read have no outcome written.
    fn lost(&self) -> u64 {
        self.summary.admitted.saturating_sub(self.tally().total())
    }

    /// Which inputs have no outcome written, and from where on to do it again.
    fn unwritten(&self) -> Vec<String> {
        if self.lost() == 0 {
            return Vec::new();
        }
        let first = self.delivered.first_missing();
        let lost = self.lost();
        let name = self.places.name(first);
        let told = match lost {
            1 => format!("1 outcome was not written, that of {name}"),
            _ => format!("{lost} outcomes were not written, the first that of {name}"),
        };
        let mut lines = vec![format!("{told}; {}", self.command_from(first))];
        match self.tally().total() - first {
            _ if self.resume.is_some() => {}
            0 => {}
            1 => lines.push("one input after that has its outcome already".to_owned()),
            beyond => lines.push(format!("{beyond} inputs after that have theirs already")),
        }
        if self.torn {
            lines.push("the last outcome stands there in part".to_owned());
        }
        lines
    }
}

/// Why a job stopped that was told to. What went wrong is said as the error that it is.
fn asked_for(reason: &StopReason) -> Option<&'static str> {
    match reason {
        StopReason::Drained => Some("what was in flight has ended"),
        StopReason::Aborted => Some("what was in flight was given up"),
        StopReason::FailureLimit => Some("more inputs failed than --max-failures allows"),
        _ => None,
    }
}

/// Nothing where nothing ended: that is no success, and no failure either.
fn share(succeeded: u64, ended: u64) -> String {
    let share = figures::per_cent(succeeded, ended);
    share.map_or_else(String::new, |share| format!(" ({share})"))
}

fn after_retry(count: u64) -> String {
    match count {
        0 => String::new(),
        _ => format!(", {count} of them after a retry,"),
    }
}

fn in_earlier_runs(earlier: u64, now: u64) -> String {
    match earlier {
        0 => String::new(),
        _ => format!(", {earlier} of them in earlier runs; {now} now"),
    }
}

fn to_run_again(cancelled: u64) -> String {
    let (one, many) = (
        "input that was read and not finished has the status `cancelled` and is",
        "inputs that were read and not finished have the status `cancelled` and are",
    );
    let told = figures::counted(cancelled, one, many);
    format!("{told} to be run again as well")
}

fn percentiles(of: &str, latencies: &Latencies) -> Option<String> {
    let times = latencies.percentiles()?;
    Some(format!(
        "{of} p50 {}, p90 {}, p99 {}, max {}",
        figures::time(times.p50),
        figures::time(times.p90),
        figures::time(times.p99),
        figures::time(times.max)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_one_and_of_nothing_read_well() {
        assert_eq!(share(0, 0), "");
        assert_eq!(share(1, 2), " (50.0 %)");
        assert!(to_run_again(1).starts_with("1 input that was read and not finished has "));
        assert!(to_run_again(2).starts_with("2 inputs that were read and not finished have "));
    }
}
