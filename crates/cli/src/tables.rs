//! What the options of `columns` mean: the question, and the files it is put to.

use anyhow::{Context as _, anyhow};
use triway_memory::Blob;
use triway_tasks::columns::{Columns, CsvOptions, Predicate, generate};

use crate::{
    arguments::ColumnsArguments,
    exit::Fault,
    inputs::{Inputs, Split},
};

/// The embedded example: so many batches of so many numbers.
const EXAMPLE_BATCHES: u64 = 8;
const EXAMPLE_ROWS: u64 = 1_000_000;
const EXAMPLE_COLUMN: &str = "x";
const EXAMPLE_PREDICATE: &str = "x > 50";

/// A question, its files, and what to tell about them.
pub(crate) struct Tables {
    pub(crate) task: Columns,
    pub(crate) inputs: Inputs,
    pub(crate) note: Option<String>,
}

/// Makes of the arguments what they mean.
pub(crate) fn tables(arguments: ColumnsArguments) -> Result<Tables, Fault> {
    let ColumnsArguments {
        files,
        values,
        files_from,
        split,
        column,
        predicate,
        delimiter,
        null,
        typed_rows,
        total: _,
    } = arguments;
    let mut csv = CsvOptions::default();
    csv.delimiter = delimiter;
    csv.nulls = null;
    csv.typed_rows = typed_rows.get();
    let split = split.map(|size| Split {
        size,
        csv: csv.clone(),
    });
    match Inputs::tables(files, values, files_from, split)? {
        Some(inputs) => {
            let column = column.ok_or_else(|| {
                Fault::usage(anyhow!(
                    "whose figures are wanted? Say it with --column NAME"
                ))
            })?;
            Ok(Tables {
                task: Columns::new(column, predicate.unwrap_or_default(), csv),
                inputs,
                note: None,
            })
        }
        None => example(column, predicate, csv),
    }
}

/// Numbers in shared memory, from where worker processes have them without a copy.
fn example(
    column: Option<String>,
    predicate: Option<Predicate>,
    csv: CsvOptions,
) -> Result<Tables, Fault> {
    let shown = match &predicate {
        Some(_) => "as --where says",
        None => EXAMPLE_PREDICATE,
    };
    let note = format!(
        "no inputs given: {EXAMPLE_BATCHES} batches of a million whole numbers x in shared memory, {shown}"
    );
    let predicate = match predicate {
        Some(predicate) => predicate,
        None => EXAMPLE_PREDICATE.parse().map_err(Fault::usage)?,
    };
    let batch = |number| -> Result<_, Fault> {
        let bytes = generate::numbers(number, EXAMPLE_ROWS);
        let blob = bytes.and_then(|bytes| Blob::shared(&bytes));
        let blob = blob
            .context("the embedded example")
            .map_err(Fault::could_not_run)?;
        Ok((format!("example batch {}", number + 1), blob))
    };
    let batches = (0..EXAMPLE_BATCHES).map(batch).collect::<Result<_, _>>()?;
    Ok(Tables {
        task: Columns::new(
            column.unwrap_or_else(|| EXAMPLE_COLUMN.to_owned()),
            predicate,
            csv,
        ),
        inputs: Inputs::lent(batches).repeatable(),
        note: Some(note),
    })
}
