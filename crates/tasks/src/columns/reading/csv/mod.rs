//! CSV: a header, then records, read block by block, so that a file of any size takes the memory of a few blocks.

mod faults;
mod head;
mod records;
mod values;

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    ops::Range,
    os::unix::fs::FileExt as _,
};

use arrow_schema::SchemaRef;
use flate2::read::MultiGzDecoder;
use triway_core::Failure;

pub(in crate::columns) use self::records::{Fault, Found, Records};
use self::{
    faults::{BINARY, at_row, of_row, ragged, unreadable},
    head::{Head, read},
    values::Building,
};
use crate::columns::{column::Batch, kinds, options::CsvOptions, part::Extent};

/// How much is read at once: enough that nothing else costs much, and little enough to stay in a cache.
const BLOCK_BYTES: usize = 256 << 10;

/// A file whose header was read and whose columns have their types.
pub(in crate::columns) struct Opened {
    from: Box<dyn Read + Send>,
    gzip: bool,
    head: Head,
    options: CsvOptions,
    first_row: u64,
}

/// Rows on their way.
pub(in crate::columns) struct Reader {
    from: Box<dyn Read + Send>,
    gzip: bool,
    block: Vec<u8>,
    records: Records,
    options: CsvOptions,
    /// The fields that are needed, in their order.
    columns: Vec<Building>,
    fields: usize,
    /// The number of the next record.
    row: u64,
    is_at_end: bool,
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
        let head = Head::read(&mut plain(copy, gzip), &options, gzip)?;
        let (range, first_row) = match extent {
            Extent::Whole => (head.bytes..u64::MAX, 1),
            Extent::Bytes { range, row } if !gzip => {
                check_part(&file, range, head.bytes)?;
                (range.clone(), *row)
            }
            _ => return Err(kinds::no_such_part()),
        };
        file.seek(SeekFrom::Start(if gzip { 0 } else { range.start }))
            .map_err(unreadable)?;
        let mut from = plain(file, gzip);
        if gzip {
            let header = &mut from.by_ref().take(range.start);
            io::copy(header, &mut io::sink()).map_err(unreadable)?;
        } else {
            from = Box::new(from.take(range.end.saturating_sub(range.start)));
        }
        Ok(Self {
            from,
            gzip,
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
            gzip: self.gzip,
            block: vec![0; BLOCK_BYTES],
            records: Records::new(self.options.delimiter()),
            options: self.options,
            row: self.first_row,
            is_at_end: false,
        })
    }
}

impl Reader {
    /// The rows of the next block; of several if one has no end of a record.
    pub(super) fn next(&mut self) -> Result<Option<Batch>, Failure> {
        let first = self.row;
        while self.row == first && !self.is_at_end {
            let read = read(&mut self.from, &mut self.block);
            let read = read.map_err(|error| unreadable(&error, self.gzip))?;
            self.is_at_end = read == 0;
            if self.is_at_end {
                let last = self.records.finish();
                self.see(last.map_err(|fault| at_row(self.row, fault.message()))?)?;
            } else {
                self.parse(read)?;
            }
        }
        let rows = usize::try_from(self.row - first).unwrap_or(usize::MAX);
        let columns = self.columns.iter_mut().map(Building::finish);
        Ok((rows > 0).then(|| Batch {
            rows,
            columns: columns.collect(),
        }))
    }

    /// Takes so many bytes of the block.
    fn parse(&mut self, read: usize) -> Result<(), Failure> {
        let binary = memchr::memchr(0, &self.block[..read]);
        let (mut at, end) = (0, binary.unwrap_or(read));
        while at < end {
            let step = self.records.step(&self.block[at..end]);
            let (taken, found) = step.map_err(|fault| at_row(self.row, fault.message()))?;
            at += taken;
            self.see(found)?;
        }
        match binary {
            Some(_) => Err(at_row(self.row, BINARY)),
            None => Ok(()),
        }
    }

    /// Gives the needed fields of a record to their columns.
    #[inline]
    fn see(&mut self, found: Found) -> Result<(), Failure> {
        match found {
            Found::Nothing => return Ok(()),
            // A line with nothing in it is no record, unless a record is one field, which may be missing.
            Found::Blank if self.fields > 1 => return Ok(()),
            Found::Blank => self.columns.iter_mut().for_each(Building::push_nothing),
            Found::Record => {
                if self.records.len() != self.fields {
                    return Err(ragged(self.row, self.records.len(), self.fields));
                }
                for column in &mut self.columns {
                    let field = self.records.field(column.place());
                    let pushed = column.push(field, &self.options);
                    pushed.map_err(|failure| of_row(self.row, failure))?;
                }
            }
        }
        self.row += 1;
        Ok(())
    }
}

/// Refuses a part that cannot be one of this file: each begins and ends with a line.
fn check_part(file: &File, range: &Range<u64>, header: u64) -> Result<(), Failure> {
    let metadata = file.metadata().map_err(|error| kinds::unreadable(&error))?;
    let there = metadata.len();
    if range.start < header || range.start > range.end || range.end > there {
        return Err(kinds::beyond("bytes", there));
    }
    for at in [range.start, range.end] {
        let mut before = [0];
        let read = file.read_exact_at(&mut before, at - 1);
        read.map_err(|error| kinds::unreadable(&error))?;
        if at < there && !b"\n\r".contains(&before[0]) {
            return Err(kinds::bad_file(format!(
                "no line ends before byte {at}: it is another file than the one that was split"
            )));
        }
    }
    Ok(())
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
