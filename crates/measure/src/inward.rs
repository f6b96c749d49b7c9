//! What workers told of themselves, over the rounds of an arm, and what it means in words.

use std::time::Duration;

use triway_core::{Inside, LockWait, Model};

use crate::{
    figures::{per_cent, time},
    report::{ArmReport, InsideReport, LockWaitReport, LoopHold},
    statistics::median,
};

/// From here on somebody who waits on an event loop notices that it is held.
pub const NOTICEABLE_HOLD: Duration = Duration::from_millis(20);

/// From this share of the time on, reading and writing values decides which model is best.
const MOSTLY_MOVING: f64 = 0.25;

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
        .chain(held_already(arms))
        .collect()
}

/// What a program that has the inputs in its memory, and keeps the results there, would better do: a loop has to read and
/// write nothing then, and processes still have to.
fn held_already(arms: &[ArmReport]) -> Option<String> {
    let wall = |arm: &ArmReport| arm.wall_s.map(|wall| wall.median);
    let sound = |arm: &&ArmReport| arm.unranked.is_none() && arm.sampled.is_none();
    let sound = arms.iter().filter(sound);
    let of = |model| sound.clone().filter(move |arm| arm.model == model);
    let one = of(Model::Sequential).next()?;
    let (all, moving) = (wall(one)?, one.inside?.serialising_s);
    let loop_s = all - moving;
    let processes = of(Model::Processes).filter_map(wall);
    let processes = processes.min_by(f64::total_cmp)?;
    if moving < MOSTLY_MOVING * all || loop_s >= processes {
        return None;
    }
    Some(format!(
        "{} of {}'s {} went into reading and writing values; a program that holds them already calls its function in \
         a loop in about {}, less than the {} that processes take, to which they have to be handed",
        per_cent(moving / all),
        one.id,
        time(all),
        time(loop_s),
        time(processes)
    ))
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
    use crate::{arms::Arm, course::Course, report::Estimate};

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

    #[test]
    fn a_loop_is_named_where_moving_values_decides() {
        // The seconds of sequential and what it spent on values, and the seconds of processes.
        for (one, moving, processes, told) in [
            (1.0, 0.6, 0.5, true),
            (1.0, 0.6, 0.3, false),
            (1.0, 0.2, 0.9, false),
        ] {
            let arm = |model, wall_s, serialising_s| {
                let arm = Arm::new(model, 2.try_into().unwrap());
                let mut report = Course::new(arm, None).report(None);
                report.wall_s = Some(Estimate {
                    median: wall_s,
                    ci95: None,
                });
                let inside = Inside {
                    serialising: Duration::from_secs_f64(serialising_s),
                    ..Inside::default()
                };
                report.inside = super::report(&[inside], None);
                report
            };
            let mut arms = [
                arm(Model::Processes, processes, moving),
                arm(Model::Sequential, one, moving),
            ];
            let said = notes(&arms);
            assert_eq!(said.len(), usize::from(told), "{said:?}");
            assert!(
                said.iter()
                    .all(|it| it.starts_with("60 % of sequential's 1.00 s"))
            );
            arms[0].unranked = Some("it failed 1 input".to_owned());
            assert!(notes(&arms).is_empty());
        }
    }
}
