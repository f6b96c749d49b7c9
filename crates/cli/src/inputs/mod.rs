//! What the job is applied to: which files, values or generated inputs, checked before anything runs and read when it
//! does.

mod lines;
mod listed;
mod maps;
mod places;
mod reading;
mod records;
mod seen;
mod source;

use std::{ffi::OsString, fs::Metadata, os::unix::fs::MetadataExt as _, path::PathBuf};

use anyhow::{Context as _, anyhow};
use triway_memory::Blob;
use triway_tasks::http::Policy;

use self::{listed::links, maps::Maps, source::Source};
pub(crate) use self::{
    places::Places,
    reading::{Reading, Split},
};
use crate::{
    arguments::{InputArguments, ListedArguments},
    exit::Fault,
};

/// Longer than any path that the system knows.
const LONGEST_PATH: u64 = 1 << 16;

/// Inputs that can be read, as far as can be told without reading them.
#[derive(Debug)]
pub(crate) struct Inputs {
    sources: Vec<Source>,
    most_bytes: u64,
    places: Places,
    relative: u64,
    split: Option<Split>,
    /// Whether it does no harm if each stands there more than once.
    repeatable: bool,
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

    /// What these arguments name, and after it what stands in documents; `None` if they name nothing. Sitemaps are
    /// fetched under this policy, so many times more if that may help.
    ///
    /// # Errors
    /// A file that is missing, unreadable or a directory, or standard input twice.
    pub(crate) fn listed(
        arguments: InputArguments,
        listed: ListedArguments,
        policy: &Policy,
        retries: u32,
    ) -> Result<Option<Self>, Fault> {
        let most_bytes = arguments.max_input_bytes;
        let named = Self::named(arguments)?;
        let mut sources = named.map_or_else(Vec::new, |inputs| inputs.sources);
        let mut relative = 0;
        for path in listed.links {
            let document = Source::check(path).map_err(Fault::usage)?;
            let found = links(&document, listed.base.as_ref())
                .with_context(|| format!("--links: cannot read {}", document.display()))
                .map_err(Fault::usage)?;
            relative += found.relative;
            let links = found.links;
            sources.push(Source::Links { document, links });
        }
        let maps = listed.sitemap.into_iter();
        sources.extend(maps.map(|first| Source::Maps(Box::new(Maps::new(first, policy, retries)))));
        Ok((!sources.is_empty()).then(|| Self {
            most_bytes,
            relative,
            ..Self::of(sources)
        }))
    }

    /// How many links were left out because nobody said what they start from.
    pub(crate) fn relative(&self) -> u64 {
        self.relative
    }

    /// Values given by the program itself.
    pub(crate) fn values(values: Vec<String>) -> Self {
        let values = values.into_iter().map(OsString::from).collect();
        Self::of(vec![Source::Values(values)])
    }

    /// Files that are inputs themselves, lists of such, and names of such or of their parts; `None` if there are none.
    ///
    /// # Errors
    /// A list that cannot be read, or standard input twice.
    pub(crate) fn tables(
        files: Vec<PathBuf>,
        values: Vec<OsString>,
        lists: Vec<PathBuf>,
        split: Option<Split>,
    ) -> Result<Option<Self>, Fault> {
        let lists = InputArguments {
            files: lists,
            values,
            max_input_bytes: LONGEST_PATH,
        };
        let mut sources = Self::named(lists)?.map_or_else(Vec::new, |inputs| inputs.sources);
        if !files.is_empty() {
            sources.insert(0, Source::Tables(files));
        }
        Ok((!sources.is_empty()).then(|| Self {
            most_bytes: LONGEST_PATH,
            split,
            ..Self::of(sources)
        }))
    }

    /// Lines with an object each, or the records of CSV files; `None` if there are none.
    ///
    /// # Errors
    /// A file that is missing, unreadable or a directory, or standard input twice.
    pub(crate) fn rows(arguments: InputArguments) -> Result<Option<Self>, Fault> {
        let mut inputs = Self::named(arguments)?;
        let sources = inputs.iter_mut().flat_map(|inputs| &mut inputs.sources);
        sources.for_each(Source::read_records);
        Ok(inputs)
    }

    /// Bytes under names, lent to whoever works on them.
    pub(crate) fn lent(lent: Vec<(String, Blob)>) -> Self {
        Self::of(vec![Source::Lent(lent)])
    }

    /// The same input so many times.
    pub(crate) fn repeated(input: String, times: u64) -> Self {
        Self::of(vec![Source::Repeated { input, times }])
    }

    /// Says that it does no harm if each stands there more than once, because they are an example's.
    pub(crate) fn repeatable(self) -> Self {
        Self {
            repeatable: true,
            ..self
        }
    }

    /// At least so many, over and over again, where that does no harm; says whether they are more now.
    pub(crate) fn repeat_to(&mut self, fewest: u64) -> bool {
        let few = self.count().is_some_and(|count| count < fewest);
        let repeated = few && self.repeatable;
        if repeated {
            self.sources
                .iter_mut()
                .for_each(|one| one.repeat_to(fewest));
        }
        repeated
    }

    /// Reads them, one after the other; what comes out may block.
    pub(crate) fn read(self) -> Reading {
        Reading::new(self.sources, self.most_bytes, self.places).split(self.split)
    }

    /// Where each input stood, known as far as they were read.
    pub(crate) fn places(&self) -> Places {
        self.places.clone()
    }

    /// How many there are, where that can be told quickly and without reading what can be read only once.
    pub(crate) fn count(&self) -> Option<u64> {
        // How many parts a file has is known when it was split.
        match self.split {
            Some(_) => None,
            None => self.sources.iter().map(Source::count).sum(),
        }
    }

    /// Whether one of them is this very file.
    pub(crate) fn include(&self, other: &Metadata) -> bool {
        let same = |one: &Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
        self.sources
            .iter()
            .flat_map(Source::metadata)
            .any(|one| one.is_file() && same(&one))
    }

    /// Whether one of them is standard input.
    pub(crate) fn include_stdin(&self) -> bool {
        self.sources.iter().any(Source::is_stdin)
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
            relative: 0,
            split: None,
            repeatable: false,
        }
    }
}
