//! One frame of a journal: a head, which can be told from anything else by itself, and a body.
//!
//! The head has sixteen bytes, little-endian: the length of the body, how far back the frame's group begins, the
//! checksum of the body, the checksum of the head's own first twelve bytes. Both are xxh3 with a seed made of the
//! journal's salt and the frame's place, so that nothing that was written elsewhere, in this journal or another, passes
//! for a frame.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How long a head is.
pub(super) const HEAD_BYTES: usize = 16;

/// The longest body. No head that says more was ever written.
pub(super) const MOST_BYTES: usize = 1 << 30;

/// Where a frame stands, and in which journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub salt: u64,
    pub offset: u64,
}

/// What a head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes of the body.
    pub length: usize,
    /// Where those frames began that were not known to be on disk when this one was written.
    pub group: u64,
    body: u32,
}

impl Place {
    fn checksum(self, bytes: &[u8]) -> u32 {
        let sum = xxh3_64_with_seed(bytes, self.salt ^ self.offset.rotate_left(17));
        // Half of it is enough to tell damage.
        u32::try_from(sum >> 32).unwrap_or_default()
    }
}

impl Head {
    /// The head that stands at the beginning of `bytes`, if one does.
    pub(super) fn read(bytes: &[u8], place: Place) -> Option<Self> {
        let head = bytes.first_chunk::<HEAD_BYTES>()?;
        if place.checksum(&head[..12]) != number(head, 12) {
            return None;
        }
        let length = usize::try_from(number(head, 0)).ok()?;
        let back = u64::from(number(head, 4));
        (length <= MOST_BYTES).then_some(Self {
            length,
            group: place.offset.saturating_sub(back),
            body: number(head, 8),
        })
    }

    /// Whether this is the body that was written under this head.
    pub(super) fn matches(&self, body: &[u8], place: Place) -> bool {
        place.checksum(body) == self.body
    }
}

/// Makes room for a head; the body follows it.
pub(super) fn begin(into: &mut Vec<u8>) {
    into.extend([0; HEAD_BYTES]);
}

/// Fills in the head of the frame that begins at `start` and ends with `frames`, which themselves will stand in the
/// file from `group` on.
pub(super) fn seal(frames: &mut [u8], start: usize, salt: u64, group: u64, back: bool) {
    let place = Place {
        salt,
        offset: group + start as u64,
    };
    let (head, body) = frames[start..].split_at_mut(HEAD_BYTES);
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let back = if back { start } else { 0 };
    head[0..4].copy_from_slice(&length.to_le_bytes());
    head[4..8].copy_from_slice(&u32::try_from(back).unwrap_or(0).to_le_bytes());
    head[8..12].copy_from_slice(&place.checksum(body).to_le_bytes());
    let sum = place.checksum(&head[..12]);
    head[12..16].copy_from_slice(&sum.to_le_bytes());
}

fn number(head: &[u8; HEAD_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_only_where_it_was_written() {
        let mut frames = vec![0; 3];
        begin(&mut frames);
        frames.extend(b"body");
        seal(&mut frames, 3, 7, 100, true);
        let read = |salt, offset| {
            let place = Place { salt, offset };
            let head = Head::read(&frames[3..], place)?;
            head.matches(&frames[3 + HEAD_BYTES..], place)
                .then_some(head)
        };
        let head = read(7, 103).unwrap();
        assert_eq!((head.length, head.group), (4, 100));
        for (salt, offset) in [(7, 102), (7, 0), (6, 103)] {
            assert_eq!(read(salt, offset), None);
        }
    }
}
