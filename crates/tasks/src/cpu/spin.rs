//! Pure time: a processor is kept busy for so long, by its own clock.

use std::{hint::black_box, time::Duration};

use rustix::time::{ClockId, clock_gettime};
use triway_core::Failure;

/// The longest: a day.
pub const MAX_MILLIS: f64 = 86_400_000.0;

/// How much processor time passes between two looks at whether to go on.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Uses so many milliseconds of processor time, `stretch` times over; `look` says now and then whether to go on.
pub(super) fn spin(
    millis: f64,
    stretch: f64,
    look: impl Fn() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let time = Some(millis * stretch)
        .filter(|millis| (0.0..=MAX_MILLIS).contains(millis))
        .map(|millis| Duration::from_secs_f64(millis / 1000.0))
        .ok_or_else(|| {
            Failure::bad_input(format!(
                "`{millis}` is no number of milliseconds from 0 to {MAX_MILLIS}"
            ))
        })?;
    let start = processor_time();
    let mut next_look = LOOK_EVERY;
    loop {
        let used = processor_time().saturating_sub(start);
        if used >= time {
            return Ok(());
        }
        if used >= next_look {
            look()?;
            next_look = used + LOOK_EVERY;
        }
        burn();
    }
}

/// What the calling thread has used of a processor.
///
/// The wall clock would not do: a hundred threads that share two processors would all be done at the same moment, and
/// every concurrency would look as if it helped.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime)
        .try_into()
        .unwrap_or_default()
}

/// A few microseconds of work.
fn burn() {
    let mut x = black_box(1.0_f64);
    for _ in 0..1000 {
        x = black_box(x * 1.000_000_1);
    }
}
