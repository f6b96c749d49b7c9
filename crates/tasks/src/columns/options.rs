//! How CSV files are to be understood.

use serde::{Deserialize, Serialize};

/// How CSV files are to be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CsvOptions {
    /// What stands between fields; a comma, or a tab in files that are called `.tsv`, unless given.
    pub delimiter: Option<u8>,
    /// What stands for a missing value, besides nothing at all; in quotes or not, as in DuckDB.
    pub nulls: Vec<String>,
    /// So many rows decide on the types of the columns.
    pub typed_rows: usize,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: None,
            nulls: Vec::new(),
            typed_rows: 1000,
        }
    }
}

impl CsvOptions {
    /// The same for a file whose fields stand between tabs, or not.
    pub(super) fn of_file(&self, tabs: bool) -> Self {
        let usual = if tabs { b'\t' } else { b',' };
        Self {
            delimiter: Some(self.delimiter.unwrap_or(usual)),
            ..self.clone()
        }
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter.unwrap_or(b',')
    }
}
