//! What a probe gives back: a number for each of its figures, or why there is none.

use std::time::{Duration, Instant};

use crate::statistics::median;

/// One number a figure, in the order in which the catalog names them; an error is a sentence for people.
pub(super) type Answer = Result<Vec<f64>, String>;

/// How long one stretch of measuring may take.
pub(super) const STRETCH: Duration = Duration::from_millis(15);

/// The time limit of whatever waits for another process or thread.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// An error as a sentence.
pub(super) fn why(what: &str) -> impl Fn(&dyn std::fmt::Display) -> String {
    move |cause| format!("{what}: {cause}")
}

/// Does something again and again for one [`STRETCH`], but at least `fewest` and at most `most` times; the middle of
/// how long it took, in seconds.
pub(super) fn middle_of(
    fewest: usize,
    most: usize,
    mut act: impl FnMut() -> Result<(), String>,
) -> Result<f64, String> {
    // The first one finds cold caches and pays for what is made once.
    act()?;
    let began = Instant::now();
    let mut taken = Vec::new();
    while taken.len() < fewest || (taken.len() < most && began.elapsed() < STRETCH) {
        let start = Instant::now();
        act()?;
        taken.push(start.elapsed().as_secs_f64());
    }
    median(&taken).ok_or_else(|| "nothing was measured".to_owned())
}

/// A count as a divisor.
#[expect(
    clippy::cast_precision_loss,
    reason = "what is counted here stays far below what a float holds"
)]
pub(super) fn count(n: u64) -> f64 {
    n as f64
}
