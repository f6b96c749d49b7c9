//! Reads a file, or a part of one, batch by batch: only the columns that are needed, and as little else as can be.

mod arrow;
pub(super) mod csv;
mod kind;
mod parquet;

use std::fs::File;

use arrow_schema::SchemaRef;
use bytes::Bytes;
use rustix::fs::{Mode, OFlags};
use triway_core::Failure;
use triway_memory::Mapped;

pub(super) use self::kind::Kind;
use super::{
    column::Batch,
    kinds,
    options::CsvOptions,
    part::{Extent, Part, Table},
    predicate::Bound,
};

/// A file whose columns are known, and of which no row was read.
pub(super) enum Opened {
    Csv(csv::Opened),
    Parquet(parquet::Opened),
    Arrow(arrow::Opened),
}

/// Rows on their way.
pub(super) enum Reader {
    Csv(Box<csv::Reader>),
    Parquet(parquet::Reader),
    Arrow(arrow::Reader),
}

impl Opened {
    /// Opens what an input names.
    ///
    /// # Errors
    /// The file is not there, cannot be read, or is not what it seems to be.
    pub(super) fn new(table: &Table, options: &CsvOptions) -> Result<Self, Failure> {
        let part = match table {
            Table::Memory { bytes, .. } => {
                let bytes = Bytes::from_owner(bytes.clone());
                return arrow::Opened::new(bytes, &Extent::Whole).map(Self::Arrow);
            }
            Table::Part(part) => part,
        };
        let file = open(part)?;
        Ok(match Kind::of(&part.path, &file)? {
            Kind::Csv { gzip, tabs } => {
                let options = options.of_file(tabs);
                Self::Csv(csv::Opened::new(file, gzip, &part.extent, options)?)
            }
            Kind::Parquet => Self::Parquet(parquet::Opened::new(file, &part.extent)?),
            Kind::Arrow => {
                let mapped = Mapped::open(&file).map_err(|error| kinds::unreadable(&error))?;
                Self::Arrow(arrow::Opened::new(Bytes::from_owner(mapped), &part.extent)?)
            }
        })
    }

    /// The columns it has.
    pub(super) fn schema(&self) -> SchemaRef {
        match self {
            Self::Csv(opened) => opened.schema(),
            Self::Parquet(opened) => opened.schema(),
            Self::Arrow(opened) => opened.schema(),
        }
    }

    /// Begins to read these columns, which stand in rising order. Rows that cannot match may be left out.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(super) fn read(self, columns: &[usize], bound: &Bound) -> Result<Reader, Failure> {
        Ok(match self {
            Self::Csv(opened) => Reader::Csv(Box::new(opened.read(columns)?)),
            Self::Parquet(opened) => Reader::Parquet(opened.read(columns, bound)?),
            Self::Arrow(opened) => Reader::Arrow(opened.read(columns)?),
        })
    }
}

impl Reader {
    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// The file is damaged.
    pub(super) fn next(&mut self) -> Result<Option<Batch>, Failure> {
        match self {
            Self::Csv(reader) => reader.next(),
            Self::Parquet(reader) => reader.next(),
            Self::Arrow(reader) => reader.next(),
        }
    }

    /// How many rows were left out because they cannot match.
    pub(super) fn skipped(&self) -> u64 {
        match self {
            Self::Parquet(reader) => reader.skipped(),
            Self::Csv(_) | Self::Arrow(_) => 0,
        }
    }
}

/// The file of a part, which must be one that has a size.
pub(super) fn open(part: &Part) -> Result<File, Failure> {
    // A pipe that nobody writes to would keep who opens it.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(&part.path, flags, Mode::empty());
    let file = File::from(file.map_err(|error| kinds::unreadable(&error.into()))?);
    let metadata = file.metadata().map_err(|error| kinds::unreadable(&error))?;
    if metadata.is_dir() {
        return Err(kinds::unreadable(&std::io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        let cause = "only plain files can be read; write what a pipe gives into one";
        return Err(Failure::permanent(kinds::UNREADABLE, cause));
    }
    if metadata.len() == 0 {
        return Err(kinds::bad_file("the file is empty"));
    }
    Ok(file)
}
