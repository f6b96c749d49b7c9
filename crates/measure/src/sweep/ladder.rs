//! At which concurrencies a sweep measures: a range with rungs that double, or a list.

use std::{fmt, num::NonZeroUsize, str::FromStr};

/// The most rungs that a ladder may have.
pub const MOST: usize = 64;

/// Concurrencies, rising, at least two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder(Vec<NonZeroUsize>);

/// Why a ladder cannot be read. The message has what was written in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LadderError {
    /// It is no number.
    #[error(
        "`{0}` is no concurrency; write a whole number from 1, a range such as 1..512, or a list such as 1,2,5,10"
    )]
    Number(String),
    /// It runs downwards.
    #[error("`{0}` runs downwards; write the smaller end first")]
    Downwards(String),
    /// The number of rungs is none.
    #[error("`{0}`: after the / stands how many concurrencies to measure, from 2 to {MOST}")]
    Rungs(String),
    /// There is one, and nothing to compare it with.
    #[error("a concurrency of {0} alone is no sweep; write a range such as 1..{top}, or a list", top = above(*.0))]
    One(usize),
    /// There are too many.
    #[error(
        "that is {0} concurrencies, and a sweep can have {MOST} at most; 1..512/20 measures 20 of a range"
    )]
    TooMany(usize),
}

impl Ladder {
    /// From the first to the last, each twice the one before; the last is one of them whatever it is.
    #[must_use]
    pub fn doubling(first: NonZeroUsize, last: NonZeroUsize) -> Self {
        let double = |rung: &usize| rung.checked_mul(2);
        let rungs = std::iter::successors(Some(first.get()), double);
        Self::of(
            rungs
                .take_while(|rung| *rung < last.get())
                .chain([last.get()]),
        )
    }

    /// The concurrencies, smallest first.
    pub fn rungs(&self) -> impl Iterator<Item = NonZeroUsize> {
        self.0.iter().copied()
    }

    /// The largest concurrency.
    #[must_use]
    pub fn top(&self) -> NonZeroUsize {
        self.0.last().copied().unwrap_or(NonZeroUsize::MIN)
    }

    fn of(rungs: impl IntoIterator<Item = usize>) -> Self {
        let mut rungs: Vec<_> = rungs.into_iter().filter_map(NonZeroUsize::new).collect();
        rungs.sort_unstable();
        rungs.dedup();
        Self(rungs)
    }
}

impl FromStr for Ladder {
    type Err = LadderError;

    /// Reads `1..512`, `1..512/20` (so many, each larger than the one before by the same factor), `1,2,5,10`, or a list
    /// with ranges in it.
    fn from_str(text: &str) -> Result<Self, LadderError> {
        let mut rungs = Vec::new();
        for part in text.split(',').map(str::trim) {
            rungs.extend(read(part)?);
        }
        let ladder = Self::of(rungs);
        match *ladder.0 {
            [one] => Err(LadderError::One(one.get())),
            ref many if many.len() > MOST => Err(LadderError::TooMany(many.len())),
            _ => Ok(ladder),
        }
    }
}

/// As it could be written.
impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rungs: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&rungs.join(","))
    }
}

fn read(part: &str) -> Result<Vec<usize>, LadderError> {
    let Some((first, rest)) = part.split_once("..") else {
        return Ok(vec![number(part, part)?]);
    };
    let (last, rungs) = match rest.split_once('/') {
        Some((last, rungs)) => (last, Some(rungs)),
        None => (rest, None),
    };
    let (first, last) = (number(first, part)?, number(last, part)?);
    if first > last {
        return Err(LadderError::Downwards(part.to_owned()));
    }
    let Some(rungs) = rungs else {
        let first = NonZeroUsize::new(first).unwrap_or(NonZeroUsize::MIN);
        let last = NonZeroUsize::new(last).unwrap_or(NonZeroUsize::MIN);
        return Ok(Ladder::doubling(first, last)
            .0
            .iter()
            .map(|rung| rung.get())
            .collect());
    };
    match rungs.trim().parse::<u32>() {
        Ok(rungs) if (2..=MOST).contains(&(rungs as usize)) => Ok(by_factor(first, last, rungs)),
        _ => Err(LadderError::Rungs(part.to_owned())),
    }
}

fn number(text: &str, part: &str) -> Result<usize, LadderError> {
    let number = text.trim().parse::<NonZeroUsize>();
    number
        .map(NonZeroUsize::get)
        .map_err(|_| LadderError::Number(part.to_owned()))
}

/// So many rungs from first to last, rounded; fewer where rounding makes two of them one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a concurrency has fewer digits than a float, and the cast saturates"
)]
fn by_factor(first: usize, last: usize, rungs: u32) -> Vec<usize> {
    let factor = last as f64 / first as f64;
    let rung = |place: u32| match place {
        0 => first,
        end if end == rungs - 1 => last,
        _ => {
            let exponent = f64::from(place) / f64::from(rungs - 1);
            ((first as f64 * factor.powf(exponent)).round() as usize).clamp(first, last)
        }
    };
    (0..rungs).map(rung).collect()
}

fn above(one: usize) -> usize {
    one.saturating_mul(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_lists_read() {
        for (text, expected) in [
            ("1..8", "1,2,4,8"),
            ("1..10", "1,2,4,8,10"),
            ("3..20", "3,6,12,20"),
            ("1,2,5,10", "1,2,5,10"),
            ("10, 1,2, 2", "1,2,10"),
            ("1..4,100", "1,2,4,100"),
            ("1..100/3", "1,10,100"),
            ("1..4/20", "1,2,3,4"),
            ("5..6/2", "5,6"),
            ("1..512", "1,2,4,8,16,32,64,128,256,512"),
        ] {
            let ladder = text.parse::<Ladder>();
            assert_eq!(
                ladder.map(|it| it.to_string()).as_deref(),
                Ok(expected),
                "{text}"
            );
        }
        let all = format!("2..{}", usize::MAX).parse::<Ladder>();
        assert_eq!(all.map(|ladder| ladder.top().get()), Ok(usize::MAX));
    }

    #[test]
    fn what_is_no_ladder_is_refused_with_the_reason() {
        for (text, says) in [
            ("5..1", "runs downwards"),
            ("0..4", "`0..4` is no concurrency"),
            ("a..b", "`a..b` is no concurrency"),
            ("1..", "is no concurrency"),
            ("..", "is no concurrency"),
            ("", "is no concurrency"),
            ("1,,2", "is no concurrency"),
            ("-1..4", "is no concurrency"),
            ("8", "8 alone is no sweep; write a range such as 1..64"),
            ("3..3", "alone is no sweep"),
            ("1..512/1", "from 2 to 64"),
            ("1..512/x", "from 2 to 64"),
            ("1..512/65", "from 2 to 64"),
            ("99999999999999999999999", "is no concurrency"),
        ] {
            let error = text.parse::<Ladder>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        let many: Vec<String> = (1..=65).map(|n| n.to_string()).collect();
        let error = many.join(",").parse::<Ladder>().unwrap_err();
        assert_eq!(error, LadderError::TooMany(65));
    }
}
