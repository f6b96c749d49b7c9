//! A comparison's inputs, written once into an unlinked file that every trial reads for itself.
//!
//! A record is a length of four bytes and a number of memory files of one byte, little-endian, and the input in postcard.
//! What an input lends ([`triway_memory::Blob`]) is not in the file: trials inherit those memory files as they are, so
//! that it takes no trial any time to have them.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    os::fd::OwnedFd,
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};
use triway_exec::restart::{self, CodecError};
use triway_memory::blob;

use crate::{positioned::Positioned, spread};

const BUFFER_BYTES: usize = 1 << 16;

/// Each is an open file in every process that has the spool; what more inputs lend is written down like all else.
const MOST_LENT: usize = 128;

/// Inputs on disk, in their order. Gone with the last process that holds them.
#[derive(Debug, Clone)]
pub struct Spool {
    file: Arc<File>,
    lent: Arc<Vec<OwnedFd>>,
    inputs: u64,
}

/// What could not be spooled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The temporary file could not be made, written or read.
    #[error(
        "the inputs cannot be kept in a temporary file in {folder}: {0}; set TMPDIR to a directory with room that can \
         be written to",
        folder = std::env::temp_dir().display()
    )]
    File(io::Error),
    /// An input has no serialised form.
    #[error("input {index} cannot be written down for the trials: {cause}")]
    Input {
        /// Which input.
        index: u64,
        /// What the serialiser says.
        cause: CodecError,
    },
}

/// By hand, because what a message already says must not be its source as well: it would be told twice.
impl From<io::Error> for SpoolError {
    fn from(cause: io::Error) -> Self {
        Self::File(cause)
    }
}

impl Spool {
    /// Writes down all inputs.
    ///
    /// # Errors
    /// The disk is full, or an input cannot be serialised.
    pub fn of<I: Serialize>(inputs: impl IntoIterator<Item = I>) -> Result<Self, SpoolError> {
        let mut writer = Writer::new()?;
        for input in inputs {
            writer.push(&input)?;
        }
        Ok(writer.finish()?)
    }

    /// How many inputs there are.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// A spool of `take` of these inputs, evenly spaced and always the same ones; this one where `take` is no fewer.
    ///
    /// # Errors
    /// The file cannot be read, or the new one not written.
    pub fn sample(&self, take: u64) -> Result<Self, SpoolError> {
        if take >= self.inputs {
            return Ok(self.clone());
        }
        let mut records = Records::new(self.file.clone(), self.lent.clone());
        let mut writer = Writer::new()?;
        let mut wanted = (0..take).map(|position| place(position, take, self.inputs));
        let mut next = wanted.next();
        for index in 0..self.inputs {
            let Some(chosen) = next else { break };
            let Some(record) = records.next()? else { break };
            if index == chosen {
                writer.push_bytes(record.bytes, record.lent()?)?;
                next = wanted.next();
            }
        }
        Ok(writer.finish()?)
    }

    /// A spool of `take` of these inputs in an order of which every beginning is like the whole; see [`spread`].
    ///
    /// # Errors
    /// The file cannot be read, or the new one not written.
    pub(crate) fn spread(&self, take: u64) -> Result<Self, SpoolError> {
        let mut records = Records::new(self.file.clone(), self.lent.clone());
        let mut wanted = Vec::new();
        for position in spread::positions(self.inputs) {
            let at = records.at();
            if records.next()?.is_none() {
                break;
            }
            if position < take {
                wanted.push((position, at));
            }
        }
        wanted.sort_unstable_by_key(|(position, _)| *position);
        let mut writer = Writer::new()?;
        for (_, at) in wanted {
            if let Some(record) = records.read_at(at)? {
                writer.push_bytes(record.bytes, record.lent()?)?;
            }
        }
        Ok(writer.finish()?)
    }

    /// The file, for a trial to inherit.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// The memory files that go with it, in their order.
    pub(crate) fn lent(&self) -> &[OwnedFd] {
        &self.lent
    }
}

/// Where the input at `position` of a sample of `take` stands among all `of` inputs.
#[must_use]
pub fn place(position: u64, take: u64, of: u64) -> u64 {
    if take == 0 || take >= of {
        return position;
    }
    let place = u128::from(position) * u128::from(of) / u128::from(take);
    u64::try_from(place).unwrap_or(u64::MAX)
}

