//! What this machine gives to two threads at once, and how steady it is: known before any input is looked at, so that a
//! machine without a spare processor is not taken for a task that does not scale.

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use crate::statistics::median;

/// How long each look takes.
const LOOK: Duration = Duration::from_millis(8);
/// How often it is looked.
const LOOKS: usize = 5;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Cores {
    /// How many times as much two threads got done as one; `None` where no second thread could be started.
    pub two_threads: Option<f64>,
    /// The standard deviation of one thread's work, as a share of its mean.
    pub noise: f64,
}

/// Looks for about a tenth of a second. Blocks.
#[must_use]
pub fn look() -> Cores {
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..LOOKS {
        alone.push(work());
        together.extend(both());
    }
    let middle = alone.iter().sum::<f64>() / count(alone.len());
    let squares = alone
        .iter()
        .map(|work| (work - middle).powi(2))
        .sum::<f64>();
    let deviation = (squares / count(alone.len() - 1)).sqrt();
    // Each pair by itself: whatever else the machine does comes and goes.
    let pairs = together.iter().zip(&alone).map(|(two, one)| two / one);
    // Two do no more than twice as much: beyond that one was disturbed while it was alone.
    let two_threads = median(&pairs.collect::<Vec<_>>()).map(|ratio| ratio.min(2.0));
    Cores {
        two_threads: two_threads.filter(|ratio| ratio.is_finite()),
        noise: deviation / middle,
    }
}

/// What two threads get done together.
fn both() -> Option<f64> {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let other = thread::Builder::new().spawn_scoped(scope, || {
            start.wait();
            work()
        });
        match other {
            Err(_) => None,
            Ok(other) => {
                start.wait();
                let own = work();
                other.join().ok().map(|others| own + others)
            }
        }
    })
}

/// How many rounds of arithmetic there are time for.
fn work() -> f64 {
    let began = Instant::now();
    let (mut rounds, mut state) = (0.0, 1_u64);
    while began.elapsed() < LOOK {
        for _ in 0..1000 {
            state = black_box(
                state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1),
            );
        }
        rounds += 1.0;
    }
    rounds
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_get_something_done() {
        let Cores { two_threads, noise } = look();
        assert!(two_threads.unwrap() > 0.3, "{two_threads:?}");
        assert!(noise.is_finite());
    }
}
