//! What a verb that measures has found, in the one form that every output format can write: kinds of findings meet
//! formats here and nowhere else.

mod advice;
mod cells;
mod chart;
mod comparison;
mod overhead;
mod sheet;
mod sweep;

use std::io::{self, Write};

use serde::Serialize;

#[expect(unused_imports, reason = "nobody draws them yet")]
pub(crate) use self::chart::Span;
pub(crate) use self::{
    chart::{Bar, Chart, Curve},
    sheet::{Grid, Heading, Records, Sheet},
};

/// Something that was found by measuring.
pub(crate) trait Found {
    /// All of it as JSON, over several lines if people are to read it as well.
    fn json(&self, pretty: bool, to: &mut dyn Write) -> io::Result<()>;

    /// What people read: tables, and what is to be said below them.
    fn sheet(&self) -> Sheet;

    /// The same as rows of bare values, for spreadsheets and scripts.
    fn records(&self) -> Records;

    /// What a picture shows better.
    #[expect(dead_code, reason = "nobody draws them yet")]
    fn charts(&self) -> Vec<Chart>;
}

/// Writes what has a serialised form.
fn write_json(found: &impl Serialize, pretty: bool, to: &mut dyn Write) -> io::Result<()> {
    match pretty {
        true => serde_json::to_writer_pretty(&mut *to, found)?,
        false => serde_json::to_writer(&mut *to, found)?,
    }
    to.write_all(b"\n")
}