/// Writes inputs one after the other.
pub(crate) struct Writer {
    out: BufWriter<File>,
    lent: Vec<OwnedFd>,
    scratch: Vec<u8>,
    inputs: u64,
}

impl Writer {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            out: BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile()?),
            lent: Vec::new(),
            scratch: Vec::new(),
            inputs: 0,
        })
    }

    pub(crate) fn push<I: Serialize>(&mut self, input: &I) -> Result<(), SpoolError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let index = self.inputs;
        let room = (MOST_LENT - self.lent.len()).min(usize::from(u8::MAX));
        let (bytes, lent) = blob::collecting(room, || restart::append(input, scratch));
        let bytes = bytes.map_err(|cause| SpoolError::Input { index, cause })?;
        self.push_bytes(&bytes, lent)?;
        self.scratch = bytes;
        Ok(())
    }

    pub(crate) fn finish(self) -> io::Result<Spool> {
        let inputs = self.inputs;
        let file = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok(Spool {
            file: Arc::new(file),
            lent: Arc::new(self.lent),
            inputs,
        })
    }

    fn push_bytes(&mut self, bytes: &[u8], lent: Vec<OwnedFd>) -> io::Result<()> {
        let length = u32::try_from(bytes.len())
            .map_err(|_| io::Error::other("an input of more than 4 GiB cannot be spooled"))?;
        let count = u8::try_from(lent.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&[count])?;
        self.lent.extend(lent);
        self.out.write_all(bytes)?;
        self.inputs += 1;
        Ok(())
    }
}

/// Reads records back, one at a time, whoever else reads the same file.
#[derive(Debug)]
pub(crate) struct Records {
    from: BufReader<Positioned>,
    at: At,
    lent: Arc<Vec<OwnedFd>>,
    record: Vec<u8>,
}

/// Where a record is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct At {
    offset: u64,
    /// How many memory files belong to the records before it.
    taken: usize,
}

/// An input in its serialised form, and the memory files of what it lends.
pub(crate) struct Record<'a> {
    pub(crate) bytes: &'a [u8],
    lent: &'a [OwnedFd],
}

impl Record<'_> {
    fn lent(&self) -> io::Result<Vec<OwnedFd>> {
        self.lent.iter().map(OwnedFd::try_clone).collect()
    }
}

impl Records {
    pub(crate) fn new(file: Arc<File>, lent: Arc<Vec<OwnedFd>>) -> Self {
        Self {
            from: BufReader::with_capacity(BUFFER_BYTES, Positioned::new(file)),
            at: At::default(),
            lent,
            record: Vec::new(),
        }
    }

    /// Where the next input is.
    fn at(&self) -> At {
        self.at
    }

