//! What a journal begins with: which format it is, and what was run.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::frame::{self, HEAD_BYTES, Head, Place};

/// The first line, for people and for `file`.
pub(super) const MAGIC: &[u8] = b"triway journal 3\n";

/// How the first line of any version begins.
const ANY_VERSION: &[u8] = b"triway journal ";

/// No header is longer.
pub(super) const MOST_BYTES: usize = 1 << 16;

/// The first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Makes the checksums and digests of this journal its own.
    pub salt: u64,
    /// The task's name.
    pub task: String,
    /// A digest of the task's configuration, which itself may hold secrets.
    pub fingerprint: u64,
}

/// What the beginning of a file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// A journal, whose records begin at this offset.
    Journal(Header, u64),
    /// The writing of the header was cut off: nothing was recorded.
    Torn,
    /// A header that is not as it was written.
    Damaged,
    /// A journal of a version that nobody here knows.
    OtherVersion,
    /// Something else.
    Foreign,
}

impl Header {
    /// A header for a task with this configuration.
    pub(super) fn new(task: &str, configuration: &[u8]) -> Self {
        let salt = fastrand::u64(..);
        Self {
            salt,
            task: task.to_owned(),
            fingerprint: xxh3_64_with_seed(configuration, salt),
        }
    }

    /// Whether the configuration is the one that the journal was begun with.
    pub(super) fn is_of(&self, configuration: &[u8]) -> bool {
        xxh3_64_with_seed(configuration, self.salt) == self.fingerprint
    }

    /// The bytes that a journal begins with.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, postcard::Error> {
        let mut bytes = MAGIC.to_vec();
        frame::begin(&mut bytes);
        let mut bytes = postcard::to_extend(self, bytes)?;
        frame::seal(&mut bytes, MAGIC.len(), 0, 0, false);
        Ok(bytes)
    }

    /// Reads the beginning of a file, of which `bytes` are the first [`MOST_BYTES`] or all.
    pub(super) fn read(bytes: &[u8]) -> Beginning {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return match bytes {
                _ if MAGIC.starts_with(bytes) => Beginning::Torn,
                _ if bytes.starts_with(ANY_VERSION) => Beginning::OtherVersion,
                _ => Beginning::Foreign,
            };
        };
        if rest.len() < HEAD_BYTES {
            return Beginning::Torn;
        }
        let place = Place {
            salt: 0,
            offset: MAGIC.len() as u64,
        };
        let Some(head) = Head::read(rest, place) else {
            return Beginning::Damaged;
        };
        let Some(body) = rest[HEAD_BYTES..].get(..head.length) else {
            return Beginning::Torn;
        };
        let header = head
            .matches(body, place)
            .then(|| postcard::from_bytes(body));
        match header {
            Some(Ok(header)) => {
                let end = MAGIC.len() + HEAD_BYTES + head.length;
                Beginning::Journal(header, end as u64)
            }
            _ => Beginning::Damaged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_whole_or_torn_or_damaged() {
        let header = Header::new("http", b"configuration");
        assert!(header.is_of(b"configuration") && !header.is_of(b"other"));
        let bytes = header.bytes().unwrap();
        let end = bytes.len() as u64;
        assert_eq!(Header::read(&bytes), Beginning::Journal(header, end));
        for cut in 0..bytes.len() {
            assert_eq!(Header::read(&bytes[..cut]), Beginning::Torn, "{cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let expected = match bit / 8 {
                at if at < ANY_VERSION.len() => Beginning::Foreign,
                at if at < MAGIC.len() => Beginning::OtherVersion,
                _ => Beginning::Damaged,
            };
            assert_eq!(Header::read(&flipped), expected, "{bit}");
        }
        assert_eq!(Header::read(b"https://example.org/\n"), Beginning::Foreign);
    }
}
