//! Tables as statements name them.

use super::statement::Statement;

/// A table and the columns that it has.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

impl Table {
    /// Whether one of these words is its name.
    pub(super) fn is_named(&self, words: &[String]) -> bool {
        words
            .iter()
            .any(|word| word.eq_ignore_ascii_case(&self.name))
    }

    /// The same with the columns that these words name; all, if they name none.
    pub(super) fn with_columns(mut self, words: &[String]) -> Self {
        let named = |column: &String| words.iter().any(|word| word.eq_ignore_ascii_case(column));
        if self.columns.iter().any(named) {
            self.columns.retain(named);
        }
        self
    }

    /// What reads it.
    pub(super) fn query(&self) -> Statement {
        let columns: Vec<String> = self.columns.iter().map(|column| quoted(column)).collect();
        let text = format!("select {} from {}", columns.join(", "), quoted(&self.name));
        text.parse()
            .expect("names in quotes do not end the statement")
    }
}

/// A name as both databases read it, whatever it is.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
