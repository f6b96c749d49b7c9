//! Where each input stood, so that a message can say `urls.txt:7` instead of a number.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The sources that have been begun so far, and the index of each one's first input. Shared with whoever reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    begun: Arc<Mutex<Vec<Begun>>>,
}

#[derive(Debug)]
struct Begun {
    first: u64,
    name: Name,
}

/// How inputs of a source are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// By a file and a line.
    File(String),
    /// By a file and the line that each stood on.
    Listed(String, Arc<[u64]>),
    /// By a line of something that nobody can open again.
    Stream(String),
    /// By a sitemap and their place in what it leads to.
    Map(String),
    /// By a CSV file and their place among its records.
    Row(String),
    /// By a number alone.
    Numbered(&'static str),
}

impl Places {
    /// The inputs from index `first` on are called by `name`.
    pub(crate) fn begin(&self, first: u64, name: Name) {
        self.lock().push(Begun { first, name });
    }

    /// What to call an input.
    pub(crate) fn name(&self, index: u64) -> String {
        match self.lookup(index) {
            Some((Name::File(lines) | Name::Stream(lines), nth)) => format!("{lines}:{nth}"),
            Some((Name::Listed(file, lines), nth)) => format!("{file}:{}", listed(&lines, nth)),
            Some((Name::Map(map), nth)) => format!("entry {nth} of {map}"),
            Some((Name::Row(file), nth)) => format!("row {nth} of {file}"),
            Some((Name::Numbered(what), nth)) => format!("{what} {nth}"),
            None => format!("input {}", index + 1),
        }
    }

    /// The file and the line of an input, if the file is a list of inputs, a line each.
    pub(crate) fn list(&self, index: u64) -> Option<(String, u64)> {
        match self.lookup(index)? {
            (Name::File(file), nth) => Some((file, nth)),
            _ => None,
        }
    }

    /// The sitemap of an input, and the input's place in what that leads to, if it stood in one.
    pub(crate) fn map(&self, index: u64) -> Option<(String, u64)> {
        match self.lookup(index)? {
            (Name::Map(map), nth) => Some((map, nth)),
            _ => None,
        }
    }

    /// The file and the line of an input, if it stood in one.
    pub(crate) fn line(&self, index: u64) -> Option<(String, u64)> {
        match self.lookup(index)? {
            (Name::File(file), nth) => Some((file, nth)),
            (Name::Listed(file, lines), nth) => Some((file, listed(&lines, nth))),
            (Name::Stream(_) | Name::Map(_) | Name::Row(_) | Name::Numbered(_), _) => None,
        }
    }

    /// The name of the source and the place of the input in it, from 1.
    fn lookup(&self, index: u64) -> Option<(Name, u64)> {
        let begun = self.lock();
        // A source without inputs begins where the next one does; the input is the last one's.
        let after = begun.partition_point(|source| source.first <= index);
        let source = begun.get(after.checked_sub(1)?)?;
        Some((source.name.clone(), index - source.first + 1))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Begun>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The line of the nth of those that were listed.
fn listed(lines: &[u64], nth: u64) -> u64 {
    let place = usize::try_from(nth - 1).unwrap_or(usize::MAX);
    lines.get(place).copied().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_called_by_their_file_and_line() {
        let places = Places::default();
        assert_eq!(places.name(0), "input 1");
        let file = |name: &str| Name::File(name.to_owned());
        places.begin(0, file("a"));
        places.begin(2, file("empty"));
        places.begin(2, file("b"));
        places.begin(5, Name::Numbered("value"));
        places.begin(7, Name::Stream("standard input".to_owned()));
        for (index, name) in [
            (0, "a:1"),
            (1, "a:2"),
            (2, "b:1"),
            (4, "b:3"),
            (6, "value 2"),
            (8, "standard input:2"),
        ] {
            assert_eq!(places.name(index), name);
        }
        assert_eq!(places.line(1), Some(("a".to_owned(), 2)));
        assert_eq!(places.line(6), None);
        assert_eq!(places.line(8), None);
    }
}
