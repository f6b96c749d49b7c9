//! Whether more inputs fail at a higher concurrency than did below, or whether that is chance.

/// How many inputs failed, of how many that were executed in all rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Losses {
    pub(super) failed: u64,
    pub(super) executed: u64,
}

/// How many standard deviations are no chance: such a difference comes up once in 700 sweeps of servers that fail at
/// random.
const BEYOND_CHANCE: f64 = 3.0;

impl Losses {
    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            failed: self.failed + other.failed,
            executed: self.executed + other.executed,
        }
    }

    /// Whether more fail here than `below`, beyond what chance does. Source: the test of two proportions, with their
    /// pooled variance.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more digits than a float has"
    )]
    pub(super) fn exceed(self, below: Self) -> bool {
        if self.executed == 0 || below.executed == 0 {
            return false;
        }
        let share = |losses: Self| losses.failed as f64 / losses.executed as f64;
        let pooled = share(self.and(below));
        let parts = 1.0 / self.executed as f64 + 1.0 / below.executed as f64;
        let deviation = (pooled * (1.0 - pooled) * parts).sqrt();
        share(self) - share(below) > BEYOND_CHANCE * deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_rise_only_beyond_chance() {
        let of = |(failed, executed)| Losses { failed, executed };
        for (here, below, expected) in [
            ((20, 700), (0, 500), true),
            ((1, 700), (0, 500), false),
            ((700, 700), (0, 500), true),
            ((700, 700), (500, 500), false),
            ((50, 1000), (45, 1000), false),
            ((0, 1000), (45, 1000), false),
            ((0, 0), (0, 10), false),
            ((5, 5), (0, 0), false),
            ((0, 10), (0, 10), false),
        ] {
            assert_eq!(of(here).exceed(of(below)), expected, "{here:?} {below:?}");
        }
    }
}
