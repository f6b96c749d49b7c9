//! The task `columns`: filters the rows of a file and gives count, sum, average, least and greatest of a column.

mod aggregate;
mod class;
mod column;
mod command;
mod found;
pub mod generate;
mod instant;
pub mod kinds;
mod mask;
mod options;
mod part;
mod predicate;
mod reading;
mod schema;
mod split;
#[cfg(test)]
mod tests;
mod whole;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, FailureKind, Forms, Task};

use self::{
    aggregate::Aggregate,
    class::Class,
    column::Batch,
    mask::{CHUNK, fill, keep_valid},
    predicate::Bound,
    reading::{Opened, Reader},
};
pub use self::{
    found::{Figure, Found},
    options::CsvOptions,
    part::{Extent, Part, Table},
    predicate::{Predicate, PredicateError},
    split::{Parts, Size},
};

/// What is asked of each file.
///
/// `count` rows match and have a value in the column, `rows` were looked at. Whole numbers add up exactly; floats do, too,
/// and their sum is rounded once, so it is the same in every order and for every split. Not-a-number counts as greater
/// than all other numbers and equal to itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    column: String,
    predicate: Predicate,
    csv: CsvOptions,
}

impl Columns {
    /// Asks for the figures of a column, of the rows that match.
    #[must_use]
    pub fn new(column: impl Into<String>, predicate: Predicate, csv: CsvOptions) -> Self {
        Self {
            column: column.into(),
            predicate,
            csv,
        }
    }

    fn find(&self, table: &Table, context: &Context<'_>) -> Result<Found, Failure> {
        let opened = Opened::new(table, &self.csv)?;
        let schema = opened.schema();
        let (column, field) = schema::column(&schema, &self.column)?;
        let class = Class::of(field.data_type()).ok_or_else(|| {
            Failure::permanent(
                kinds::WRONG_TYPE,
                format!(
                    "the column `{}` is of type {}, of which there are no figures",
                    self.column,
                    field.data_type()
                ),
            )
        })?;
        let bound = Bound::new(&self.predicate, &schema)?;
        let mut needed: Vec<usize> = bound.tests.iter().map(|(column, _)| *column).collect();
        needed.push(column);
        needed.sort_unstable();
        needed.dedup();
        let place = |column: &usize| needed.partition_point(|other| other < column);
        let scan = Scan {
            places: bound
                .tests
                .iter()
                .map(|(column, _)| place(column))
                .collect(),
            of: place(&column),
            bound: &bound,
        };
        scan.all(opened.read(&needed, &bound)?, class, context)
    }
}

/// How batches are filtered and added up.
struct Scan<'a> {
    bound: &'a Bound,
    /// Where in a batch the column of each test stands.
    places: Vec<usize>,
    /// Where the column stands whose figures are wanted.
    of: usize,
}

impl Scan<'_> {
    fn all(
        &self,
        mut reader: Reader,
        class: Class,
        context: &Context<'_>,
    ) -> Result<Found, Failure> {
        let mut aggregate = Aggregate::new(class);
        let mut rows = reader.skipped();
        while let Some(batch) = reader.next()? {
            look(context)?;
            rows += batch.rows as u64;
            self.add(&batch, &mut aggregate);
        }
        let (count, figures) = aggregate.finish();
        Ok(Found::new(rows, count, figures))
    }

    /// A chunk at a time, which is filtered and added up while the nearest cache holds it.
    fn add(&self, batch: &Batch, aggregate: &mut Aggregate) {
        let column = &batch.columns[self.of];
        let mut mask = [0; CHUNK];
        for from in (0..batch.rows).step_by(CHUNK) {
            let mask = &mut mask[..CHUNK.min(batch.rows - from)];
            fill(self.bound, batch, &self.places, from, mask);
            keep_valid(column.valid.as_ref(), from, mask);
            aggregate.add(column, from, mask);
        }
    }
}

impl Task for Columns {
    type Input = Table;
    type Output = Found;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(
        &self,
        (): &mut (),
        input: &Table,
        context: &Context<'_>,
    ) -> Result<Found, Failure> {
        self.find(input, context)
    }

    /// Does the same and holds the thread meanwhile: reading files and adding up never waits for anything that could be
    /// awaited.
    async fn run_async(
        &self,
        (): &mut (),
        input: &Table,
        context: &Context<'_>,
    ) -> Result<Found, Failure> {
        self.find(input, context)
    }

    fn input_bytes(&self, input: &Table) -> usize {
        size_of::<Table>()
            + match input {
                Table::Part(part) => part.path.as_os_str().len(),
                Table::Memory { name, bytes } => name.len() + bytes.len(),
            }
    }
}

/// Whether to go on.
fn look(context: &Context<'_>) -> Result<(), Failure> {
    if context.is_cancelled() {
        return Err(Failure::new(FailureKind::CANCELLED, "the job was aborted"));
    }
    if context.remaining() == Some(Duration::ZERO) {
        return Err(Failure::new(
            FailureKind::TIMEOUT,
            "the file was not read to its end when the attempt's time limit expired",
        ));
    }
    Ok(())
}
