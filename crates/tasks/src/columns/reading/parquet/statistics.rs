//! Which row groups can match at all, as far as the file tells what is in them.

use arrow_array::{Array as _, ArrayRef, UInt64Array};
use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, statistics::StatisticsConverter},
    errors::ParquetError,
    file::metadata::RowGroupMetaData,
};
use triway_core::Failure;

use crate::columns::{
    column::Column,
    predicate::{Bound, Operator, Span, Test},
};

/// Those of these row groups that may have a row that matches.
pub(super) fn matching(
    metadata: &ArrowReaderMetadata,
    groups: &[usize],
    bound: &Bound,
) -> Result<Vec<usize>, Failure> {
    let mut wanted = vec![true; groups.len()];
    for (column, test) in &bound.tests {
        // Without statistics, or with some that do not read, everything may match.
        if let Ok(known) = Known::of(metadata, groups, *column) {
            for (at, wanted) in wanted.iter_mut().enumerate() {
                *wanted &= known.may_match(at, test);
            }
        }
    }
    let wanted = groups.iter().zip(wanted).filter(|(_, wanted)| *wanted);
    Ok(wanted.map(|(group, _)| *group).collect())
}

/// What a file tells of a column, one value a row group.
struct Known {
    least: Column,
    most: Column,
    missing: UInt64Array,
    rows: Vec<u64>,
}

impl Known {
    fn of(
        metadata: &ArrowReaderMetadata,
        groups: &[usize],
        column: usize,
    ) -> Result<Self, ParquetError> {
        let all = metadata.metadata();
        let groups: Vec<&RowGroupMetaData> =
            groups.iter().map(|group| all.row_group(*group)).collect();
        let name = metadata.schema().field(column).name();
        let told =
            StatisticsConverter::try_new(name, metadata.schema(), metadata.parquet_schema())?
                // What is not told may be anything.
                .with_missing_null_counts_as_zero(false)
                .with_column_orders(all.file_metadata().column_orders().map(Vec::as_slice));
        let column = |array: ArrayRef| {
            Column::of(&array).map_err(|failure| ParquetError::General(failure.message))
        };
        let rows = |group: &&RowGroupMetaData| u64::try_from(group.num_rows()).unwrap_or(0);
        Ok(Self {
            least: column(told.row_group_mins(groups.iter().copied())?)?,
            most: column(told.row_group_maxes(groups.iter().copied())?)?,
            missing: told.row_group_null_counts(groups.iter().copied())?,
            rows: groups.iter().map(rows).collect(),
        })
    }

    fn may_match(&self, group: usize, test: &Test) -> bool {
        let missing = (!self.missing.is_null(group)).then(|| self.missing.value(group));
        let all_missing = missing == Some(self.rows[group]);
        match test {
            Test::Missing(true) => missing != Some(0),
            _ if all_missing => false,
            Test::Whole(span) => match (self.least.whole(group), self.most.whole(group)) {
                (Some(least), Some(most)) => span.may_hold(least, most),
                _ => true,
            },
            Test::Float(operator, value) => {
                match (self.least.float(group), self.most.float(group)) {
                    (Some(least), Some(most)) => floats_may_match(*operator, *value, least, most),
                    _ => true,
                }
            }
            Test::Text(operator, value) => match (self.least.text(group), self.most.text(group)) {
                (Some(least), Some(most)) => texts_may_match(*operator, value, least, most),
                _ => true,
            },
            Test::Missing(false) | Test::Boolean(_) => true,
        }
    }
}

impl Span {
    /// Whether a number from `least` to `most` can count.
    fn may_hold(self, least: i128, most: i128) -> bool {
        if self.outside {
            !(self.least <= least && most <= self.most)
        } else {
            self.least <= most && least <= self.most
        }
    }
}

/// Not-a-number is left out of statistics and is greater than all that is in them.
fn floats_may_match(operator: Operator, value: f64, least: f64, most: f64) -> bool {
    match operator {
        // Some writers do count it.
        _ if least.is_nan() || most.is_nan() => true,
        Operator::Equal => least <= value && value <= most,
        Operator::Less => least < value,
        Operator::LessOrEqual => least <= value,
        Operator::Unequal | Operator::Greater | Operator::GreaterOrEqual => true,
    }
}

/// The least may have been made less and the greatest greater, where they were too long to be written down.
fn texts_may_match(operator: Operator, value: &str, least: &str, most: &str) -> bool {
    match operator {
        Operator::Equal => least <= value && value <= most,
        Operator::Unequal => true,
        Operator::Less => least < value,
        Operator::LessOrEqual => least <= value,
        Operator::Greater => most > value,
        Operator::GreaterOrEqual => most >= value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For every value between the least and the greatest: where one matches, the group must be read.
    #[test]
    fn no_group_is_left_out_that_can_match() {
        use Operator::*;
        let operators = [Equal, Unequal, Less, LessOrEqual, Greater, GreaterOrEqual];
        for operator in operators {
            for (least, most, value) in
                (0..216).map(|n| (f64::from(n / 36), f64::from(n / 6 % 6), f64::from(n % 6)))
            {
                let within = (0..6).map(f64::from).filter(|x| least <= *x && *x <= most);
                let any = within.clone().any(|x| operator.holds(x.total_cmp(&value)));
                if any {
                    assert!(floats_may_match(operator, value, least, most));
                    let [least, most, value] = [least, most, value].map(|x| x.to_string());
                    assert!(texts_may_match(operator, &value, &least, &most));
                }
            }
        }
        assert!(!texts_may_match(Greater, "5", "1", "5"));
        assert!(!texts_may_match(Equal, "6", "1", "5"));
        assert!(!floats_may_match(Less, 1.0, 1.0, 5.0));
        assert!(floats_may_match(Greater, 9.0, 1.0, 5.0), "not-a-number");
    }
}
