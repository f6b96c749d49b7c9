//! Tables of figures and what is said below them, before any format has its way with them.

/// What people read of a finding.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// Tables, in their order.
    pub(crate) grids: Vec<Grid>,
    /// What is to be said below them, each in a sentence or two; the last is the verdict.
    pub(crate) remarks: Vec<String>,
}

/// A table.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    /// What it is about, where there are several.
    pub(crate) title: Option<String>,
    /// Its columns.
    pub(crate) headings: Vec<Heading>,
    /// A cell a column. A line break in one parts two figures that belong together.
    pub(crate) rows: Vec<Vec<String>>,
}

/// What stands above a column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heading {
    /// Where there is little room, in two lines.
    pub(crate) short: &'static str,
    /// Where there is enough.
    pub(crate) long: &'static str,
    /// Whether its cells are words and not figures.
    pub(crate) words: bool,
}

impl Heading {
    /// Above figures.
    pub(crate) const fn figures(short: &'static str, long: &'static str) -> Self {
        Self {
            short,
            long,
            words: false,
        }
    }

    /// Above words.
    pub(crate) const fn words(short: &'static str, long: &'static str) -> Self {
        Self {
            short,
            long,
            words: true,
        }
    }
}

/// Rows of bare values with the columns' names, as CSV has them. What was not measured is empty.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Names of the columns.
    pub(crate) names: Vec<&'static str>,
    /// A value a column.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Records {
    /// From rows that name their values each.
    pub(crate) fn of(rows: Vec<Vec<(&'static str, String)>>) -> Self {
        let names = rows.first();
        let names = names.map(|row| row.iter().map(|(name, _)| *name).collect());
        let values =
            |row: Vec<(&'static str, String)>| row.into_iter().map(|(_, value)| value).collect();
        Self {
            names: names.unwrap_or_default(),
            rows: rows.into_iter().map(values).collect(),
        }
    }
}
