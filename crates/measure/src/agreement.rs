//! Whether all arms gave the same outcomes, which of them the others agree with, and where one differs.

use std::{collections::HashMap, fs::File, io, sync::Arc};

use crate::{
    digests,
    report::{Difference, Shown},
};

/// How many differences are told.
pub const MOST_DIFFERENCES: usize = 10;

/// The outcomes of all trials so far. Holds eight bytes an input for each *distinct* set of outcomes, normally one.
///
/// Arms may have executed more or fewer of the first inputs: what two of them have in common is compared.
#[derive(Debug)]
pub struct Agreement {
    inputs: Vec<usize>,
    distinct: Vec<Outcomes>,
    arms: Vec<Seen>,
}

/// How an arm's outcomes stand to the others'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The same as the reference's.
    Agrees,
    /// Other than the reference's, for so many inputs.
    Differs(u64),
    /// Other in one round than in another, for so many inputs.
    Wavers(u64),
    /// It has none.
    Unknown,
}

/// What came of comparing everything with everything.
#[derive(Debug)]
pub struct Settled {
    /// The arm that the most others agree with.
    pub reference: Option<usize>,
    /// One for each arm.
    pub standings: Vec<Standing>,
    /// The first ones, by input.
    pub differences: Vec<Difference>,
}

/// One set of outcomes: a fingerprint for each input, and the file that shows them.
#[derive(Debug)]
struct Outcomes {
    fingerprints: Vec<u64>,
    file: Arc<File>,
}

/// What is known of one arm.
#[derive(Debug, Clone, Default)]
struct Seen {
    outcomes: Option<usize>,
    wavering: u64,
    own: Vec<Pair>,
}

/// One input's two outcomes, as shown.
#[derive(Debug, Clone)]
struct Pair {
    index: u64,
    reference: String,
    differing: String,
}

impl Agreement {
    /// Nothing yet, from arms that are each given so many of the first inputs.
    #[must_use]
    pub fn new(inputs: &[u64]) -> Self {
        let places = |inputs: &u64| usize::try_from(*inputs).unwrap_or(usize::MAX);
        Self {
            inputs: inputs.iter().map(places).collect(),
            distinct: Vec::new(),
            arms: vec![Seen::default(); inputs.len()],
        }
    }

    /// Takes in one counted trial of an arm.
    ///
    /// # Errors
    /// The trial's file cannot be read.
    pub fn add(&mut self, arm: usize, file: File) -> io::Result<()> {
        let outcomes = Outcomes::load(Arc::new(file), self.inputs[arm])?;
        let Some(first) = self.arms[arm].outcomes else {
            self.arms[arm].outcomes = Some(self.keep(outcomes));
            return Ok(());
        };
        let first = &self.distinct[first];
        let differing = first.differing(&outcomes);
        let seen = &mut self.arms[arm];
        if differing > seen.wavering {
            seen.wavering = differing;
            seen.own = first.pairs(&outcomes)?;
        }
        Ok(())
    }

    /// Which of the distinct sets these outcomes are; of two that have the same, the one with more inputs is kept.
    fn keep(&mut self, outcomes: Outcomes) -> usize {
        let mut known = self.distinct.iter();
        let same = known.position(|known| known.differing(&outcomes) == 0);
        let place = same.unwrap_or(self.distinct.len());
        match self.distinct.get_mut(place) {
            None => self.distinct.push(outcomes),
            Some(known) if known.fingerprints.len() < outcomes.fingerprints.len() => {
                *known = outcomes;
            }
            Some(_) => {}
        }
        place
    }

    /// Finds the largest group of arms that agree (of equal ones, the baseline's) and tells the others' differences.
    ///
    /// # Errors
    /// A trial's file cannot be read.
    pub fn settle(&self, ids: &[&str], baseline: Option<usize>) -> io::Result<Settled> {
        let reference = self.reference(baseline);
        let mut differences = Vec::new();
        let mut standings = Vec::new();
        for (arm, seen) in self.arms.iter().enumerate() {
            let (standing, against, pairs) = self.stand(seen, arm, reference)?;
            standings.push(standing);
            differences.extend(
                pairs
                    .into_iter()
                    .map(|pair| told(pair, ids[against], ids[arm])),
            );
        }
        differences.sort_by_key(|difference: &Difference| difference.index);
        differences.truncate(MOST_DIFFERENCES);
        Ok(Settled {
            reference,
            standings,
            differences,
        })
    }

