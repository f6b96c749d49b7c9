//! The life of a command as a pure machine: what to do next, from what was seen of it and what time it is.
//!
//! A command has ended when its process has, and nobody holds its output any more. Who still holds it then is waited
//! for as long as the grace, and then ended. Whatever is ended is asked first (TERM) and, after the grace, made to
//! (KILL): the whole process group, each time.

use std::time::{Duration, Instant};

/// Where a command is in its life.
#[derive(Debug)]
pub(super) struct Course {
    phase: Phase,
    grace: Duration,
}

/// Why a command was ended rather than ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It outlasted its time limit, or somebody gave it up.
    TooLong,
    /// Its own process ended well before; a child of that held the output.
    LeftBehind,
}

/// What is known of a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// The time.
    pub(super) now: Instant,
    /// When it must have ended.
    pub(super) deadline: Option<Instant>,
    /// Whether its process has ended.
    pub(super) exited: bool,
    /// Whether nobody holds its output any more.
    pub(super) drained: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Wait for news, at most until this moment.
    Wait(Option<Instant>),
    /// Ask its process group to end.
    Terminate,
    /// Make its process group end.
    Kill,
    /// It has ended.
    Done(Option<Cause>),
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Running,
    Lingering { until: Instant },
    Ending { cause: Cause, until: Instant },
    Killed { cause: Cause },
}

impl Course {
    /// A command that has just begun.
    pub(super) fn new(grace: Duration) -> Self {
        Self {
            phase: Phase::Running,
            grace,
        }
    }

    /// What to do now. Whatever that is counts as done when it asks again.
    pub(super) fn next(&mut self, seen: Seen) -> Step {
        let all_gone = seen.exited && seen.drained;
        match self.phase {
            Phase::Running if all_gone => Step::Done(None),
            Phase::Running if seen.exited => {
                let until = seen.now + self.grace;
                self.phase = Phase::Lingering { until };
                Step::Wait(Some(until))
            }
            Phase::Running => match seen.deadline {
                Some(deadline) if deadline <= seen.now => self.end(Cause::TooLong, seen.now),
                deadline => Step::Wait(deadline),
            },
            Phase::Lingering { .. } if seen.drained => Step::Done(None),
            Phase::Lingering { until } if until <= seen.now => {
                self.end(Cause::LeftBehind, seen.now)
            }
            Phase::Lingering { until } => Step::Wait(Some(until)),
            // Of a group whose first process has ended, others may live on that hold no output.
            Phase::Ending { cause, until } if all_gone || until <= seen.now => {
                self.phase = Phase::Killed { cause };
                Step::Kill
            }
            Phase::Ending { until, .. } => Step::Wait(Some(until)),
            // Who left the group may hold the output for ever.
            Phase::Killed { cause } if seen.exited => Step::Done(Some(cause)),
            Phase::Killed { .. } => Step::Wait(None),
        }
    }

    /// Nobody waits for it any more. Whatever was about to be done about it goes on.
    pub(super) fn give_up(&mut self, now: Instant) -> Step {
        match self.phase {
            Phase::Running | Phase::Lingering { .. } => self.end(Cause::TooLong, now),
            Phase::Ending { until, .. } => Step::Wait(Some(until)),
            Phase::Killed { .. } => Step::Wait(None),
        }
    }

    fn end(&mut self, cause: Cause, now: Instant) -> Step {
        let until = now + self.grace;
        self.phase = Phase::Ending { cause, until };
        Step::Terminate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: u64 = 10;

    /// What happens at each moment, as `(at, exited, drained)`, with a deadline at 100.
    fn play(history: &[(u64, bool, bool)]) -> Vec<String> {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut course = Course::new(Duration::from_millis(GRACE));
        let step = |&(ms, exited, drained): &(u64, bool, bool)| {
            let step = course.next(Seen {
                now: at(ms),
                deadline: Some(at(100)),
                exited,
                drained,
            });
            match step {
                Step::Wait(until) => {
                    let until = until.map(|until| until.duration_since(start).as_millis());
                    format!(
                        "wait {}",
                        until.map_or("long".to_owned(), |ms| ms.to_string())
                    )
                }
                Step::Terminate => "TERM".to_owned(),
                Step::Kill => "KILL".to_owned(),
                Step::Done(cause) => format!("done {cause:?}"),
            }
        };
        history.iter().map(step).collect()
    }

    #[test]
    fn a_command_lives_and_ends() {
        for (history, expected) in [
            // By itself, in either order.
            (
                &[(0, false, false), (5, true, true)][..],
                &["wait 100", "done None"][..],
            ),
            (
                &[(0, false, true), (5, true, true)],
                &["wait 100", "done None"],
            ),
            (
                &[(5, true, false), (6, true, true)],
                &["wait 15", "done None"],
            ),
            // Too long: it obeys; it does not; its children hold the output.
            (
                &[
                    (100, false, false),
                    (101, false, false),
                    (102, true, true),
                    (102, true, true),
                ],
                &["TERM", "wait 110", "KILL", "done Some(TooLong)"],
            ),
            (
                &[
                    (100, false, false),
                    (110, false, false),
                    (110, false, false),
                    (111, true, false),
                ],
                &["TERM", "KILL", "wait long", "done Some(TooLong)"],
            ),
            (
                &[
                    (100, false, false),
                    (101, true, false),
                    (110, true, false),
                    (110, true, false),
                ],
                &["TERM", "wait 110", "KILL", "done Some(TooLong)"],
            ),
            // It ends, and something holds the output.
            (
                &[
                    (5, true, false),
                    (15, true, false),
                    (16, true, true),
                    (16, true, true),
                ],
                &["wait 15", "TERM", "KILL", "done Some(LeftBehind)"],
            ),
        ] {
            assert_eq!(play(history), expected, "{history:?}");
        }
    }
}
