//! CSV: a header, then records, read block by block, so that a file of any size takes the memory of a few blocks.
//!
//! The parser is our own. In most files nothing is quoted, and then a record is what two calls of `memchr` find; general
//! parsers pay for quotes at every byte. Quoted records take a slower way, by the rules of RFC 4180.

mod block;
mod faults;
mod head;
mod record;
mod values;

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
};

use arrow_schema::SchemaRef;
use flate2::read::MultiGzDecoder;
use triway_core::Failure;

pub(in crate::columns) use self::record::record_end;
use self::{
    block::Block,
    faults::{at_row, binary, of_row, ragged, unreadable},
    head::Head,
    values::{Building, Field},
};
use crate::columns::{column::Batch, options::CsvOptions, part::Extent};

/// A file whose header was read and whose columns have their types.
pub(in crate::columns) struct Opened {
    from: Box<dyn Read + Send>,
    head: Head,
    options: CsvOptions,
    first_row: u64,
}

/// Rows on their way.
pub(in crate::columns) struct Reader {
    from: Box<dyn Read + Send>,
    block: Block,
    options: CsvOptions,
    /// The fields that are needed, in their order.
    columns: Vec<Building>,
    fields: usize,
    /// The number of the next record.
    row: u64,
}

impl Opened {
    pub(super) fn new(
        mut file: File,
        gzip: bool,
        extent: &Extent,
        options: CsvOptions,
    ) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| unreadable(&error, gzip);
        let copy = file.try_clone().map_err(unreadable)?;
        let mut start = plain(copy, gzip);
        let head = Head::read(&mut start, &options, gzip)?;
        let (range, first_row) = match extent {
            Extent::Bytes { range, row } => (range.clone(), *row),
            _ => (head.bytes..u64::MAX, 1),
        };
        file.seek(SeekFrom::Start(if gzip { 0 } else { range.start }))
            .map_err(unreadable)?;
        let mut from = plain(file, gzip);
        if gzip {
            let header = &mut from.by_ref().take(range.start);
            io::copy(header, &mut io::sink()).map_err(unreadable)?;
        } else {
            from = Box::new(from.take(range.end - range.start));
        }
        Ok(Self {
            from,
            head,
            options,
            first_row,
        })
    }

    pub(in crate::columns) fn schema(&self) -> SchemaRef {
        self.head.schema.clone()
    }

    /// Where the first record begins.
    pub(in crate::columns) fn header_bytes(&self) -> u64 {
        self.head.bytes
    }

    pub(super) fn read(self, columns: &[usize]) -> Result<Reader, Failure> {
        let fields = self.head.schema.fields();
        let building = |place: &usize| Building::new(*place, &fields[*place]);
        Ok(Reader {
            columns: columns.iter().map(building).collect(),
            fields: fields.len(),
            from: self.from,
            block: Block::default(),
            options: self.options,
            row: self.first_row,
        })
    }
}

impl Reader {
    /// The rows of the next block.
    pub(super) fn next(&mut self) -> Result<Option<Batch>, Failure> {
        let more = self
            .block
            .fill(&mut self.from)
            .map_err(|error| unreadable(&error, true))?;
        if !more {
            return Ok(None);
        }
        let first = self.row;
        while self.parse_block()? == 0 && !self.block.is_at_end() {
            if !self.block.grow() {
                return Err(at_row(
                    self.row,
                    "the record is longer than 64 MiB; is there a quote that is never closed?",
                ));
            }
            self.block
                .fill(&mut self.from)
                .map_err(|error| unreadable(&error, true))?;
        }
        let rows = usize::try_from(self.row - first).unwrap_or(usize::MAX);
        let columns = self.columns.iter_mut().map(Building::finish);
        Ok(Some(Batch {
            rows,
            columns: columns.collect(),
        }))
    }

    /// Takes all whole records of the block and says how many bytes they had.
    fn parse_block(&mut self) -> Result<usize, Failure> {
        let bytes = self.block.bytes();
        if let Some(at) = memchr::memchr(0, bytes) {
            let before = memchr::memchr_iter(b'\n', &bytes[..at]).count() as u64;
            return Err(binary(self.row + before));
        }
        let delimiter = self.options.delimiter();
        let at_end = self.block.is_at_end();
        let mut quote = memchr::memchr(b'"', bytes).unwrap_or(usize::MAX);
        let mut at = 0;
        while at < bytes.len() {
            if quote < at {
                quote = memchr::memchr(b'"', &bytes[at..]).map_or(usize::MAX, |found| at + found);
            }
            let Some(ended) = record_end(bytes, at, quote, delimiter, at_end)
                .map_err(|cause| at_row(self.row, cause))?
            else {
                break;
            };
            let record = &bytes[at..ended.end];
            // A line with nothing in it is no record, unless a record is one field, which may be missing.
            if !record.is_empty() || self.fields == 1 {
                let parsed = match ended.quoted {
                    false => plain_fields(record, delimiter, &mut self.columns, &self.options),
                    true => quoted_fields(record, delimiter, &mut self.columns, &self.options),
                };
                let fields = parsed.map_err(|failure| of_row(self.row, failure))?;
                if fields != self.fields {
                    return Err(ragged(self.row, fields, self.fields));
                }
                self.row += 1;
            }
            at = ended.next;
        }
        self.block.take(at);
        Ok(at)
    }
}

/// Gives the needed fields of a record without quotes to their columns, and counts all.
fn plain_fields(
    record: &[u8],
    delimiter: u8,
    columns: &mut [Building],
    options: &CsvOptions,
) -> Result<usize, Failure> {
    let (mut fields, mut start) = (0, 0);
    let mut columns = columns.iter_mut();
    let mut next = columns.next();
    let ends = memchr::memchr_iter(delimiter, record);
    for end in ends.chain(std::iter::once(record.len())) {
        if let Some(column) = &mut next
            && column.field() == fields
        {
            column.push(Field::Plain(&record[start..end]), options)?;
            next = columns.next();
        }
        (fields, start) = (fields + 1, end + 1);
    }
    Ok(fields)
}

/// The same for a record in which something is quoted.
fn quoted_fields(
    record: &[u8],
    delimiter: u8,
    columns: &mut [Building],
    options: &CsvOptions,
) -> Result<usize, Failure> {
    let mut columns = columns.iter_mut();
    let mut next = columns.next();
    let mut count = 0;
    for field in record::fields(record, delimiter) {
        if let Some(column) = &mut next
            && column.field() == count
        {
            column.push(field, options)?;
            next = columns.next();
        }
        count += 1;
    }
    Ok(count)
}

fn plain(file: File, gzip: bool) -> Box<dyn Read + Send> {
    match gzip {
        true => Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(
            1 << 16,
            file,
        ))),
        false => Box::new(file),
    }
}
