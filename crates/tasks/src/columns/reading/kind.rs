//! What sort of file it is: by its name, and where that says nothing, by how it begins.

use std::{fs::File, os::unix::fs::FileExt as _, path::Path};

use triway_core::Failure;

use crate::columns::kinds;

/// Sorts of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::columns) enum Kind {
    /// CSV; `tabs` if its fields stand between such.
    Csv { gzip: bool, tabs: bool },
    /// Parquet.
    Parquet,
    /// An Arrow IPC file.
    Arrow,
}

const PARQUET: &[u8] = b"PAR1";
const ARROW: &[u8] = b"ARROW1";
const GZIP: &[u8] = b"\x1f\x8b";

impl Kind {
    /// The sort of this file.
    pub(in crate::columns) fn of(path: &Path, file: &File) -> Result<Self, Failure> {
        let mut head = [0; 8];
        let read = file
            .read_at(&mut head, 0)
            .map_err(|error| kinds::unreadable(&error))?;
        let head = &head[..read];
        let named = Self::of_name(path);
        match named {
            Some(Self::Parquet) if !head.starts_with(PARQUET) => Err(kinds::bad_file(
                "this is no Parquet file: it does not begin with PAR1",
            )),
            Some(Self::Arrow) if !head.starts_with(ARROW) => Err(kinds::bad_file(
                "this is no Arrow IPC file: it does not begin with ARROW1 (a stream of Arrow messages has to be \
                 written as a file first)",
            )),
            Some(kind) => Ok(kind),
            None if head.starts_with(PARQUET) => Ok(Self::Parquet),
            None if head.starts_with(ARROW) => Ok(Self::Arrow),
            None => Ok(Self::Csv {
                gzip: head.starts_with(GZIP),
                tabs: false,
            }),
        }
    }

    fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let (stem, gzip) = match name.strip_suffix(".gz") {
            Some(stem) => (stem, true),
            None => (&*name, false),
        };
        let (_, extension) = stem.rsplit_once('.')?;
        match (extension, gzip) {
            ("csv", _) => Some(Self::Csv { gzip, tabs: false }),
            ("tsv" | "tab", _) => Some(Self::Csv { gzip, tabs: true }),
            ("parquet" | "pq", false) => Some(Self::Parquet),
            ("arrow" | "feather" | "ipc", false) => Some(Self::Arrow),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn names_go_before_beginnings() {
        let csv = |gzip, tabs| Some(Kind::Csv { gzip, tabs });
        for (name, head, kind) in [
            ("a.csv", &b"x,y"[..], csv(false, false)),
            ("a.TSV", b"x", csv(false, true)),
            ("a.csv.gz", b"\x1f\x8b", csv(true, false)),
            ("a.tsv.gz", b"\x1f\x8b", csv(true, true)),
            ("a.parquet", b"PAR1....", Some(Kind::Parquet)),
            ("a.parquet", b"x,y", None),
            ("a.feather", b"ARROW1\0\0", Some(Kind::Arrow)),
            ("a.arrow", b"\xff\xff\xff\xff", None),
            ("a", b"PAR1....", Some(Kind::Parquet)),
            ("a.dat", b"ARROW1\0\0", Some(Kind::Arrow)),
            ("a.gz", b"\x1f\x8b", csv(true, false)),
            ("a.b/c", b"x", csv(false, false)),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(head).unwrap();
            assert_eq!(Kind::of(Path::new(name), &file).ok(), kind, "{name}");
        }
    }
}
