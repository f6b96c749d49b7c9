//! Reads frames one after the other, and tells a tail that was cut off from damage in the middle.
//!
//! A frame that does not read is the torn end of the journal if nothing follows it that was written later: no head at
//! any later place, or only heads of the very group whose writing was cut off. Otherwise it was whole once, and something
//! has changed it since.

use std::io::{self, Read};

use super::frame::{HEAD_BYTES, Head, Place};

const CHUNK_BYTES: usize = 1 << 18;

/// Frames of any reader that stands at the end of a journal's header.
#[derive(Debug)]
pub(super) struct Reader<R> {
    from: R,
    salt: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the next frame begins.
    start: usize,
    /// Where in the journal it does.
    offset: u64,
    /// How long the frame is that was given last.
    given: usize,
    ended: bool,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// The body of the frame at this offset.
    Frame(u64, &'a [u8]),
    /// Nothing.
    End,
    /// From this offset on what was not written to its end.
    Torn(u64),
}

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The system says so.
    Io(io::Error),
    /// What stands at this offset is not what was written there.
    Damaged(u64),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<R: Read> Reader<R> {
    /// Reads frames of the journal with this salt; `from` stands at `offset`.
    pub(super) fn new(from: R, salt: u64, offset: u64) -> Self {
        Self {
            from,
            salt,
            buffer: Vec::new(),
            start: 0,
            offset,
            given: 0,
            ended: false,
        }
    }

    /// The next frame.
    pub(super) fn next(&mut self) -> Result<Next<'_>, Unreadable> {
        let given = std::mem::take(&mut self.given);
        self.advance(given);
        let left = self.fill(HEAD_BYTES)?;
        if left == 0 {
            return Ok(Next::End);
        }
        let (offset, place) = (self.offset, self.place());
        let Some(head) = Head::read(&self.buffer[self.start..], place) else {
            return self.judge(offset);
        };
        let whole = HEAD_BYTES + head.length;
        if self.fill(whole)? < whole {
            // A head that is right, and the rest of the file is too short for its body.
            return Ok(Next::Torn(offset));
        }
        let body = self.start + HEAD_BYTES..self.start + whole;
        if !head.matches(&self.buffer[body.clone()], place) {
            return self.judge(offset);
        }
        self.given = whole;
        Ok(Next::Frame(offset, &self.buffer[body]))
    }

