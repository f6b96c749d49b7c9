//! Which attempts of a worker have run for longer than they may, and who is to blame where one keeps others from going on.

use std::time::Duration;

/// What a slot runs, on the job's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    /// Which of the inputs that this worker got, counted from 0.
    pub(super) place: u64,
    pub(super) since: Duration,
    /// Whether it holds its thread just now.
    pub(super) holds: bool,
}

/// When the first of them has had all its time.
pub(super) fn due(running: &[Attempt], most: Duration) -> Option<Duration> {
    let ends = running.iter().map(|one| end(one, running, most));
    ends.min()
}

/// What has had all its time by now. Where some of it holds a thread, that alone is to blame: the others may only be late
/// because they could not get one.
pub(super) fn late(running: &[Attempt], now: Duration, most: Duration) -> Vec<u64> {
    let late = |one: &&Attempt| end(one, running, most) <= now;
    let holds = running.iter().filter(late).any(|one| one.holds);
    running
        .iter()
        .filter(late)
        .filter(|one| one.holds || !holds)
        .map(|one| one.place)
        .collect()
}

/// When an attempt has had all its time. One that holds no thread may wait for one that does; it has until that one's end,
/// for if that one is late too, it is to blame. But not for ever: there may always be one that holds a thread for a moment.
fn end(one: &Attempt, running: &[Attempt], most: Duration) -> Duration {
    let own = one.since + most;
    if one.holds {
        return own;
    }
    let holders = running.iter().filter(|other| other.holds);
    let first = holders.map(|holder| holder.since + most).min();
    first.map_or(own, |first| first.clamp(own, own + most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_millis(100);

    /// The places that are late at each of some moments, in milliseconds; and when the first is due.
    fn check(running: &[(u64, bool)], due_at: u64, expected: &[(u64, &[u64])]) {
        let running: Vec<_> = (0..)
            .zip(running)
            .map(|(place, &(since, holds))| Attempt {
                place,
                since: Duration::from_millis(since),
                holds,
            })
            .collect();
        assert_eq!(due(&running, MOST), Some(Duration::from_millis(due_at)));
        for &(now, places) in expected {
            let late = late(&running, Duration::from_millis(now), MOST);
            assert_eq!(late, places, "at {now} ms");
        }
    }

    #[test]
    fn whoever_holds_a_thread_is_to_blame() {
        check(&[(0, true)], 100, &[(99, &[]), (100, &[0])]);
        check(&[(0, false), (0, false)], 100, &[(100, &[0, 1])]);
        check(&[(0, false), (0, true)], 100, &[(100, &[1])]);
        check(&[(0, true), (5, true)], 100, &[(100, &[0]), (105, &[0, 1])]);
    }

    #[test]
    fn one_that_began_before_the_holder_is_not_blamed_before_it() {
        check(
            &[(0, false), (30, true)],
            130,
            &[(100, &[]), (129, &[]), (130, &[1])],
        );
        check(&[(30, false), (0, true)], 100, &[(100, &[1])]);
    }

    #[test]
    fn brief_holders_do_not_pardon_for_ever() {
        check(&[(0, false), (190, true)], 200, &[(150, &[]), (200, &[0])]);
    }
}
