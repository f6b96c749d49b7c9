//! Large files in parts: row groups of Parquet, record batches of Arrow, and ranges of CSV that end between records.

use std::{fs::File, num::NonZeroU64, ops::Range, path::Path};

use triway_core::Failure;

use super::{
    kinds,
    options::CsvOptions,
    part::{Extent, Part, Table},
    reading::{
        self, Kind, Opened,
        csv::{Fault, Found, Records},
    },
};

/// About how large a part is, in bytes of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub NonZeroU64);

/// How much of a CSV file is looked at for a place to cut.
const WINDOW_BYTES: usize = 1 << 20;

/// As little is looked at where a part is nearly full; in tests so little that records lie across its end.
const LEAST_WINDOW_BYTES: usize = if cfg!(test) { 16 } else { 1 << 12 };

/// The parts of a file, found while they are asked for.
pub struct Parts(Splitting);

enum Splitting {
    Found(std::vec::IntoIter<Part>),
    Csv(Box<Cutting>),
}

impl Parts {
    /// The parts of a file. One that cannot be split, or not be read, is one part: whoever reads it says why.
    #[must_use]
    pub fn of(path: &Path, size: Size, options: &CsvOptions) -> Self {
        let whole = Part::whole(path);
        Self(split(&whole, size, options).unwrap_or_else(|_| found(vec![whole])))
    }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        match &mut self.0 {
            Splitting::Found(parts) => parts.next(),
            Splitting::Csv(cutting) => cutting.next(),
        }
    }
}

fn found(parts: Vec<Part>) -> Splitting {
    Splitting::Found(parts.into_iter())
}

fn split(whole: &Part, size: Size, options: &CsvOptions) -> Result<Splitting, Failure> {
    let file = reading::open(whole)?;
    let kind = Kind::of(&whole.path, &file)?;
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    if bytes <= size.0.get() || matches!(kind, Kind::Csv { gzip: true, .. }) {
        return Ok(found(vec![whole.clone()]));
    }
    let opened = Opened::new(&Table::Part(whole.clone()), options)?;
    let part = |extent| Part {
        path: whole.path.clone(),
        extent,
    };
    Ok(match opened {
        Opened::Parquet(opened) => {
            let ranges = gathered(opened.group_bytes(), size);
            found(ranges.map(Extent::RowGroups).map(part).collect())
        }
        Opened::Arrow(opened) => {
            let ranges = gathered(opened.batch_bytes(), size);
            found(ranges.map(Extent::Batches).map(part).collect())
        }
        Opened::Csv(opened) => {
            let tabs = matches!(kind, Kind::Csv { tabs: true, .. });
            let at = opened.header_bytes();
            Splitting::Csv(Box::new(Cutting {
                file,
                size,
                delimiter: options.of_file(tabs).delimiter(),
                one_field: opened.schema().fields().len() == 1,
                path: whole.path.clone(),
                at,
                row: 1,
                bytes,
                window: Vec::new(),
            }))
        }
    })
}

/// Neighbours together until they have the size.
fn gathered(sizes: impl Iterator<Item = u64>, size: Size) -> impl Iterator<Item = Range<usize>> {
    let mut sizes = sizes.enumerate().peekable();
    std::iter::from_fn(move || {
        let (first, mut sum) = sizes.next()?;
        let mut end = first + 1;
        while let Some((_, more)) = sizes.next_if(|(_, more)| sum + more <= size.0.get()) {
            (sum, end) = (sum + more, end + 1);
        }
        Some(first..end)
    })
}

/// Cuts a CSV file as it goes: everything in it is looked at once, for quotes and ends of lines.
struct Cutting {
    file: File,
    path: std::path::PathBuf,
    size: Size,
    delimiter: u8,
    one_field: bool,
    /// Where the next part begins, and the number of its first record.
    at: u64,
    row: u64,
    bytes: u64,
    window: Vec<u8>,
}

impl Cutting {
    fn next(&mut self) -> Option<Part> {
        if self.at >= self.bytes {
            return None;
        }
        let (start, row) = (self.at, self.row);
        // What cannot be read or cut further is the last part; whoever reads it says what is wrong.
        while self.at < self.bytes && self.at - start < self.size.0.get() {
            if self.advance(start).is_err() {
                self.at = self.bytes;
            }
        }
        Some(Part {
            path: self.path.clone(),
            extent: Extent::Bytes {
                range: start..self.at,
                row,
            },
        })
    }

    /// Goes over the whole records of the next window, and not far beyond where the part is to end.
    fn advance(&mut self, start: u64) -> Result<(), Failure> {
        use std::os::unix::fs::FileExt as _;
        let left = self.size.0.get().saturating_sub(self.at - start);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX);
        let mut room = wanted.clamp(LEAST_WINDOW_BYTES, WINDOW_BYTES);
        loop {
            self.window.resize(room, 0);
            let read = self.file.read_at(&mut self.window, self.at);
            let read = read.map_err(|error| kinds::unreadable(&error))?;
            let at_end = self.at + read as u64 >= self.bytes;
            let found = self.whole_records(read, at_end);
            let (taken, rows) = found.map_err(|fault| kinds::bad_file(fault.message()))?;
            (self.at, self.row) = (self.at + taken as u64, self.row + rows);
            if taken > 0 {
                return Ok(());
            }
            if at_end || room > 64 << 20 {
                return Err(kinds::bad_file("a record has no end"));
            }
            room *= 2;
        }
    }

    /// How many bytes the whole records of the window have, and how many records these are.
    fn whole_records(&self, read: usize, at_end: bool) -> Result<(usize, u64), Fault> {
        let window = &self.window[..read];
        match memchr::memrchr(b'\n', window) {
            Some(last) if is_plain(window) => {
                let end = if at_end { read } else { last + 1 };
                let rows = memchr::memchr_iter(b'\n', window).count() + usize::from(end > last + 1);
                Ok((end, rows as u64))
            }
            _ => self.counted(window, at_end),
        }
    }

    /// The same, record by record.
    fn counted(&self, window: &[u8], at_end: bool) -> Result<(usize, u64), Fault> {
        let mut records = Records::new(self.delimiter);
        let (mut at, mut rows, mut whole) = (0, 0, (0, 0));
        while at < window.len() {
            let (taken, found) = records.step(&window[at..])?;
            at += taken;
            rows += self.rows(found);
            // The line may go on behind a carriage return.
            let is_ended = match window.get(at) {
                Some(next) => window[at - 1] == b'\n' || *next != b'\n',
                None => window[at - 1] == b'\n',
            };
            if found != Found::Nothing && is_ended {
                whole = (at, rows);
            }
        }
        if at_end {
            whole = (at, rows + self.rows(records.finish()?));
        }
        Ok(whole)
    }

    fn rows(&self, found: Found) -> u64 {
        u64::from(match found {
            Found::Record => true,
            Found::Blank => self.one_field,
            Found::Nothing => false,
        })
    }
}

/// Whether each end of a line in it is the end of a record, and none has nothing in it.
fn is_plain(window: &[u8]) -> bool {
    !window.starts_with(b"\n")
        && memchr::memchr2(b'"', b'\r', window).is_none()
        && memchr::memmem::find(window, b"\n\n").is_none()
}
