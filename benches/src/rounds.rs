//! Contestants in turn, round after round, with a rotating first place; medians over the rounds.

use std::time::Duration;

/// One way to do the work: its name, how many inputs it does, and a call that does them and says how long it took.
#[derive(Clone, Copy)]
pub(crate) struct Contestant {
    pub name: &'static str,
    pub inputs: u64,
    pub run: fn(u64) -> Duration,
}

/// Nanoseconds an input, as the median of `rounds` rounds after one that is not counted; in the contestants' order.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of inputs are far below 2^53"
)]
pub(crate) fn nanos_per_input(contestants: &[Contestant], rounds: usize) -> Vec<f64> {
    let mut figures = vec![Vec::new(); contestants.len()];
    for round in 0..=rounds {
        for place in 0..contestants.len() {
            let at = (round + place) % contestants.len();
            let contestant = &contestants[at];
            let took = (contestant.run)(contestant.inputs);
            if round > 0 {
                figures[at].push(took.as_secs_f64() * 1e9 / contestant.inputs as f64);
            }
        }
    }
    figures.iter_mut().map(|figures| median(figures)).collect()
}

/// The middle one.
pub(crate) fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
