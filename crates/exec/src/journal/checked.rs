//! Compares a job's inputs with its journal before any of them is given to the job.
//!
//! All inputs up to the last that the journal knows of are read, compared by digest and kept on disk; only then is the
//! first one given out. So a list that was changed costs no execution, and a source that can be read only once is read
//! only once.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use triway_core::{Failure, FailureKind, Task};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{
    open::Journal,
    spool::{Spool, Spooled},
    table::Table,
};
use crate::{
    restart::Codec,
    source::{Source, Supply, Wake},
};

/// How many inputs are compared before the job may see to something else.
const PIECE: usize = 1024;

/// The inputs are not those of the journal.
pub(crate) const OTHER_INPUTS: FailureKind = FailureKind::new("other-inputs");

/// A source whose inputs are known to be those of the journal.
pub(crate) struct Checked<T: Task> {
    source: Box<dyn Source<T::Input>>,
    codec: Codec<T>,
    salt: u64,
    needed: u64,
    table: Arc<Mutex<Table>>,
    wake: Option<Wake>,
    phase: Phase,
    supply: Supply,
    compared: u64,
    pulled: Vec<T::Input>,
    scratch: Vec<u8>,
}

enum Phase {
    /// Nothing is given out.
    Comparing(Option<Spool>),
    /// What was compared is given out.
    Giving(Spooled),
    /// What comes now is new to the journal.
    Through,
}

impl<T: Task> Checked<T> {
    pub(crate) fn new(
        source: Box<dyn Source<T::Input>>,
        codec: Codec<T>,
        journal: &Journal,
    ) -> Self {
        Self {
            source,
            codec,
            salt: journal.salt,
            needed: journal.needed,
            table: Arc::clone(&journal.table),
            wake: None,
            phase: match journal.needed {
                0 => Phase::Through,
                _ => Phase::Comparing(None),
            },
            supply: Supply::Ready,
            compared: 0,
            pulled: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Compares the next inputs, and says whether all are compared.
    fn compare(&mut self) -> Result<bool, Failure> {
        self.supply = self.source.pull(PIECE, &mut self.pulled)?;
        let Phase::Comparing(spool) = &mut self.phase else {
            return Ok(true);
        };
        let spool = match spool {
            Some(spool) => spool,
            none => none.insert(Spool::new().map_err(|cause| kept(&cause))?),
        };
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        for input in self.pulled.drain(..) {
            self.scratch.clear();
            let scratch = std::mem::take(&mut self.scratch);
            let number = self.compared + 1;
            let encoded = (self.codec.encode_input)(&input, scratch);
            self.scratch = encoded.map_err(|cause| unwritable(number, &cause))?;
            let recorded = table.get(self.compared).map_err(|cause| kept(&cause))?;
            let digest = xxh3_64_with_seed(&self.scratch, self.salt);
            if recorded.is_some_and(|recorded| recorded.digest != digest) {
                return Err(changed(number));
            }
            spool.push(&self.scratch).map_err(|cause| kept(&cause))?;
            self.compared += 1;
        }
        match self.supply {
            _ if self.compared >= self.needed => Ok(true),
            Supply::Exhausted => Err(fewer(self.compared, self.needed)),
            _ => Ok(false),
        }
    }

    /// Gives out what was compared, and says whether there may be more of it.
    fn give(&mut self, most: usize, into: &mut Vec<T::Input>) -> Result<bool, Failure> {
        let Phase::Giving(spooled) = &mut self.phase else {
            return Ok(false);
        };
        for _ in 0..most {
            let Some(input) = spooled.next().map_err(|cause| kept(&cause))? else {
                self.phase = Phase::Through;
                return Ok(false);
            };
            let input = (self.codec.decode_input)(input);
            into.push(input.map_err(|cause| {
                let told = format!("an input does not read back as it was written: {cause}");
                Failure::permanent(FailureKind::ERROR, told)
            })?);
        }
        Ok(true)
    }
}

impl<T: Task> Source<T::Input> for Checked<T> {
    fn pull(&mut self, most: usize, into: &mut Vec<T::Input>) -> Result<Supply, Failure> {
        if let Phase::Comparing(_) = self.phase {
            if !self.compare()? {
                if let (Supply::Ready, Some(wake)) = (self.supply, &self.wake) {
                    wake.wake();
                }
                return Ok(Supply::Pending);
            }
            if let Phase::Comparing(Some(spool)) =
                std::mem::replace(&mut self.phase, Phase::Through)
            {
                self.phase = Phase::Giving(spool.finish().map_err(|cause| kept(&cause))?);
            }
        }
        if self.give(most, into)? {
            return Ok(Supply::Ready);
        }
        match self.supply {
            Supply::Exhausted => Ok(Supply::Exhausted),
            _ => self.source.pull(most, into),
        }
    }

    fn attach(&mut self, job: Wake) {
        self.wake = Some(job.clone());
        self.source.attach(job);
    }
}

fn changed(number: u64) -> Failure {
    let told = format!(
        "input {number} is not the one that the journal has the outcome of; nothing was executed. Give the inputs as \
         they were (more may follow them), or name another journal"
    );
    Failure::permanent(OTHER_INPUTS, told)
}

fn fewer(inputs: u64, needed: u64) -> Failure {
    let told = format!(
        "there are {inputs} inputs, and the journal knows of {needed}; nothing was executed. Give the inputs as they \
         were (more may follow them), or name another journal"
    );
    Failure::permanent(OTHER_INPUTS, told)
}

fn unwritable(number: u64, cause: &dyn std::fmt::Display) -> Failure {
    let told = format!("input {number} cannot be compared with the journal: {cause}");
    Failure::permanent(FailureKind::ERROR, told)
}

fn kept(cause: &io::Error) -> Failure {
    let folder = std::env::temp_dir();
    let told = format!(
        "the inputs cannot be kept in a temporary file in {} while they are compared with the journal: {cause}; set \
         TMPDIR to a directory with room that can be written to",
        folder.display()
    );
    Failure::permanent(FailureKind::ERROR, told)
}
