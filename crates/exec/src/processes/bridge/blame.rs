//! Who is to blame when a worker dies: what it had falls apart into what nobody had touched, what was running, and what
//! was running for too long.
//!
//! With one slot, the input that was running is charged. With several, each is a suspect and runs again alone; only one
//! that kills its worker again is charged.

use triway_core::{Failure, FailureKind};

use super::window::Window;
use crate::{clock::Moment, processes::board::Running};

/// What an input was doing when its worker died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// No slot had begun it.
    Untouched,
    /// It had been running since then.
    Running(Moment),
    /// It had been running since then, and for longer than it may.
    Overdue(Moment),
}

/// What becomes of an input whose worker died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has not been begun, and is given out anew.
    NotStarted,
    /// Its time limit has expired.
    Overdue(Moment),
    /// It is charged with the death.
    Charged(Moment),
    /// It runs again, alone.
    Suspect,
}

/// Decides over one input of a dead worker. Whoever ran alone is charged; so is whoever must not run twice.
pub(super) fn verdict(fate: Fate, alone: bool, at_most_once: bool) -> Verdict {
    match fate {
        Fate::Untouched => Verdict::NotStarted,
        Fate::Overdue(since) => Verdict::Overdue(since),
        Fate::Running(since) if alone || at_most_once => Verdict::Charged(since),
        Fate::Running(_) => Verdict::Suspect,
    }
}

/// Takes everything out of the window that is left in it.
pub(super) fn fates<E>(
    window: &mut Window<E>,
    running: &[Running],
    overdue: &[u64],
) -> Vec<(E, Fate)> {
    let mut left = Vec::new();
    for one in running {
        if let Some(entry) = window.take(one.place) {
            let fate = match overdue.contains(&one.place) {
                true => Fate::Overdue(one.since),
                false => Fate::Running(one.since),
            };
            left.push((entry, fate));
        }
    }
    // Those that go back to the front of a queue go there last to first.
    let untouched = window.take_from(0).into_iter().rev();
    left.extend(untouched.map(|entry| (entry, Fate::Untouched)));
    left
}

/// The failure of an input that is charged with its worker's death.
pub(super) fn lost(reason: &str) -> Failure {
    Failure::new(
        FailureKind::WORKER_LOST,
        format!("the worker process that had this input was lost: {reason}"),
    )
}

#[cfg(test)]
mod tests;
