//! What a verb that measures has found, in the one form that every output format can write: kinds of findings meet
//! formats here and nowhere else.

mod advice;
mod cells;
mod chart;
mod comparison;
pub(crate) mod how;
mod overhead;
mod sheet;
mod sweep;

use std::io::{self, Write};

use serde::Serialize;

pub(crate) use self::{
    chart::{Bar, Chart, Curve, Span, Spread},
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
    fn charts(&self) -> Vec<Chart>;

    /// What was measured, in a few words, such as `compare http`: the title of a page.
    fn title(&self) -> String;

    /// What was found, in a sentence: the last remark of the sheet, unless there is a better one.
    fn verdict(&self) -> String {
        self.sheet().remarks.pop().unwrap_or_default()
    }

    /// How it was measured, as names and values: the machine, options, rounds. [`how`] writes what several have.
    fn how(&self) -> Vec<(&'static str, String)>;
}

/// Writes what has a serialised form.
fn write_json(found: &impl Serialize, pretty: bool, to: &mut dyn Write) -> io::Result<()> {
    match pretty {
        true => serde_json::to_writer_pretty(&mut *to, found)?,
        false => serde_json::to_writer(&mut *to, found)?,
    }
    to.write_all(b"\n")
}
