//! The options of `sql`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use triway_tasks::sql::Statement;

use super::inputs::InputArguments;

/// Options of `sql`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Task")]
pub(crate) struct SqlArguments {
    /// The statement, with parameters such as :name for the values of a row
    #[arg(value_name = "STATEMENT", help_heading = "Task")]
    pub(crate) statement: Option<Statement>,

    #[command(flatten)]
    pub(crate) inputs: InputArguments,

    /// Where: sqlite:FILE
    #[arg(long, value_name = "DATABASE")]
    pub(crate) db: Option<String>,

    /// What an outcome that succeeded survives
    #[arg(long, value_enum, default_value_t = Synced::Full)]
    pub(crate) durability: Synced,

    /// A script to execute before, all of it or nothing; it may make the database
    #[arg(long, value_name = "FILE.sql")]
    pub(crate) setup: Option<PathBuf>,

    /// A query whose rows are told after
    #[arg(long, value_name = "QUERY")]
    pub(crate) verify: Option<Statement>,
}

/// What an outcome that succeeded survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Synced {
    /// A loss of power
    Full,
    /// The end of this program, and of a loss of power what was written some seconds before
    Normal,
}
