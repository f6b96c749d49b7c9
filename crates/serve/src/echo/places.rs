//! How many connections the worker processes of one server have together, in memory that they share.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{Arc, atomic::Ordering},
};

use triway_memory::mapped::Region;

/// The counts of all workers, a word each.
#[derive(Debug)]
pub(super) struct Places {
    region: Region,
    workers: usize,
}

/// A worker's own view of them.
#[derive(Debug)]
pub(super) struct Own {
    places: Places,
    number: usize,
    most: u64,
}

/// One connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Own>);

impl Places {
    pub(super) fn create(workers: usize) -> io::Result<(Self, OwnedFd)> {
        let (region, file) = Region::create(workers * size_of::<u64>())?;
        Ok((Self { region, workers }, file))
    }

    /// Those of this worker; together they may be so many.
    pub(super) fn open(
        file: &OwnedFd,
        workers: usize,
        number: usize,
        most: usize,
    ) -> io::Result<Own> {
        let region = Region::open(file, workers * size_of::<u64>())?;
        Ok(Own {
            places: Self { region, workers },
            number,
            most: most as u64,
        })
    }

    /// A worker has ended, and its connections with it.
    pub(super) fn clear(&self, number: usize) {
        self.region.word(number).store(0, Ordering::SeqCst);
    }

    fn taken(&self) -> u64 {
        let word = |number| self.region.word(number).load(Ordering::SeqCst);
        (0..self.workers).map(word).sum()
    }
}

impl Own {
    /// A place, if there is one left. Of two workers that ask for the last one, both may have to ask again.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let place = Place(Arc::clone(self));
        self.word().fetch_add(1, Ordering::SeqCst);
        (self.places.taken() <= self.most).then_some(place)
    }

    fn word(&self) -> &std::sync::atomic::AtomicU64 {
        self.places.region.word(self.number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.word().fetch_sub(1, Ordering::SeqCst);
    }
}