    /// How an arm stands, which arm it was compared with (itself, if it wavers), and the first differences.
    fn stand(
        &self,
        seen: &Seen,
        arm: usize,
        reference: Option<usize>,
    ) -> io::Result<(Standing, usize, Vec<Pair>)> {
        if seen.wavering > 0 {
            return Ok((Standing::Wavers(seen.wavering), arm, seen.own.clone()));
        }
        let outcomes = |arm: usize| self.arms[arm].outcomes.map(|n| &self.distinct[n]);
        let (Some(own), Some(reference)) = (outcomes(arm), reference) else {
            return Ok((Standing::Unknown, arm, Vec::new()));
        };
        let Some(theirs) = outcomes(reference) else {
            return Ok((Standing::Unknown, arm, Vec::new()));
        };
        match theirs.differing(own) {
            0 => Ok((Standing::Agrees, reference, Vec::new())),
            n => Ok((Standing::Differs(n), reference, theirs.pairs(own)?)),
        }
    }

    fn reference(&self, baseline: Option<usize>) -> Option<usize> {
        let steady =
            |arm: &usize| self.arms[*arm].outcomes.is_some() && self.arms[*arm].wavering == 0;
        let group = |of: usize| {
            let mut members = (0..self.arms.len()).filter(steady).collect::<Vec<_>>();
            members.retain(|arm| self.arms[*arm].outcomes == self.arms[of].outcomes);
            members
        };
        let in_order = baseline
            .into_iter()
            .chain(0..self.arms.len())
            .filter(steady);
        // `max_by_key` keeps the last of equals, and the baseline is to win them, so it is asked last.
        let mut candidates: Vec<usize> = in_order.collect();
        candidates.reverse();
        candidates.into_iter().max_by_key(|arm| group(*arm).len())
    }
}

impl Outcomes {
    fn load(file: Arc<File>, inputs: usize) -> io::Result<Self> {
        let mut fingerprints = vec![0; inputs];
        for record in digests::read(file.clone()) {
            let record = record?;
            let place = usize::try_from(record.index).ok();
            if let Some(slot) = place.and_then(|place| fingerprints.get_mut(place)) {
                *slot = record.fingerprint;
            }
        }
        Ok(Self { fingerprints, file })
    }

    fn differing(&self, other: &Self) -> u64 {
        self.places(other).count() as u64
    }

    /// The inputs at which two sets differ.
    fn places(&self, other: &Self) -> impl Iterator<Item = u64> {
        let both = self.fingerprints.iter().zip(&other.fingerprints);
        (0..)
            .zip(both)
            .filter(|(_, (own, other))| own != other)
            .map(|(place, _)| place)
    }

    fn pairs(&self, other: &Self) -> io::Result<Vec<Pair>> {
        let places: Vec<u64> = self.places(other).take(MOST_DIFFERENCES).collect();
        let (own, others) = (self.shown(&places)?, other.shown(&places)?);
        let pairs = places.into_iter().map(|index| Pair {
            index,
            reference: show(&own, index),
            differing: show(&others, index),
        });
        Ok(pairs.collect())
    }

    /// How the outcomes of a few inputs are shown: one pass through the file.
    fn shown(&self, places: &[u64]) -> io::Result<HashMap<u64, String>> {
        let mut shown = HashMap::new();
        for record in digests::read(self.file.clone()) {
            let record = record?;
            if places.contains(&record.index) {
                shown.insert(record.index, record.shown());
            }
        }
        Ok(shown)
    }
}

fn show(shown: &HashMap<u64, String>, index: u64) -> String {
    let missing = || "no outcome".to_owned();
    shown.get(&index).cloned().unwrap_or_else(missing)
}