    /// Whether the frame at `bad`, where the reader stands, was cut off or changed.
    fn judge(&mut self, bad: u64) -> Result<Next<'_>, Unreadable> {
        loop {
            if self.fill(HEAD_BYTES + 1)? <= HEAD_BYTES {
                return Ok(Next::Torn(bad));
            }
            self.advance(1);
            let head = Head::read(&self.buffer[self.start..], self.place());
            if head.is_some_and(|head| head.group > bad) {
                return Err(Unreadable::Damaged(bad));
            }
        }
    }

    fn place(&self) -> Place {
        Place {
            salt: self.salt,
            offset: self.offset,
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Sees to it that so many bytes are there, if there are so many, and says how many are.
    fn fill(&mut self, wanted: usize) -> io::Result<usize> {
        while self.buffer.len() - self.start < wanted && !self.ended {
            self.buffer.drain(..self.start);
            self.start = 0;
            let missing = wanted.saturating_sub(self.buffer.len());
            let most = missing.max(CHUNK_BYTES) as u64;
            let read = self
                .from
                .by_ref()
                .take(most)
                .read_to_end(&mut self.buffer)?;
            self.ended = read == 0;
        }
        Ok(self.buffer.len() - self.start)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::{
        super::frame::{begin, seal},
        *,
    };

    const SALT: u64 = 9;
    const FIRST: u64 = 40;

    /// Groups of frames; returns their bytes and where each frame begins.
    fn written(groups: &[&[&str]], backs: bool) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for group in groups {
            let mut frames = Vec::new();
            for body in *group {
                let start = frames.len();
                starts.push(bytes.len() + start);
                begin(&mut frames);
                frames.extend(body.as_bytes());
                seal(&mut frames, start, SALT, FIRST + bytes.len() as u64, backs);
            }
            bytes.extend(frames);
        }
        (bytes, starts)
    }

    /// How many frames read, and how it ended: the offset of a torn tail, or of damage.
    fn read(bytes: &[u8]) -> (usize, Result<Option<u64>, u64>) {
        let mut reader = Reader::new(bytes, SALT, FIRST);
        let mut frames = 0;
        loop {
            match reader.next() {
                Ok(Next::Frame(..)) => frames += 1,
                Ok(Next::End) => return (frames, Ok(None)),
                Ok(Next::Torn(offset)) => return (frames, Ok(Some(offset - FIRST))),
                Err(Unreadable::Damaged(offset)) => return (frames, Err(offset - FIRST)),
                Err(Unreadable::Io(error)) => panic!("{error}"),
            }
        }
    }

    const GROUPS: &[&[&str]] = &[&["one"], &["two", ""], &["three", "four", "five"]];

    #[test]
    fn every_prefix_is_a_shorter_journal() {
        let (bytes, starts) = written(GROUPS, true);
        for cut in 0..=bytes.len() {
            let ends = starts[1..].iter().copied().chain([bytes.len()]);
            let whole = ends.filter(|end| *end <= cut).count();
            let start = starts.get(whole).copied().unwrap_or(bytes.len());
            let torn = (start < cut).then_some(start as u64);
            assert_eq!(read(&bytes[..cut]), (whole, Ok(torn)), "{cut}");
        }
    }

    #[test]
    fn every_flipped_bit_is_damage_but_in_the_tail() {
        for backs in [false, true] {
            let (bytes, starts) = written(GROUPS, backs);
            // Without groups only the last frame can have been cut off.
            let tail = if backs { 3 } else { 5 };
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let nth = starts.partition_point(|start| *start <= bit / 8) - 1;
                let at = starts[nth] as u64;
                let end = if nth < tail { Err(at) } else { Ok(Some(at)) };
                assert_eq!(read(&flipped), (nth, end), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_tail_of_zeros_or_noise_is_torn() {
        let (bytes, _) = written(GROUPS, false);
        let whole = bytes.len() as u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
            .take(100_000)
            .collect();
        for tail in [&[0; 100_000][..], &noise, &bytes] {
            let longer = [&bytes, tail].concat();
            assert_eq!(read(&longer), (6, Ok(Some(whole))));
        }
    }

    /// What a loss of power leaves of the last group: each sector or not, up to some length.
    fn crash(bytes: &mut Vec<u8>, unsynced: usize, sectors: &[bool], length: usize) {
        for (sector, _) in sectors.iter().enumerate().filter(|(_, kept)| !**kept) {
            let start = unsynced.max(sector * 32);
            let end = (sector * 32 + 32).min(bytes.len());
            if start < end {
                bytes[start..end].fill(0);
            }
        }
        bytes.truncate(length.max(unsynced));
    }

    proptest! {
        #[test]
        fn a_loss_of_power_costs_nothing_that_was_synced(
            sizes in vec(vec(0..200_usize, 1..6), 1..6),
            sectors in vec(any::<bool>(), 200),
            cut in 0..6000_usize,
        ) {
            let body = "x".repeat(200);
            let groups: Vec<Vec<&str>> = sizes
                .iter()
                .map(|sizes| sizes.iter().map(|size| &body[..*size]).collect())
                .collect();
            let groups: Vec<&[&str]> = groups.iter().map(Vec::as_slice).collect();
            let (mut bytes, starts) = written(&groups, true);
            let synced = starts.len() - sizes.last().map_or(0, Vec::len);
            crash(&mut bytes, starts[synced], &sectors, cut);
            let (frames, end) = read(&bytes);
            prop_assert!(frames >= synced, "{frames} of {synced}");
            prop_assert!(end.is_ok(), "damaged at {end:?}");
        }

        #[test]
        fn whatever_stands_there_is_read_to_an_end(bytes in vec(any::<u8>(), 0..2000)) {
            let (frames, end) = read(&bytes);
            prop_assert_eq!(frames, 0);
            prop_assert_eq!(end, Ok((!bytes.is_empty()).then_some(0)));
        }
    }

    #[test]
    fn a_group_may_reach_the_disk_in_any_order() {
        let (bytes, starts) = written(GROUPS, true);
        // Of the last group only the last frame did.
        let mut torn = bytes.clone();
        torn[starts[3]..starts[5]].fill(0);
        assert_eq!(read(&torn), (3, Ok(Some(starts[3] as u64))));
        // What was on disk before the last group began is another matter.
        let mut damaged = bytes;
        damaged[starts[2]..starts[4]].fill(0);
        assert_eq!(read(&damaged), (2, Err(starts[2] as u64)));
    }
}
