//! The header, and the types of the columns as the first rows show them.

use std::{io::Read, sync::Arc};

use arrow_schema::{Field as Column, Schema, SchemaRef};
use triway_core::Failure;

use super::{
    block::Block,
    faults::{ragged, unreadable},
    record::{fields, record_end},
    values::{Field, Guess},
};
use crate::columns::{kinds, options::CsvOptions};

/// Most headers and first rows fit; every part of a file reads them anew.
const FIRST_BYTES: usize = 64 << 10;

/// The first rows have to stand within so many bytes to decide on types.
const MOST_TYPED_BYTES: usize = 4 << 20;

/// Some editors begin a file with this.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the beginning of a file tells.
pub(super) struct Head {
    pub(super) schema: SchemaRef,
    /// Where the first record begins.
    pub(super) bytes: u64,
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
        let mut block = Block::of(FIRST_BYTES);
        loop {
            let read = block.fill(from);
            if !read.map_err(|error| unreadable(&error, gzip))? {
                return Err(kinds::bad_file("the file is empty"));
            }
            if let Some(head) = Self::of(block.bytes(), block.is_at_end(), options)? {
                return Ok(head);
            }
            if !block.grow() {
                return Err(kinds::bad_file(
                    "the header is longer than 64 MiB; is this CSV at all?",
                ));
            }
        }
    }

    /// What these bytes tell; `None` if there are not enough of them.
    fn of(bytes: &[u8], at_end: bool, options: &CsvOptions) -> Result<Option<Self>, Failure> {
        if memchr::memchr(0, bytes).is_some() {
            return Err(kinds::bad_file(
                "there is a NUL byte near the beginning; is it a binary file, or one in UTF-16?",
            ));
        }
        let delimiter = options.delimiter();
        let record = |at: usize| {
            let quote = memchr::memchr(b'"', &bytes[at..]).map_or(usize::MAX, |found| at + found);
            record_end(bytes, at, quote, delimiter, at_end)
        };
        let start = match bytes.starts_with(BYTE_ORDER_MARK) {
            true => BYTE_ORDER_MARK.len(),
            false => 0,
        };
        let header = record(start).map_err(|cause| kinds::bad_file(format!("header: {cause}")))?;
        let Some(header) = header else {
            return Ok(None);
        };
        let names = fields(&bytes[start..header.end], delimiter).map(name);
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let mut guesses = vec![Guess::default(); names.len()];
        let (mut at, mut rows) = (header.next, 0);
        while at < bytes.len() && rows < options.typed_rows {
            // What is wrong with a row is told when it is read, with its number.
            let Ok(Some(ended)) = record(at) else { break };
            let record = &bytes[at..ended.end];
            if !record.is_empty() || names.len() == 1 {
                rows += 1;
                let found = look(record, delimiter, &mut guesses, options);
                if found != names.len() {
                    return Err(ragged(rows as u64, found, names.len()));
                }
            }
            at = ended.next;
        }
        let enough = rows >= options.typed_rows || (rows > 0 && bytes.len() >= MOST_TYPED_BYTES);
        if !enough && !at_end {
            return Ok(None);
        }
        if rows == 0 && header.next >= bytes.len() {
            return Err(kinds::bad_file(
                "there is a header and no row, so that no column has a type",
            ));
        }
        let columns = names.into_iter().zip(&guesses);
        let columns: Vec<_> = columns
            .map(|(name, guess)| Column::new(name, guess.data(), true))
            .collect();
        Ok(Some(Self {
            schema: Arc::new(Schema::new(columns)),
            bytes: header.next as u64,
        }))
    }
}

fn look(record: &[u8], delimiter: u8, guesses: &mut [Guess], options: &CsvOptions) -> usize {
    let mut found = 0;
    for field in fields(record, delimiter) {
        if let Some(guess) = guesses.get_mut(found) {
            guess.see(field, options);
        }
        found += 1;
    }
    found
}

fn name(field: Field<'_>) -> Result<String, Failure> {
    let text = field.text();
    match str::from_utf8(&text) {
        Ok(name) => Ok(name.to_owned()),
        Err(_) => Err(kinds::bad_file(
            "the header is not UTF-8; is it a binary file, or one in another encoding?",
        )),
    }
}
