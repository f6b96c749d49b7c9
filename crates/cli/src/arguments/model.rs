//! Which model a job runs under, as it may be written.

use std::num::NonZeroUsize;

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use triway_core::Model;
use triway_measure::advise;

use super::{job::HEADING, values::positive};

/// The word for a model that is found out by measuring.
const AUTO: &str = "auto";

/// Who chooses the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// The figures of the first inputs.
    Measured,
    /// Nobody yet: the job ended while it was measured.
    Unsettled,
    /// The task: its preferred one.
    Preferred,
    /// Whoever typed this.
    Model(Model),
}

impl Chosen {
    /// The model, where somebody chose one.
    pub(crate) fn model(self) -> Option<Model> {
        match self {
            Self::Model(model) => Some(model),
            Self::Measured | Self::Unsettled | Self::Preferred => None,
        }
    }
}

/// A model by its name, or `auto`; the help lists them.
pub(super) fn chosen() -> impl TypedValueParser<Value = Chosen> {
    let names = [AUTO].into_iter().chain(Model::ALL.map(Model::name));
    PossibleValuesParser::new(names).try_map(|name| match name.as_str() {
        AUTO => Ok(Chosen::Measured),
        name => name.parse().map(Chosen::Model),
    })
}

/// How far a job is probed.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct ProbeArguments {
    /// While measuring, no more inputs at once than this, out of care for the other side
    #[arg(long, global = true, value_name = "N", value_parser = positive::<NonZeroUsize>, allow_negative_numbers = true,
          default_value_t = most())]
    pub(crate) max_concurrency: NonZeroUsize,
}

impl Default for ProbeArguments {
    fn default() -> Self {
        Self {
            max_concurrency: most(),
        }
    }
}

fn most() -> NonZeroUsize {
    NonZeroUsize::new(advise::DEFAULT_MOST_CONCURRENCY).unwrap_or(NonZeroUsize::MIN)
}
