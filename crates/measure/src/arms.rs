//! What is compared with what: one model at one concurrency, under a name of its own.

use std::{collections::HashMap, num::NonZeroUsize};

use triway_core::{MAX_LANES, Model};

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arm {
    /// Its name in every output: `threads`, `threads@50`, or `threads@50#2` for the second of the same.
    pub id: String,
    /// The model.
    pub model: Model,
    /// How many inputs may be in flight.
    pub concurrency: NonZeroUsize,
}

impl Arm {
    /// A model at a concurrency, named after both; sequential is always 1, and named after the model alone.
    ///
    /// Whoever compares an arm with itself gives the second one another [`Arm::id`].
    #[must_use]
    pub fn new(model: Model, concurrency: NonZeroUsize) -> Self {
        let concurrency = lanes(model, concurrency);
        Self {
            id: match model {
                Model::Sequential => model.name().to_owned(),
                _ => format!("{model}@{concurrency}"),
            },
            model,
            concurrency,
        }
    }
}

/// Every plain model once: sequential, and the others at this concurrency.
#[must_use]
pub fn every_model(concurrency: NonZeroUsize) -> Vec<Arm> {
    every_model_with(|_| concurrency)
}

/// The same with a concurrency for each model.
#[must_use]
pub fn every_model_with(concurrency: impl Fn(Model) -> NonZeroUsize) -> Vec<Arm> {
    let arms = Model::PLAIN.map(|model| Arm {
        id: model.name().to_owned(),
        model,
        concurrency: lanes(model, concurrency(model)),
    });
    arms.into()
}

/// Reads a list such as `sequential,threads@50,async@1000`; arms without `@` get `concurrency`.
///
/// The same arm may stand there more than once: compared with itself it should have no winner.
///
/// # Errors
/// Nothing in the list, or an arm that is no model or has an impossible concurrency.
pub fn parse(list: &str, concurrency: NonZeroUsize) -> Result<Vec<Arm>, ArmError> {
    parse_with(list, |_| concurrency)
}

/// The same with a concurrency for each model.
///
/// # Errors
/// As [`parse`].
pub fn parse_with(
    list: &str,
    concurrency: impl Fn(Model) -> NonZeroUsize,
) -> Result<Vec<Arm>, ArmError> {
    if list.trim().is_empty() {
        return Err(ArmError::Nothing);
    }
    let words = list.split(',').map(str::trim);
    let mut arms = words
        .map(|word| read(word, &concurrency))
        .collect::<Result<Vec<_>, _>>()?;
    number(&mut arms);
    Ok(arms)
}

/// Why a list of arms cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArmError {
    /// There is no arm.
    #[error("no models to compare; name some, such as sequential,threads,async@100")]
    Nothing,
    /// There is nothing between two commas.
    #[error("an arm of the list is empty; write MODEL or MODEL@CONCURRENCY between the commas")]
    Empty,
    /// The model's name is none.
    #[error("arm `{arm}`: {cause}")]
    Model {
        /// The arm, as written.
        arm: String,
        /// Which word is no model.
        cause: triway_core::UnknownModel,
    },
    /// The concurrency is no number from 1.
    #[error("arm `{arm}`: `{written}` is no concurrency; write a whole number from 1")]
    Concurrency {
        /// The arm, as written.
        arm: String,
        /// What stands after the `@`.
        written: String,
    },
    /// The model cannot have so many lanes.
    #[error("arm `{arm}`: {model} can have a concurrency of {most} at most")]
    TooMany {
        /// The arm, as written.
        arm: String,
        /// Its model.
        model: Model,
        /// What it can have.
        most: usize,
    },
}

