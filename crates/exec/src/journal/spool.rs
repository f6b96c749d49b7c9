//! Inputs that were compared with a journal and wait for the comparison to end: on disk, however many there are.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _},
};

const BUFFER_BYTES: usize = 1 << 16;

/// Takes inputs down.
#[derive(Debug)]
pub(super) struct Spool {
    to: BufWriter<File>,
}

/// Gives them back in their order.
#[derive(Debug)]
pub(super) struct Spooled {
    from: BufReader<File>,
    input: Vec<u8>,
}

impl Spool {
    /// In a file that nobody sees and that goes with this process.
    pub(super) fn new() -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        Ok(Self {
            to: BufWriter::with_capacity(BUFFER_BYTES, file),
        })
    }

    /// Takes down an input, as its codec wrote it.
    pub(super) fn push(&mut self, input: &[u8]) -> io::Result<()> {
        let length = input.len() as u64;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(input)
    }

    /// Begins to give them back.
    pub(super) fn finish(self) -> io::Result<Spooled> {
        let mut file = self
            .to
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Spooled {
            from: BufReader::with_capacity(BUFFER_BYTES, file),
            input: Vec::new(),
        })
    }
}

impl Spooled {
    /// The next input; `None` after the last.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let mut length = [0; 8];
        match self.from.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
        self.input.resize(length, 0);
        self.from.read_exact(&mut self.input)?;
        Ok(Some(&self.input))
    }
}
