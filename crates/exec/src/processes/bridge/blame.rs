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
mod tests {
    use super::*;

    #[test]
    fn only_what_ran_is_blamed() {
        let mut window = Window::new();
        for letter in "abcdef".chars() {
            window.push(letter);
        }
        window.take(0);
        let at = Moment(9);
        let running = [1, 3, 0].map(|place| Running {
            place,
            since: at,
            holds: true,
        });
        let fates = fates(&mut window, &running, &[3]);
        let expected = [
            ('b', Fate::Running(at)),
            ('d', Fate::Overdue(at)),
            ('f', Fate::Untouched),
            ('e', Fate::Untouched),
            ('c', Fate::Untouched),
        ];
        assert_eq!(
            fates, expected,
            "`a` has its outcome, although its slot says it runs"
        );
        assert!(window.is_empty());
    }
}
