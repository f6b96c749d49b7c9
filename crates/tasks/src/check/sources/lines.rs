//! Which line of a document a byte of it stands on.

/// Where the lines of a document end.
pub(super) struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    pub(super) fn of(document: &str) -> Self {
        let ends = document.bytes().enumerate();
        let ends = ends.filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        Self {
            ends: ends.collect(),
        }
    }

    /// The line of the byte at this offset, from 1. The end of a line belongs to it.
    pub(super) fn at(&self, offset: usize) -> u64 {
        self.ends.partition_point(|end| *end < offset) as u64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_end() {
        let lines = Lines::of("ab\r\n\ncd");
        for (offset, line) in [(0, 1), (3, 1), (4, 2), (5, 3), (7, 3), (99, 3)] {
            assert_eq!(lines.at(offset), line, "{offset}");
        }
    }
}
