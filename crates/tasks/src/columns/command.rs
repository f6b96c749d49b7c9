//! The task `columns` by name: an input is the path of a file, or the name of a part of one.

use triway_core::{Failure, Model};
use triway_memory::Blob;

use super::{Columns, Found, Part, Table};
use crate::command::{CommandTask, Lanes, Preferred};

impl CommandTask for Columns {
    const NAME: &'static str = "columns";
    const INPUT: &'static str = "a CSV, Parquet or Arrow IPC file";
    const DOES: &'static str = "filters its rows and gives count, sum, avg, min, max of a column";
    const VARYING: &'static [&'static str] = &[];

    fn preferred() -> Preferred {
        Preferred {
            model: Model::Threads,
            lanes: Lanes::Processors,
            timeout: None,
            retries: 0,
        }
    }

    fn remark(&self, model: Model) -> Option<&'static str> {
        (model == Model::Async).then_some(
            "columns never waits for what could be awaited: under async, each input holds a runtime thread until it is \
             done",
        )
    }

    /// A path is any bytes, white space at its ends included.
    fn parse(&self, bytes: &[u8]) -> Result<Table, Failure> {
        if bytes.is_empty() {
            return Err(Failure::bad_input("the input is empty; it is to be a path"));
        }
        if bytes.contains(&0) {
            return Err(Failure::bad_input("no path has a NUL byte in it"));
        }
        Ok(Table::Part(Part::parse(bytes)))
    }

    fn parse_lent(&self, name: &[u8], bytes: &Blob) -> Result<Table, Failure> {
        Ok(Table::Memory {
            name: String::from_utf8_lossy(name).into(),
            bytes: bytes.clone(),
        })
    }

    fn addable(&self, output: &Found) -> Option<Vec<u8>> {
        output.to_bytes()
    }
}
