//! The header, and the types of the columns as the first rows show them.

use std::{
    io::{self, Read},
    sync::Arc,
};

use arrow_schema::{Field as Column, Schema, SchemaRef};
use triway_core::Failure;

use super::{
    faults::{BINARY, at_row, ragged, unreadable},
    records::{Fault, Found, Records},
    values::Guess,
};
use crate::columns::{kinds, options::CsvOptions};

/// How much is read at once; most headers and first rows fit, and every part of a file reads them anew.
const BYTES: usize = 64 << 10;

/// The first rows have to stand within so many bytes to decide on types.
const MOST_TYPED_BYTES: u64 = 4 << 20;

/// What the beginning of a file tells.
pub(super) struct Head {
    pub(super) schema: SchemaRef,
    /// Where the first record begins.
    pub(super) bytes: u64,
}

/// What was seen of it so far.
struct Looking<'a> {
    options: &'a CsvOptions,
    records: Records,
    names: Option<Vec<String>>,
    guesses: Vec<Guess>,
    rows: u64,
    /// Bytes that were looked at, and those of the header.
    seen: u64,
    header: u64,
}

impl Head {
    /// Reads as much of a file as decides on its columns.
    ///
    /// # Errors
    /// There is no header or no row, or they do not go together.
    pub(super) fn read(
        from: &mut impl Read,
        options: &CsvOptions,
        gzip: bool,
    ) -> Result<Self, Failure> {
        let mut looking = Looking {
            options,
            records: Records::new(options.delimiter()),
            names: None,
            guesses: Vec::new(),
            rows: 0,
            seen: 0,
            header: 0,
        };
        let mut block = vec![0; BYTES];
        while !looking.is_enough() {
            let read = read(from, &mut block).map_err(|error| unreadable(&error, gzip))?;
            if read == 0 {
                let last = looking.records.finish();
                let last = last.map_err(|fault| looking.fault(fault))?;
                looking.see(last)?;
                break;
            }
            looking.look(&block[..read])?;
        }
        looking.finish()
    }
}

/// Reads once, whatever interrupts it.
pub(super) fn read(from: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

impl Looking<'_> {
    fn is_enough(&self) -> bool {
        self.rows >= self.options.typed_rows as u64
            || (self.rows > 0 && self.seen >= MOST_TYPED_BYTES)
    }

    fn look(&mut self, mut block: &[u8]) -> Result<(), Failure> {
        let binary = memchr::memchr(0, block);
        block = &block[..binary.unwrap_or(block.len())];
        while !block.is_empty() && !self.is_enough() {
            let step = self.records.step(block);
            let (taken, found) = step.map_err(|fault| self.fault(fault))?;
            self.seen += taken as u64;
            self.see(found)?;
            block = &block[taken..];
        }
        match binary {
            Some(_) if !self.is_enough() => Err(self.told(BINARY)),
            _ => Ok(()),
        }
    }

    fn see(&mut self, found: Found) -> Result<(), Failure> {
        match (&self.names, found) {
            (_, Found::Nothing) => {}
            (None, Found::Blank) => self.header = self.seen,
            (None, Found::Record) => {
                let names = self.records.fields().map(name);
                let names = names.collect::<Result<Vec<_>, _>>()?;
                self.guesses = vec![Guess::default(); names.len()];
                self.names = Some(names);
                self.header = self.seen;
            }
            (Some(names), Found::Blank) => self.rows += u64::from(names.len() == 1),
            (Some(names), Found::Record) => {
                self.rows += 1;
                if self.records.len() != names.len() {
                    return Err(ragged(self.rows, self.records.len(), names.len()));
                }
                for (guess, field) in self.guesses.iter_mut().zip(self.records.fields()) {
                    guess.see(field, self.options);
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Head, Failure> {
        let Some(names) = self.names else {
            return Err(kinds::bad_file("the file is empty"));
        };
        if self.rows == 0 {
            return Err(kinds::bad_file(
                "there is a header and no row, so that no column has a type",
            ));
        }
        let columns = names.into_iter().zip(&self.guesses);
        let columns: Vec<_> = columns
            .map(|(name, guess)| Column::new(name, guess.data(), true))
            .collect();
        Ok(Head {
            schema: Arc::new(Schema::new(columns)),
            bytes: self.header,
        })
    }

    fn fault(&self, fault: Fault) -> Failure {
        self.told(fault.message())
    }

    /// In the header, or in the row that would have been next.
    fn told(&self, cause: &str) -> Failure {
        match self.names {
            Some(_) => at_row(self.rows + 1, cause),
            None => kinds::bad_file(format!("header: {cause}")),
        }
    }
}

fn name(field: &[u8]) -> Result<String, Failure> {
    match str::from_utf8(field) {
        Ok(name) => Ok(name.to_owned()),
        Err(_) => Err(kinds::bad_file(
            "the header is not UTF-8; is it a binary file, or one in another encoding?",
        )),
    }
}
