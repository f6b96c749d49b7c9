//! The options of `columns`, and of the data that `generate columns` makes for it.

use std::{
    ffi::OsString,
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
};

use clap::{Args, Subcommand, ValueEnum};
use triway_tasks::columns::{Predicate, Size};

use super::{
    help,
    job::{positive, whole},
    values,
};

const INPUTS: &str = "Inputs";
const CSV: &str = "CSV";

/// Options of `columns`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Task")]
pub(crate) struct ColumnsArguments {
    /// CSV files (plain or gzip), Parquet files, Arrow IPC files
    #[arg(value_name = "FILE", help_heading = INPUTS)]
    pub(crate) files: Vec<PathBuf>,

    /// Further files, or parts as outcomes name them
    #[arg(last = true, value_name = "INPUT", help_heading = INPUTS)]
    pub(crate) values: Vec<OsString>,

    /// A list of files, one a line; `-` is standard input; may be repeated
    #[arg(long, value_name = "FILE", help_heading = INPUTS)]
    pub(crate) files_from: Vec<PathBuf>,

    /// Split files that are larger into parts of about this size: row groups, record batches, or ranges of rows
    #[arg(long, value_name = "SIZE", help_heading = INPUTS, num_args = 0..=1, require_equals = true,
          default_missing_value = "16MiB", value_parser = part)]
    pub(crate) split: Option<Size>,

    /// The column whose figures are wanted
    #[arg(long, value_name = "NAME")]
    pub(crate) column: Option<String>,

    /// Which rows count: COLUMN OP VALUE, joined by `and`; OP is one of == != < <= > >=, or it says `is null` or
    /// `is not null`
    #[arg(long = "where", value_name = "PREDICATE", allow_hyphen_values = true)]
    pub(crate) predicate: Option<Predicate>,

    /// Write the total over all files to this file too, as one JSON object; `-` is standard output; for run alone
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) total: Option<PathBuf>,

    /// What stands between fields, such as ';' or '\t' [default: a comma; a tab in .tsv]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter, help_heading = CSV)]
    pub(crate) delimiter: Option<u8>,

    /// What stands for a missing value, besides nothing at all; may be repeated
    #[arg(long, value_name = "TEXT", help_heading = CSV)]
    pub(crate) null: Vec<String>,

    /// So many rows decide on the types of the columns
    #[arg(long, value_name = "N", value_parser = positive::<NonZeroUsize>, allow_negative_numbers = true, default_value = "1000",
          help_heading = CSV)]
    pub(crate) typed_rows: NonZeroUsize,
}

/// `triway generate`.
#[derive(Debug, Args)]
#[command(after_help = help::GENERATE)]
pub(crate) struct GenerateArguments {
    /// What to make.
    #[command(subcommand)]
    pub(crate) data: Data,
}

/// What can be made.
#[derive(Debug, Subcommand)]
pub(crate) enum Data {
    /// Files for columns, with the columns x (0 to 99), price (with gaps), kind (a to e) and day
    Columns(GenerateColumnsArguments),
}

/// `triway generate columns`.
#[derive(Debug, Args)]
#[command(after_help = help::GENERATE)]
pub(crate) struct GenerateColumnsArguments {
    /// How many rows each file has
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true, default_value = "1000000")]
    pub(crate) rows: u64,

    /// How many files there are
    #[arg(long, value_name = "K", value_parser = whole::<u64>, allow_negative_numbers = true, default_value = "8")]
    pub(crate) files: u64,

    /// In which form
    #[arg(long, value_enum, default_value_t = DataFormat::Parquet)]
    pub(crate) format: DataFormat,

    /// Where to; made if it is not there
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

/// The forms of generated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataFormat {
    /// Compressed with snappy
    Parquet,
    /// With a header
    Csv,
    /// An Arrow IPC file
    Arrow,
}

fn part(text: &str) -> Result<Size, String> {
    let bytes = NonZeroU64::new(values::size(text)?);
    bytes
        .map(Size)
        .ok_or_else(|| "no part can have nothing in it".to_owned())
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !b"\"\r\n\0".contains(byte) => Ok(*byte),
        _ => Err("write one ASCII character other than a quote or the end of a line".to_owned()),
    }
}
