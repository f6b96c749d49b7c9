//! A comparison's inputs, written once into an unlinked file that every trial reads for itself.
//!
//! A record is a length of four bytes, little-endian, and the input in postcard.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};
use triway_exec::restart::{self, CodecError};

use crate::positioned::Positioned;

const BUFFER_BYTES: usize = 1 << 16;

/// Inputs on disk, in their order. Gone with the last process that holds them.
#[derive(Debug, Clone)]
pub struct Spool {
    file: Arc<File>,
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
        let mut records = Records::new(self.file.clone());
        let mut writer = Writer::new()?;
        let mut wanted = (0..take).map(|position| place(position, take, self.inputs));
        let mut next = wanted.next();
        for index in 0..self.inputs {
            let Some(chosen) = next else { break };
            let Some(record) = records.next()? else { break };
            if index == chosen {
                writer.push_bytes(record)?;
                next = wanted.next();
            }
        }
        Ok(writer.finish()?)
    }

    /// The file, for a trial to inherit.
    pub(crate) fn file(&self) -> &File {
        &self.file
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
    scratch: Vec<u8>,
    inputs: u64,
}

impl Writer {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            out: BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile()?),
            scratch: Vec::new(),
            inputs: 0,
        })
    }

    pub(crate) fn push<I: Serialize>(&mut self, input: &I) -> Result<(), SpoolError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let index = self.inputs;
        let bytes =
            restart::append(input, scratch).map_err(|cause| SpoolError::Input { index, cause })?;
        self.push_bytes(&bytes)?;
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
            inputs,
        })
    }

    fn push_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len())
            .map_err(|_| io::Error::other("an input of more than 4 GiB cannot be spooled"))?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(bytes)?;
        self.inputs += 1;
        Ok(())
    }
}

/// Reads records back, one at a time, whoever else reads the same file.
#[derive(Debug)]
pub(crate) struct Records {
    from: BufReader<Positioned>,
    record: Vec<u8>,
}

impl Records {
    pub(crate) fn new(file: Arc<File>) -> Self {
        Self {
            from: BufReader::with_capacity(BUFFER_BYTES, Positioned::new(file)),
            record: Vec::new(),
        }
    }

    /// The next input in its serialised form; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let mut length = [0; 4];
        match self.from.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        self.record.resize(u32::from_le_bytes(length) as usize, 0);
        self.from.read_exact(&mut self.record)?;
        Ok(Some(&self.record))
    }

    /// The next input itself; `None` at the end.
    pub(crate) fn next_input<I: DeserializeOwned>(&mut self) -> io::Result<Option<I>> {
        let Some(record) = self.next()? else {
            return Ok(None);
        };
        let input = postcard::from_bytes(record);
        input.map(Some).map_err(|cause| {
            io::Error::other(format!(
                "an input does not read back as it was written ({cause}): its Serialize and Deserialize disagree"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(spool: &Spool) -> Vec<String> {
        let mut records = Records::new(spool.file.clone());
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
    fn an_input_that_reads_as_something_else_is_an_error() {
        let spool = Spool::of([300_u64]).unwrap();
        let read = Records::new(spool.file.clone()).next_input::<Vec<u64>>();
        assert!(read.unwrap_err().to_string().contains("does not read back"));
    }
}
