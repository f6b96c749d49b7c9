//! What a destination is written to, piece by piece, and what is done about a piece that did not fit.

use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
};

use crate::people::Screen;

/// A place that takes bytes. Nothing is kept back: what it took has left this program.
pub(crate) enum Target {
    /// A file, a pipe or a device.
    File(File),
    /// A terminal on which a progress bar may stand.
    Terminal(File, Screen),
    /// Standard error, above the progress bar.
    Above(Screen),
}

/// A piece was written in part or not at all.
#[derive(Debug)]
pub(crate) struct Torn {
    /// How many bytes of it were written.
    pub(crate) written: usize,
    /// Why not all.
    pub(crate) cause: io::Error,
}

impl Target {
    /// Writes a piece. May block.
    ///
    /// # Errors
    /// Not all of it could be written.
    pub(crate) fn write(&mut self, piece: &[u8]) -> Result<(), Torn> {
        match self {
            Self::File(file) => write(file, piece),
            Self::Terminal(file, screen) => screen.without_bar(|| write(file, piece)),
            Self::Above(screen) => screen
                .write(piece)
                .map_err(|cause| Torn { written: 0, cause }),
        }
    }

    /// Takes back the last bytes that were written, and says whether that could be done: only a plain file that nobody
    /// else has written to since gives anything back.
    pub(crate) fn take_back(&mut self, bytes: usize) -> bool {
        let Self::File(file) = self else {
            return false;
        };
        cut(file, bytes as u64).unwrap_or(false)
    }
}

/// As `write_all`, but on failure it is known how much was written.
fn write(file: &mut File, piece: &[u8]) -> Result<(), Torn> {
    let mut written = 0;
    while written < piece.len() {
        let cause = match file.write(&piece[written..]) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(bytes) => {
                written += bytes;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        return Err(Torn { written, cause });
    }
    Ok(())
}

fn cut(file: &mut File, bytes: u64) -> io::Result<bool> {
    let metadata = file.metadata()?;
    if !metadata.is_file() || file.stream_position()? != metadata.len() {
        return Ok(false);
    }
    let Some(rest) = metadata.len().checked_sub(bytes) else {
        return Ok(false);
    };
    file.set_len(rest)?;
    file.seek(SeekFrom::Start(rest))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_plain_file_gives_back_what_was_written_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut target = Target::File(File::create(&path).unwrap());
        target.write(b"whole to").unwrap();
        assert!(target.take_back(2));
        assert!(!target.take_back(100), "there is not so much");
        target.write(b"!").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole !");
    }

    #[test]
    fn nothing_is_taken_from_what_others_write_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut target = Target::File(File::create(&path).unwrap());
        target.write(b"ours").unwrap();
        let mut other = File::options().append(true).open(&path).unwrap();
        other.write_all(b"theirs").unwrap();
        assert!(!target.take_back(2));
        assert_eq!(fs::read(&path).unwrap(), b"ourstheirs");
        let (_reader, writer) = io::pipe().unwrap();
        let writer = File::from(std::os::fd::OwnedFd::from(writer));
        assert!(!Target::File(writer).take_back(0));
    }

    #[test]
    fn a_full_device_says_how_little_it_took() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let torn = Target::File(full).write(b"text").unwrap_err();
        assert_eq!(torn.written, 0);
        assert_eq!(torn.cause.kind(), io::ErrorKind::StorageFull);
    }
}
