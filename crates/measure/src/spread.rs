//! An order of inputs of which every beginning is like the whole: whoever executes only the first few of them has no more
//! of the slow ones than whoever executes all.
//!
//! It goes through the inputs in steps of one length, round and round. The length is near the golden section of their
//! number, so that the first few are far apart however few they are, and has no divisor in common with that number, so
//! that inputs that differ in a rhythm of their own (every fifth is slow) are met in turn.

/// Where the input that comes at `position` in this order stands among all `of` inputs.
#[must_use]
pub(crate) fn place(position: u64, of: u64) -> u64 {
    if of < 2 {
        return 0;
    }
    let place = u128::from(position) * u128::from(step(of)) % u128::from(of);
    u64::try_from(place).unwrap_or(0)
}

/// When each input comes, asked for one after the other.
pub(crate) fn positions(of: u64) -> impl Iterator<Item = u64> {
    let back = inverse(step(of), of.max(1));
    (0..of).map(move |place| {
        let position = u128::from(place) * u128::from(back) % u128::from(of);
        u64::try_from(position).unwrap_or(0)
    })
}

/// The length of a step.
fn step(of: u64) -> u64 {
    /// The golden section, times 2^32.
    const GOLDEN: u128 = 2_654_435_769;
    let near = u64::try_from((u128::from(of) * GOLDEN) >> 32).unwrap_or(1);
    // Numbers without a common divisor are never far away; one is always among them.
    let mut lower = (1..=near.max(1)).rev();
    lower.find(|step| divisor(*step, of) == 1).unwrap_or(1)
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// The number that takes a step back: `step` times it leaves one. Source: the extended Euclidean algorithm.
fn inverse(step: u64, of: u64) -> u64 {
    let of = i128::from(of);
    let (mut old, mut rest) = (i128::from(step), of);
    let (mut found, mut next) = (1, 0);
    while rest != 0 {
        let quotient = old / rest;
        (old, rest) = (rest, old - quotient * rest);
        (found, next) = (next, found - quotient * next);
    }
    u64::try_from(found.rem_euclid(of)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_comes_once_and_says_when() {
        for of in (0..300).chain([1000, 4096, 99_991]) {
            let order: Vec<u64> = (0..of).map(|position| place(position, of)).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..of), "{of}");
            for (place, position) in (0..).zip(positions(of)) {
                assert_eq!(order[usize::try_from(position).unwrap()], place, "{of}");
            }
        }
        assert!(place(u64::MAX - 1, u64::MAX) < u64::MAX);
    }

    #[test]
    fn the_first_few_have_their_share_of_what_comes_in_a_rhythm() {
        // Every so many inputs is slow.
        for (of, every) in [(50, 5), (1000, 2), (1000, 10), (999, 2), (640, 64)] {
            for first in [every, 2 * every, 4 * every] {
                let slow = (0..first).filter(|position| place(*position, of).is_multiple_of(every));
                let slow = slow.count() as u64;
                let share = first / every;
                assert!(
                    slow.abs_diff(share) <= 1,
                    "{slow} of {first}, every {every} of {of}"
                );
            }
        }
    }
}
