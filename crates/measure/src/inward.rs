//! What workers told of themselves, over the rounds of an arm, and what it means in words.

use std::time::Duration;

use triway_core::{Inside, LockWait, Model};

use crate::{
    report::{ArmReport, InsideReport, LockWaitReport, LoopHold},
    statistics::median,
};

/// From here on somebody who waits on an event loop notices that it is held.
pub const NOTICEABLE_HOLD: Duration = Duration::from_millis(20);

/// What the trials of an arm have told: medians, and of what was longest the longest. `probed` is what a trial told that
/// was not timed.
pub(crate) fn report(told: &[Inside], probed: Option<LockWait>) -> Option<InsideReport> {
    let seconds = |of: fn(&Inside) -> Duration| {
        let all: Vec<f64> = told.iter().map(|inside| of(inside).as_secs_f64()).collect();
        median(&all)
    };
    let longest = told.iter().filter_map(|inside| inside.longest_hold).max();
    Some(InsideReport {
        cpu_s: seconds(|inside| inside.cpu)?,
        run_queue_s: seconds(|inside| inside.run_queue)?,
        serialising_s: seconds(|inside| inside.serialising)?,
        longest_hold: longest.map(|(time, index)| LoopHold {
            seconds: time.as_secs_f64(),
            index,
        }),
        lock_wait_s: probed.map(|wait| LockWaitReport {
            p50: wait.median.as_secs_f64(),
            max: wait.max.as_secs_f64(),
        }),
    })
}

/// What a reader of the figures should know of what happened inside.
pub(crate) fn notes(arms: &[ArmReport]) -> Vec<String> {
    let insides = arms.iter().filter_map(|arm| Some((arm, arm.inside?)));
    insides
        .flat_map(|(arm, inside)| of_arm(arm, inside))
        .collect()
}

fn of_arm(arm: &ArmReport, inside: InsideReport) -> Vec<String> {
    let id = &arm.id;
    let held = inside.longest_hold.filter(|hold| {
        let many = matches!(arm.model, Model::Async | Model::Hybrid) && arm.concurrency > 1;
        many && hold.seconds >= NOTICEABLE_HOLD.as_secs_f64()
    });
    let held = held.map(|hold| {
        format!(
            "{id}: the coroutine of input {} held its event loop for {:.0} ms at a stretch, while no other could run",
            hold.index + 1,
            hold.seconds * 1e3
        )
    });
    let late = inside.lock_wait_s.map(|wait| {
        format!(
            "{id}: a thread that woke up got the interpreter after {:.2} ms (median; at most {:.1} ms), probed in a trial \
             that was not timed",
            wait.p50 * 1e3,
            wait.max * 1e3
        )
    });
    held.into_iter().chain(late).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_make_medians_and_the_longest_stays() {
        let round = |ms: u64, hold: u64| Inside {
            cpu: Duration::from_millis(ms),
            longest_hold: Some((Duration::from_millis(hold), hold)),
            ..Inside::default()
        };
        let told = [round(3, 10), round(1, 30), round(2, 20)];
        let report = report(&told, None).unwrap();
        assert!((report.cpu_s - 0.002).abs() < 1e-9);
        let hold = report.longest_hold.unwrap();
        assert_eq!((hold.index, hold.seconds), (30, 0.03));
        assert!(super::report(&[], None).is_none());
    }
}
