//! What one input is: a file or a part of one, named so that it can be written in a line.
//!
//! `data.csv#bytes=1000..2000,row=21` is a part of `data.csv`, `data.parquet#row-groups=0..2` and
//! `data.arrow#batches=3..4` likewise. What looks like such a name and is a file's own has `#whole` behind it.

use std::{
    ffi::OsStr,
    fmt,
    ops::Range,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use triway_memory::Blob;

/// A file or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The file.
    pub path: PathBuf,
    /// How much of it.
    pub extent: Extent,
}

/// How much of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extent {
    /// All of it.
    Whole,
    /// These bytes of a CSV file, which begin and end between records. The first record is this one of the file's, from 1,
    /// the header not counted.
    Bytes {
        /// Which bytes.
        range: Range<u64>,
        /// The number of the first record.
        row: u64,
    },
    /// These row groups of a Parquet file.
    RowGroups(Range<usize>),
    /// These record batches of an Arrow file.
    Batches(Range<usize>),
}

/// What rows are read from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Table {
    /// A file or a part of one.
    Part(Part),
    /// An Arrow IPC file in memory, under a name of its own. Worker processes borrow it.
    Memory {
        /// What it is called.
        name: Arc<str>,
        /// The file.
        bytes: Blob,
    },
}

impl Part {
    /// All of a file.
    pub fn whole(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            extent: Extent::Whole,
        }
    }

    /// The part of this name. What names no part is a file's name.
    #[must_use]
    pub fn parse(name: &[u8]) -> Self {
        let split = name.iter().rposition(|byte| *byte == b'#');
        let part = split.and_then(|at| {
            let extent = Extent::parse(str::from_utf8(&name[at + 1..]).ok()?)?;
            Some((&name[..at], extent))
        });
        let (path, extent) = part.unwrap_or((name, Extent::Whole));
        Self {
            path: Path::new(OsStr::from_bytes(path)).to_owned(),
            extent,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Vec<u8> {
        let mut name = self.path.as_os_str().as_bytes().to_vec();
        let shown = self.extent.to_string();
        if !shown.is_empty() || Self::parse(&name).path != self.path {
            name.push(b'#');
            name.extend(if shown.is_empty() { "whole" } else { &shown }.bytes());
        }
        name
    }
}

impl Extent {
    fn parse(text: &str) -> Option<Self> {
        if text == "whole" {
            return Some(Self::Whole);
        }
        let (unit, rest) = text.split_once('=')?;
        let (range, row) = match rest.split_once(",row=") {
            Some((range, row)) => (range, Some(row.parse().ok()?)),
            None => (rest, None),
        };
        let (start, end) = range.split_once("..")?;
        match (unit, row) {
            ("bytes", Some(row)) => Some(Self::Bytes {
                range: start.parse().ok()?..end.parse().ok()?,
                row,
            }),
            ("row-groups", None) => Some(Self::RowGroups(start.parse().ok()?..end.parse().ok()?)),
            ("batches", None) => Some(Self::Batches(start.parse().ok()?..end.parse().ok()?)),
            _ => None,
        }
    }
}

/// As it stands behind the `#`; nothing for all of a file.
impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Bytes { range, row } => {
                write!(f, "bytes={}..{},row={row}", range.start, range.end)
            }
            Self::RowGroups(range) => write!(f, "row-groups={}..{}", range.start, range.end),
            Self::Batches(range) => write!(f, "batches={}..{}", range.start, range.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for (name, path, extent) in [
            ("a.csv", "a.csv", Extent::Whole),
            ("a#1.csv", "a#1.csv", Extent::Whole),
            ("a#bytes=1..2", "a#bytes=1..2", Extent::Whole),
            ("a#whole#whole", "a#whole", Extent::Whole),
            (
                "a.csv#bytes=5..90,row=2",
                "a.csv",
                Extent::Bytes {
                    range: 5..90,
                    row: 2,
                },
            ),
            ("a#row-groups=0..3", "a", Extent::RowGroups(0..3)),
            ("b/a#x#batches=1..2", "b/a#x", Extent::Batches(1..2)),
        ] {
            let part = Part::parse(name.as_bytes());
            assert_eq!(part.path, Path::new(path), "{name}");
            assert_eq!(part.extent, extent, "{name}");
            assert_eq!(part.name(), name.as_bytes());
        }
    }
}
