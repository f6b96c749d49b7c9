//! One place that inputs come from, checked before anything is read.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata},
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use triway_memory::Blob;
use triway_tasks::check::sources::Link;

use super::maps::Maps;

/// Files beyond this size are not counted beforehand, because that would take longer than it is worth.
const COUNTED_BYTES: u64 = 64 << 20;

/// Where some of the inputs come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The lines of a file.
    File(PathBuf),
    /// The records of a CSV file.
    Records(PathBuf),
    /// The lines of standard input.
    Stdin,
    /// These themselves.
    Values(Vec<OsString>),
    /// The links of a document, which is no list of inputs itself.
    Links { document: PathBuf, links: Vec<Link> },
    /// The pages that a site's maps list.
    Maps(Box<Maps>),
    /// Files that are inputs themselves.
    Tables(Vec<PathBuf>),
    /// Bytes under a name, lent to whoever works on them.
    Lent(Vec<(String, Blob)>),
    /// The same input so many times.
    Repeated { input: String, times: u64 },
}

impl Source {
    pub(super) fn at(path: PathBuf) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdin);
        }
        Self::check(path).map(Self::File)
    }

    /// The same over and over again, all of them as often, until there are so many.
    pub(super) fn repeat_to(&mut self, fewest: u64) {
        match self {
            Self::Values(values) => *values = repeated(values, fewest),
            Self::Lent(lent) => *lent = repeated(lent, fewest),
            Self::Repeated { times, .. } => *times = fewest.max(*times),
            _ => {}
        }
    }

    /// A file whose name says that it is CSV is one of records.
    pub(super) fn read_records(&mut self) {
        if let Self::File(path) = self
            && let Some(extension) = path.extension()
            && (extension.eq_ignore_ascii_case("csv") || extension.eq_ignore_ascii_case("tsv"))
        {
            *self = Self::Records(std::mem::take(path));
        }
    }

    /// A file that is there and can be read.
    pub(super) fn check(path: PathBuf) -> anyhow::Result<PathBuf> {
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
        Ok(path)
    }

    pub(super) fn title(&self) -> String {
        match self {
            Self::File(path) | Self::Records(path) => path.display().to_string(),
            Self::Links { document, .. } => document.display().to_string(),
            Self::Maps(maps) => maps.title(),
            Self::Stdin => "standard input".to_owned(),
            Self::Values(_) => "the command line".to_owned(),
            Self::Tables(paths) => match paths.as_slice() {
                [one] => one.display().to_string(),
                several => format!("{} files", several.len()),
            },
            Self::Lent(_) => "the example's data".to_owned(),
            Self::Repeated { .. } => "the list of generated inputs".to_owned(),
        }
    }

    pub(super) fn is_stdin(&self) -> bool {
        matches!(self, Self::Stdin)
    }

    /// The files that it reads.
    pub(super) fn metadata(&self) -> Vec<Metadata> {
        let of = |path: &Path| fs::metadata(path).ok();
        match self {
            Self::File(path) | Self::Records(path) => of(path).into_iter().collect(),
            Self::Links { document, .. } => of(document).into_iter().collect(),
            Self::Stdin => of(Path::new("/dev/stdin")).into_iter().collect(),
            Self::Tables(paths) => paths.iter().filter_map(|path| of(path)).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn count(&self) -> Option<u64> {
        match self {
            Self::File(path) => count_lines(path).ok().flatten(),
            // A record may have several lines.
            Self::Stdin | Self::Maps(_) | Self::Records(_) => None,
            Self::Links { links, .. } => u64::try_from(links.len()).ok(),
            Self::Values(values) => u64::try_from(values.len()).ok(),
            Self::Tables(paths) => u64::try_from(paths.len()).ok(),
            Self::Lent(lent) => u64::try_from(lent.len()).ok(),
            Self::Repeated { times, .. } => Some(*times),
        }
    }
}

/// All of them as often as it takes to be so many.
fn repeated<V: Clone>(values: &[V], fewest: u64) -> Vec<V> {
    let times = fewest.div_ceil(values.len().max(1) as u64);
    let times = usize::try_from(times).unwrap_or(1).max(1);
    let all = values.iter().cycle().take(values.len() * times);
    all.cloned().collect()
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
