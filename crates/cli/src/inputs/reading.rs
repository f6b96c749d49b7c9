//! Reads the sources of a job one after the other.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
    vec,
};

use triway_core::{Failure, FailureKind};
use triway_memory::Blob;
use triway_tasks::{
    catalog::RawInput,
    check::sources::Link,
    columns::{CsvOptions, Extent, Part, Parts, Size},
};

use super::{
    lines::Lines,
    maps::Pages,
    places::{Name, Places},
    records::Records,
    seen::Seen,
    source::Source,
};

const BUFFER_BYTES: usize = 1 << 16;

/// What reading further fails with.
const UNREADABLE: FailureKind = FailureKind::new("unreadable");

/// All inputs, in their order. The first error is the end.
pub(crate) struct Reading {
    sources: vec::IntoIter<Source>,
    current: Current,
    most_bytes: u64,
    places: Places,
    read: u64,
    seen: Seen,
    split: Option<Split>,
    /// What is left of a file that was split.
    parts: Option<Parts>,
}

/// How files are split into parts.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    pub(crate) size: Size,
    pub(crate) csv: CsvOptions,
}

/// What is being read.
enum Current {
    Nothing,
    Lines(Lines<Box<dyn BufRead + Send>>, String),
    Records(Box<Records>, String),
    Values(vec::IntoIter<std::ffi::OsString>),
    Links(vec::IntoIter<Link>),
    Pages(Box<Pages>),
    Tables(vec::IntoIter<PathBuf>),
    Lent(vec::IntoIter<(String, Blob)>),
    Repeated(RawInput, u64),
}

impl Reading {
    pub(super) fn new(sources: Vec<Source>, most_bytes: u64, places: Places) -> Self {
        Self {
            sources: sources.into_iter(),
            current: Current::Nothing,
            most_bytes,
            places,
            read: 0,
            seen: Seen::default(),
            split: None,
            parts: None,
        }
    }

    /// The same, with files split into parts.
    pub(super) fn split(self, split: Option<Split>) -> Self {
        Self { split, ..self }
    }

    fn open(&mut self, source: Source) -> io::Result<()> {
        let title = source.title();
        let lines = |from| Lines::new(from, self.most_bytes);
        let (name, current) = match source {
            Source::File(path) => {
                let file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
                let from: Box<dyn BufRead + Send> = Box::new(file);
                (
                    Name::File(title.clone()),
                    Current::Lines(lines(from), title),
                )
            }
            Source::Stdin => {
                let from: Box<dyn BufRead + Send> =
                    Box::new(BufReader::with_capacity(BUFFER_BYTES, io::stdin()));
                (
                    Name::Stream(title.clone()),
                    Current::Lines(lines(from), title),
                )
            }
            Source::Records(path) => (
                Name::Row(title.clone()),
                Current::Records(Box::new(Records::open(&path)?), title),
            ),
            Source::Values(values) => {
                (Name::Numbered("value"), Current::Values(values.into_iter()))
            }
            Source::Links { links, .. } => {
                let lines = links.iter().map(|link| link.line).collect();
                (
                    Name::Listed(title, lines),
                    Current::Links(links.into_iter()),
                )
            }
            Source::Maps(maps) => (Name::Map(title), Current::Pages(Box::new(maps.pages()))),
            Source::Tables(paths) => (Name::Numbered("file"), Current::Tables(paths.into_iter())),
            Source::Lent(lent) => (Name::Numbered("input"), Current::Lent(lent.into_iter())),
            Source::Repeated { input, times } => (
                Name::Numbered("input"),
                Current::Repeated(RawInput::from(input.as_str()), times),
            ),
        };
        // Where inputs are parts, their number says nothing about the line that a file stood on.
        let name = match self.split {
            Some(_) => Name::Numbered("part"),
            None => name,
        };
        self.places.begin(self.read, name);
        self.current = current;
        Ok(())
    }
}

impl Current {
    fn next(&mut self, seen: &mut Seen) -> Result<Option<RawInput>, Failure> {
        Ok(match self {
            Self::Nothing => None,
            Self::Lines(lines, title) => lines
                .next_line()
                .map_err(|error| unreadable(title, &error))?,
            Self::Records(records, title) => {
                records.next().map_err(|error| unreadable(title, &error))?
            }
            Self::Values(values) => values.next().map(|value| RawInput::new(value.as_bytes())),
            Self::Links(links) => links.next().map(|link| RawInput::from(link.url.as_str())),
            Self::Pages(pages) => pages.next(seen)?,
            Self::Tables(paths) => paths
                .next()
                .map(|path| RawInput::new(Part::whole(path).name())),
            Self::Lent(lent) => lent.next().map(|(name, bytes)| RawInput::Lent {
                name: name.into_bytes().into(),
                bytes,
            }),
            Self::Repeated(_, 0) => None,
            Self::Repeated(input, left) => {
                *left -= 1;
                Some(input.clone())
            }
        })
    }
}

impl Iterator for Reading {
    type Item = Result<RawInput, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(part) = self.parts.as_mut().and_then(Iterator::next) {
                self.read += 1;
                return Some(Ok(RawInput::new(part.name())));
            }
            self.parts = None;
            match self.current.next(&mut self.seen) {
                Err(failure) => return Some(Err(failure)),
                Ok(Some(input)) => {
                    self.parts = self.split.as_ref().and_then(|split| split.of(&input));
                    if self.parts.is_some() {
                        continue;
                    }
                    self.read += 1;
                    return Some(Ok(input));
                }
                Ok(None) => {
                    let source = self.sources.next()?;
                    let title = source.title();
                    if let Err(error) = self.open(source) {
                        return Some(Err(unreadable(&title, &error)));
                    }
                }
            }
        }
    }
}

impl Split {
    /// The parts of a file; `None` for what is a part already, or no file.
    fn of(&self, input: &RawInput) -> Option<Parts> {
        let RawInput::Bytes(name) = input else {
            return None;
        };
        let part = Part::parse(name);
        let splits = part.extent == Extent::Whole && !name.is_empty() && !name.contains(&0);
        splits.then(|| Parts::of(&part.path, self.size, &self.csv))
    }
}

fn unreadable(title: &str, error: &io::Error) -> Failure {
    Failure::permanent(UNREADABLE, format!("{title}: {error}"))
}