fn read(word: &str, default: impl Fn(Model) -> NonZeroUsize) -> Result<Arm, ArmError> {
    if word.is_empty() {
        return Err(ArmError::Empty);
    }
    let arm = || word.to_owned();
    let (name, written) = match word.split_once('@') {
        Some((name, written)) => (name, Some(written)),
        None => (word, None),
    };
    let model: Model = name
        .parse()
        .map_err(|cause| ArmError::Model { arm: arm(), cause })?;
    let asked = match written {
        None => lanes(model, default(model)),
        Some(written) => written.parse().map_err(|_| ArmError::Concurrency {
            arm: arm(),
            written: written.to_owned(),
        })?,
    };
    let most = most_lanes(model);
    if asked.get() > most {
        return Err(ArmError::TooMany {
            arm: arm(),
            model,
            most,
        });
    }
    let mut arm = Arm::new(model, asked);
    if written.is_none() {
        model.name().clone_into(&mut arm.id);
    }
    Ok(arm)
}

/// Gives the second and later ones of the same name a number: `threads@50#2`.
pub fn number(arms: &mut [Arm]) {
    let mut seen = HashMap::new();
    for arm in arms {
        let times = seen.entry(arm.id.clone()).or_insert(0_usize);
        *times += 1;
        if *times > 1 {
            arm.id = format!("{}#{times}", arm.id);
        }
    }
}

fn lanes(model: Model, concurrency: NonZeroUsize) -> NonZeroUsize {
    if model == Model::Sequential {
        NonZeroUsize::MIN
    } else {
        concurrency
    }
}

fn most_lanes(model: Model) -> usize {
    let mut limits = MAX_LANES.iter();
    limits
        .find(|(limited, _)| *limited == model)
        .map_or(usize::MAX, |(_, most)| *most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &str) -> String {
        let concurrency = NonZeroUsize::new(8).unwrap();
        match parse(list, concurrency) {
            Ok(arms) => arms
                .iter()
                .map(|arm| format!("{}={}", arm.id, arm.concurrency))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn lists_read_as_people_write_them() {
        for (list, expected) in [
            ("threads", "threads=8"),
            ("sequential, async@1000", "sequential=1 async@1000=1000"),
            ("threads@50,threads@50", "threads@50=50 threads@50#2=50"),
            ("async,async,async", "async=8 async#2=8 async#3=8"),
            ("sequential@1,sequential", "sequential=1 sequential#2=1"),
            ("threads,threads@8", "threads=8 threads@8=8"),
        ] {
            assert_eq!(ids(list), expected, "{list}");
        }
    }

    #[test]
    fn what_is_no_arm_is_named() {
        for (list, expected) in [
            ("", "no models to compare"),
            ("threads,,async", "an arm of the list is empty"),
            (
                "fibers@3",
                "arm `fibers@3`: `fibers` is no concurrency model",
            ),
            ("async@0", "arm `async@0`: `0` is no concurrency"),
            ("async@", "arm `async@`: `` is no concurrency"),
            ("async@-1", "arm `async@-1`: `-1` is no concurrency"),
            (
                "sequential@2",
                "arm `sequential@2`: sequential can have a concurrency of 1",
            ),
            ("processes@9999", "arm `processes@9999`: processes can have"),
        ] {
            let got = ids(list);
            assert!(got.starts_with(expected), "{list}: {got}");
        }
    }

    #[test]
    fn an_arm_is_named_after_what_it_is() {
        for (model, asked, id, lanes) in [
            (Model::Threads, 8, "threads@8", 8),
            (Model::Sequential, 8, "sequential", 1),
        ] {
            let arm = Arm::new(model, NonZeroUsize::new(asked).unwrap());
            assert_eq!((arm.id.as_str(), arm.concurrency.get()), (id, lanes));
        }
    }

    #[test]
    fn by_default_every_model_is_an_arm() {
        let arms = every_model(NonZeroUsize::new(4).unwrap());
        let ids: Vec<_> = arms.iter().map(|arm| arm.id.as_str()).collect();
        assert_eq!(ids, ["sequential", "threads", "processes", "async"]);
        assert_eq!(arms[0].concurrency.get(), 1);
        assert_eq!(arms[3].concurrency.get(), 4);
    }
}
