//! The options of `sql`.

use std::path::PathBuf;

use clap::Args;
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

    /// Where: sqlite:FILE, postgres://[USER@]HOST[:PORT]/NAME, or env:VARIABLE that has one of them
    #[arg(long, value_name = "DATABASE")]
    pub(crate) db: Option<String>,

    /// SQLite: let rows that are there at the same time share a commit; each is told when it is on disk
    #[arg(long)]
    pub(crate) group: bool,

    /// A script to execute before, all of it or nothing; it may make the database. Not again with --resume
    #[arg(long, value_name = "FILE.sql")]
    pub(crate) setup: Option<PathBuf>,

    /// A query whose rows are told after; it changes nothing
    #[arg(long, value_name = "QUERY")]
    pub(crate) verify: Option<Statement>,
}
