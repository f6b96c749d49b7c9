//! The records of a CSV file as JSON objects: the header has the names, every value is a text, an empty field is null.

use std::{fs::File, io, path::Path};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};
use triway_core::Failure;
use triway_tasks::catalog::RawInput;

/// Records on their way.
pub(super) struct Records {
    reader: Reader<File>,
    header: StringRecord,
}

impl Records {
    /// Reads the header.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let tabs = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("tsv"));
        let mut reader = ReaderBuilder::new()
            .delimiter(if tabs { b'\t' } else { b',' })
            .from_path(path)?;
        let header = reader.headers()?.clone();
        Ok(Self { reader, header })
    }

    /// The next one. One that cannot be read fails alone.
    pub(super) fn next(&mut self) -> io::Result<Option<RawInput>> {
        let mut record = StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(false) => Ok(None),
            Ok(true) => Ok(Some(RawInput::from(self.object(&record).as_str()))),
            Err(error) => match error.kind() {
                ErrorKind::Io(_) => Err(error.into()),
                _ => {
                    let line = error.position().map_or(0, csv::Position::line);
                    let failure = Failure::bad_input(error.to_string());
                    Ok(Some(RawInput::unread(
                        format!("line {line}").into_bytes(),
                        failure,
                    )))
                }
            },
        }
    }

    fn object(&self, record: &StringRecord) -> String {
        let value = |field: &str| match field {
            "" => Value::Null,
            text => Value::from(text),
        };
        let fields = self
            .header
            .iter()
            .zip(record)
            .map(|(name, field)| (name.to_owned(), value(field)));
        Value::from(fields.collect::<Map<_, _>>()).to_string()
    }
}