    /// The input that is there, in its serialised form; the next one is the one after it.
    fn read_at(&mut self, at: At) -> io::Result<Option<Record<'_>>> {
        self.from.seek(SeekFrom::Start(at.offset))?;
        self.at = at;
        self.next()
    }

    /// The next input in its serialised form; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        let mut head = [0; 5];
        match self.from.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let [a, b, c, d, count] = head;
        self.record
            .resize(u32::from_le_bytes([a, b, c, d]) as usize, 0);
        self.from.read_exact(&mut self.record)?;
        let first = self.at.taken;
        self.at.taken += usize::from(count);
        self.at.offset += (head.len() + self.record.len()) as u64;
        let lent = self.lent.get(first..self.at.taken);
        Ok(Some(Record {
            bytes: &self.record,
            lent: lent.ok_or_else(|| io::Error::other("a memory file is missing"))?,
        }))
    }

    /// The next input itself; `None` at the end.
    pub(crate) fn next_input<I: DeserializeOwned>(&mut self) -> io::Result<Option<I>> {
        let Some(record) = self.next()? else {
            return Ok(None);
        };
        let input = blob::lending(record.lent()?, || postcard::from_bytes(record.bytes));
        input.map(Some).map_err(|cause| {
            io::Error::other(format!(
                "an input does not read back as it was written ({cause}): its Serialize and Deserialize disagree"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use triway_memory::Blob;

    use super::*;

    fn contents(spool: &Spool) -> Vec<String> {
        let mut records = Records::new(spool.file.clone(), spool.lent.clone());
        std::iter::from_fn(|| records.next_input().unwrap()).collect()
    }

    fn numbers(n: u64) -> Vec<String> {
        (0..n).map(|n| n.to_string()).collect()
    }

    #[test]
    fn inputs_read_back_as_often_as_wanted() {
        let inputs = ["".to_owned(), "é\0\n".to_owned(), "x".repeat(200_000)];
        let spool = Spool::of(&inputs).unwrap();
        assert_eq!(spool.inputs(), 3);
        for _ in 0..2 {
            assert_eq!(contents(&spool), inputs);
        }
        assert_eq!(contents(&Spool::of::<String>([]).unwrap()), numbers(0));
    }

    #[test]
    fn what_inputs_lend_is_lent_on_and_not_written_down() {
        let blobs: Vec<Blob> = (0..20u8).map(|n| vec![n; 100_000].into()).collect();
        let spool = Spool::of(&blobs).unwrap();
        assert!(spool.file.metadata().unwrap().len() < 1000);
        for (take, expected) in [(20, vec![0, 1, 2]), (4, vec![0, 5, 10])] {
            let sample = spool.sample(take).unwrap();
            let mut records = Records::new(sample.file.clone(), sample.lent.clone());
            for n in expected {
                let blob: Blob = records.next_input().unwrap().unwrap();
                assert_eq!(*blob, [n; 100_000]);
            }
        }
    }

    #[test]
    fn more_than_can_be_lent_is_written_down() {
        let blobs: Vec<Blob> = (0..=MOST_LENT).map(|_| vec![7; 100_000].into()).collect();
        let spool = Spool::of(&blobs).unwrap();
        assert_eq!(spool.lent.len(), MOST_LENT);
        let mut records = Records::new(spool.file.clone(), spool.lent.clone());
        let read = std::iter::from_fn(|| records.next_input::<Blob>().unwrap());
        assert!(read.eq(blobs));
    }

    #[test]
    fn samples_are_evenly_spaced_and_say_where_they_came_from() {
        for (take, of) in [
            (0, 10),
            (1, 10),
            (3, 10),
            (7, 10),
            (10, 10),
            (20, 10),
            (5, 1000),
        ] {
            let sample = Spool::of(numbers(of)).unwrap().sample(take).unwrap();
            let expected: Vec<String> = (0..take.min(of))
                .map(|position| place(position, take, of).to_string())
                .collect();
            assert_eq!(contents(&sample), expected, "{take} of {of}");
            assert_eq!(sample.inputs(), take.min(of));
        }
        assert_eq!(place(3, 4, u64::MAX), u64::MAX / 4 * 3 + 2);
    }

    #[test]
    fn spread_out_inputs_are_those_that_their_order_names() {
        for (take, of) in [(0, 10), (1, 10), (7, 10), (10, 10), (20, 10), (5, 1000)] {
            let spool = Spool::of(numbers(of)).unwrap().spread(take).unwrap();
            let expected: Vec<String> = (0..take.min(of))
                .map(|position| spread::place(position, of).to_string())
                .collect();
            assert_eq!(contents(&spool), expected, "{take} of {of}");
        }
        let blobs: Vec<Blob> = (0..20u8).map(|n| vec![n; 100_000].into()).collect();
        let spool = Spool::of(&blobs).unwrap().spread(3).unwrap();
        let mut records = Records::new(spool.file.clone(), spool.lent.clone());
        for position in 0..3 {
            let blob: Blob = records.next_input().unwrap().unwrap();
            assert_eq!(u64::from(blob[0]), spread::place(position, 20));
        }
    }

    #[test]
    fn an_input_that_reads_as_something_else_is_an_error() {
        let spool = Spool::of([300_u64]).unwrap();
        let read = Records::new(spool.file.clone(), spool.lent.clone()).next_input::<Vec<u64>>();
        assert!(read.unwrap_err().to_string().contains("does not read back"));
    }
}
