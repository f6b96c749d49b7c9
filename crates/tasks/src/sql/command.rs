//! The task `sql` by name: an input is a JSON object.

use std::time::Duration;

use triway_core::{Failure, Model};

use super::{Row, Sql};
use crate::command::{CommandTask, Lanes, Preferred};

impl CommandTask for Sql {
    const NAME: &'static str = "sql";
    const INPUT: &'static str = "a row, as a JSON object";
    const DOES: &'static str = "executes a statement with its values, in a transaction of its own";
    const VARYING: &'static [&'static str] = &[];

    fn preferred() -> Preferred {
        Preferred {
            model: Model::Threads,
            lanes: Lanes::Processors,
            timeout: Some(Duration::from_secs(60)),
            retries: 0,
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Row, Failure> {
        Row::parse(bytes)
    }
}
