//! What the job is applied to: which files, values or generated inputs, checked before anything runs and read when it
//! does.

mod lines;
mod places;
mod reading;

use std::{
    ffi::OsString,
    fs::{self, File, Metadata},
    io::{self, BufRead as _, BufReader},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};

pub(crate) use self::{places::Places, reading::Reading};
use crate::{arguments::InputArguments, exit::Fault};

/// Files beyond this size are not counted beforehand, because that would take longer than it is worth.
const COUNTED_BYTES: u64 = 64 << 20;

/// Inputs that can be read, as far as can be told without reading them.
#[derive(Debug)]
pub(crate) struct Inputs {
    sources: Vec<Source>,
    most_bytes: u64,
    places: Places,
}

/// Where some of the inputs come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The lines of a file.
    File(PathBuf),
    /// The lines of standard input.
    Stdin,
    /// These themselves.
    Values(Vec<OsString>),
    /// The same input so many times.
    Repeated { input: String, times: u64 },
}

impl Inputs {
    /// What these arguments name; `None` if they name nothing.
    ///
    /// # Errors
    /// A file that is missing, unreadable or a directory, or standard input twice.
    pub(crate) fn named(arguments: InputArguments) -> Result<Option<Self>, Fault> {
        let mut sources = arguments
            .files
            .into_iter()
            .map(Source::at)
            .collect::<Result<Vec<_>, _>>()
            .map_err(Fault::usage)?;
        if sources.iter().filter(|one| one.is_stdin()).count() > 1 {
            return Err(Fault::usage(anyhow!(
                "`-` stands there twice, but standard input can be read only once"
            )));
        }
        if !arguments.values.is_empty() {
            sources.push(Source::Values(arguments.values));
        }
        Ok((!sources.is_empty()).then(|| Self {
            most_bytes: arguments.max_input_bytes,
            ..Self::of(sources)
        }))
    }

    /// Values given by the program itself.
    pub(crate) fn values(values: Vec<String>) -> Self {
        let values = values.into_iter().map(OsString::from).collect();
        Self::of(vec![Source::Values(values)])
    }

    /// The same input so many times.
    pub(crate) fn repeated(input: String, times: u64) -> Self {
        Self::of(vec![Source::Repeated { input, times }])
    }

    /// Reads them, one after the other; what comes out may block.
    pub(crate) fn read(self) -> Reading {
        Reading::new(self.sources, self.most_bytes, self.places)
    }

    /// Where each input stood, known as far as they were read.
    pub(crate) fn places(&self) -> Places {
        self.places.clone()
    }

    /// How many there are, where that can be told quickly and without reading what can be read only once.
    pub(crate) fn count(&self) -> Option<u64> {
        self.sources.iter().map(Source::count).sum()
    }

    /// Whether one of them is this very file.
    pub(crate) fn include(&self, other: &Metadata) -> bool {
        let same = |one: &Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
        self.sources
            .iter()
            .filter_map(Source::metadata)
            .any(|one| one.is_file() && same(&one))
    }

    /// What to call them all: their file, if there is only one.
    pub(crate) fn title(&self) -> String {
        match self.sources.as_slice() {
            [one] => one.title(),
            several => format!("{} and {} more", several[0].title(), several.len() - 1),
        }
    }

    fn of(sources: Vec<Source>) -> Self {
        Self {
            sources,
            most_bytes: u64::MAX,
            places: Places::default(),
        }
    }
}

impl Source {
    fn at(path: PathBuf) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdin);
        }
        let shown = path.display();
        let metadata = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(anyhow!(
                    "there is no file {shown}; if that is itself an input, write it after --"
                ));
            }
            other => other.with_context(|| format!("cannot read {shown}"))?,
        };
        if metadata.is_dir() {
            return Err(anyhow!("{shown} is a directory; name the files in it"));
        }
        // A pipe may be opened only once, and opening it may block: that is for whoever reads it.
        if metadata.is_file() {
            File::open(&path).with_context(|| format!("cannot read {shown}"))?;
        }
        Ok(Self::File(path))
    }

    fn title(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
            Self::Values(_) => "the command line".to_owned(),
            Self::Repeated { .. } => "the generated inputs".to_owned(),
        }
    }

    fn is_stdin(&self) -> bool {
        matches!(self, Self::Stdin)
    }

    fn metadata(&self) -> Option<Metadata> {
        match self {
            Self::File(path) => fs::metadata(path).ok(),
            Self::Stdin => fs::metadata("/dev/stdin").ok(),
            _ => None,
        }
    }

    fn count(&self) -> Option<u64> {
        match self {
            Self::File(path) => count_lines(path).ok().flatten(),
            Self::Stdin => None,
            Self::Values(values) => u64::try_from(values.len()).ok(),
            Self::Repeated { times, .. } => Some(*times),
        }
    }
}

fn count_lines(path: &Path) -> io::Result<Option<u64>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > COUNTED_BYTES {
        return Ok(None);
    }
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let (mut lines, mut last) = (0, b'\n');
    loop {
        let bytes = file.fill_buf()?;
        let Some(end) = bytes.last() else {
            return Ok(Some(lines + u64::from(last != b'\n')));
        };
        last = *end;
        lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        let read = bytes.len();
        file.consume(read);
    }
}