fn told(pair: Pair, reference: &str, differing: &str) -> Difference {
    let shown = |id: &str, outcome| Shown {
        id: id.to_owned(),
        outcome,
    };
    Difference {
        index: pair.index,
        reference: shown(reference, pair.reference),
        differing: shown(differing, pair.differing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 4] = ["a", "b", "c", "d"];

    /// A trial that gave these letters, one an input; a space for none.
    fn trial(outcomes: &str) -> File {
        let file = tempfile::tempfile().unwrap();
        let mut writer = digests::Writer::new(file.try_clone().unwrap());
        // Outcomes come in any order.
        for (index, outcome) in (0..)
            .zip(outcomes.chars())
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
        {
            if outcome != ' ' {
                let shown = format!("ok {outcome}");
                writer.write(index, u64::from(outcome), &shown).unwrap();
            }
        }
        writer.finish().unwrap();
        file
    }

    /// Settles arms given as their rounds' outcomes.
    fn settle(arms: &[&[&str]], baseline: usize) -> Settled {
        let most = |rounds: &&[&str]| rounds.iter().map(|r| r.len() as u64).max();
        let inputs: Vec<u64> = arms.iter().map(|arm| most(arm).unwrap_or(0)).collect();
        let mut agreement = Agreement::new(&inputs);
        for (arm, rounds) in arms.iter().enumerate() {
            for round in *rounds {
                agreement.add(arm, trial(round)).unwrap();
            }
        }
        agreement
            .settle(&IDS[..arms.len()], Some(baseline))
            .unwrap()
    }

    #[test]
    fn the_largest_group_is_the_reference_and_the_baseline_wins_ties() {
        use Standing::{Agrees, Differs, Unknown, Wavers};
        /// The arms' rounds, the baseline, the reference found, how each arm stands.
        type Case<'a> = (&'a [&'a [&'a str]], usize, Option<usize>, &'a [Standing]);
        let table: &[Case<'_>] = &[
            (&[&["xyz"], &["xyz", "xyz"]], 0, Some(0), &[Agrees, Agrees]),
            (&[&["xyz"], &["xyq"]], 0, Some(0), &[Agrees, Differs(1)]),
            (&[&["xyz"], &["xyq"]], 1, Some(1), &[Differs(1), Agrees]),
            (
                &[&["xyz"], &["qqq"], &["qqq"]],
                0,
                Some(1),
                &[Differs(3), Agrees, Agrees],
            ),
            (
                &[&["xyz", "xyq"], &["xyz"]],
                0,
                Some(1),
                &[Wavers(1), Agrees],
            ),
            (&[&["xy"], &["x "]], 0, Some(0), &[Agrees, Differs(1)]),
            (&[&["xy"], &[]], 0, Some(0), &[Agrees, Unknown]),
            (
                &[&["x", "y"], &["x", "z"]],
                0,
                None,
                &[Wavers(1), Wavers(1)],
            ),
            (&[&[], &[]], 0, None, &[Unknown, Unknown]),
        ];
        for (arms, baseline, reference, standings) in table {
            let settled = settle(arms, *baseline);
            assert_eq!(settled.reference, *reference, "{arms:?}");
            assert_eq!(settled.standings, *standings, "{arms:?}");
        }
    }

    #[test]
    fn arms_with_more_or_fewer_inputs_agree_on_those_they_share() {
        use Standing::{Agrees, Differs, Wavers};
        for (arms, standings) in [
            (
                [&["xy"][..], &["x"], &["xyz"], &["xyzq", "xyzq"]],
                [Agrees, Agrees, Agrees, Agrees],
            ),
            // The second has another third input than the first, of which the others have none.
            (
                [&["xyz"], &["xyq"], &["x"], &["xy"]],
                [Agrees, Differs(1), Agrees, Agrees],
            ),
            (
                [&["x"], &["xyz"], &["xyq"], &["xyz", "xyq"]],
                [Agrees, Agrees, Differs(1), Wavers(1)],
            ),
        ] {
            let settled = settle(&arms, 0);
            assert_eq!(settled.standings, standings, "{arms:?}");
        }
    }

    #[test]
    fn differences_are_the_first_ten_with_both_sides_shown() {
        let settled = settle(
            &[&["aaaaaaaaaaaaa"], &["aabaaaaaaaaaa"], &["bbbbbbbbbbbb "]],
            0,
        );
        assert_eq!(settled.differences.len(), MOST_DIFFERENCES);
        let of = |difference: &Difference| {
            let Difference {
                index,
                reference,
                differing,
            } = difference;
            format!(
                "{index}: {} {}, {} {}",
                reference.id, reference.outcome, differing.id, differing.outcome
            )
        };
        assert_eq!(of(&settled.differences[0]), "0: a ok a, c ok b");
        assert_eq!(of(&settled.differences[2]), "2: a ok a, b ok b");
        let missing = settle(&[&["a"], &[" "]], 0);
        assert_eq!(of(&missing.differences[0]), "0: a ok a, b no outcome");
    }

    #[test]
    fn an_arm_that_wavers_is_shown_against_itself() {
        let settled = settle(&[&["x"], &["x", "x", "y"]], 0);
        let difference = &settled.differences[0];
        assert_eq!(
            (&*difference.reference.id, &*difference.differing.id),
            ("b", "b")
        );
        assert_eq!(difference.differing.outcome, "ok y");
    }
}
