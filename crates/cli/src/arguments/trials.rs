//! How many trials a measurement has, and on how many inputs.

use clap::Args;

use super::job::{Budget, budget, whole};

/// Options of the verbs that run a job in trials.
#[derive(Debug, Args)]
#[command(next_help_heading = "Measurement")]
pub(crate) struct TrialArguments {
    /// Counted rounds; fewer than seven carry large differences alone [default: 7, or up to 25 that fit into 10 s]
    #[arg(long, global = true, value_name = "N",
          value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub(crate) rounds: Option<usize>,

    /// Use an evenly spaced sample of so many inputs
    #[arg(long, global = true, value_name = "N",
          value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub(crate) sample: Option<u64>,

    /// How long it may take; if all inputs would take longer, a sample is used; `none` for as long as it takes
    #[arg(long, global = true, value_name = "TIME",
          default_value = "60s", value_parser = budget, allow_hyphen_values = true)]
    pub(crate) budget: Budget,

    /// Leave this field of the outputs out when results are compared (a.b is the b in a); may be repeated
    #[arg(long, global = true, value_name = "FIELD")]
    pub(crate) ignore: Vec<String>,
}
