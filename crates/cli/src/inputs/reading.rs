//! Reads the sources of a job one after the other.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    os::unix::ffi::OsStrExt as _,
    vec,
};

use triway_core::{Failure, FailureKind};
use triway_tasks::{catalog::RawInput, check::sources::Link};

use super::{
    lines::Lines,
    maps::Pages,
    places::{Name, Places},
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
}

/// What is being read.
enum Current {
    Nothing,
    Lines(Lines<Box<dyn BufRead + Send>>, String),
    Values(vec::IntoIter<std::ffi::OsString>),
    Links(vec::IntoIter<Link>),
    Pages(Box<Pages>),
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
        }
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
            Source::Repeated { input, times } => (
                Name::Numbered("input"),
                Current::Repeated(RawInput::from(input.as_str()), times),
            ),
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
            Self::Values(values) => values.next().map(|value| RawInput::new(value.as_bytes())),
            Self::Links(links) => links.next().map(|link| RawInput::from(link.url.as_str())),
            Self::Pages(pages) => pages.next(seen)?,
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
            match self.current.next(&mut self.seen) {
                Err(failure) => return Some(Err(failure)),
                Ok(Some(input)) => {
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

fn unreadable(title: &str, error: &io::Error) -> Failure {
    Failure::permanent(UNREADABLE, format!("{title}: {error}"))
}
