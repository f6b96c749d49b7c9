//! Random rows and predicates: what comes of them as CSV, as Parquet and as Arrow, whole and in parts, beside the rows
//! looked at one by one.

use std::{fs, io::Write as _, num::NonZeroU64, path::Path, sync::Arc, sync::atomic::AtomicBool};

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow_ipc::writer::FileWriter;
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};
use proptest::prelude::*;

use super::*;

/// A row, any value of which may be missing.
#[derive(Debug, Clone)]
struct Row {
    whole: Option<i64>,
    float: Option<f64>,
    text: Option<String>,
    day: Option<i32>,
    flag: Option<bool>,
}

const OPERATORS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// One condition, and which rows hold it.
#[derive(Debug, Clone)]
enum Asked {
    Whole(usize, i64),
    Float(usize, f64),
    Text(usize, String),
    Day(usize, i32),
    Flag(bool, bool),
    Missing(&'static str, bool),
}

impl Asked {
    fn text(&self) -> String {
        match self {
            Self::Whole(operator, value) => format!("whole {} {value}", OPERATORS[*operator]),
            Self::Float(operator, value) => format!("float {} {value:?}", OPERATORS[*operator]),
            Self::Text(operator, value) => {
                format!(
                    "text {} '{}'",
                    OPERATORS[*operator],
                    value.replace('\'', "''")
                )
            }
            Self::Day(operator, value) => format!("day {} {}", OPERATORS[*operator], day(*value)),
            Self::Flag(equal, value) => {
                format!("flag {} {value}", if *equal { "==" } else { "!=" })
            }
            Self::Missing(column, true) => format!("{column} is null"),
            Self::Missing(column, false) => format!("{column} is not null"),
        }
    }

    fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Whole(operator, value) => compare(*operator, row.whole, value),
            Self::Float(operator, value) => compare(*operator, row.float, value),
            Self::Text(operator, value) => compare(*operator, row.text.as_ref(), &value),
            Self::Day(operator, value) => compare(*operator, row.day, value),
            Self::Flag(equal, value) => row.flag.is_some_and(|flag| (flag == *value) == *equal),
            Self::Missing(column, missing) => row.is_missing(column) == *missing,
        }
    }
}

fn compare<T: PartialOrd>(operator: usize, value: Option<T>, with: &T) -> bool {
    value.is_some_and(|value| match OPERATORS[operator] {
        "==" => value == *with,
        "!=" => value != *with,
        "<" => value < *with,
        "<=" => value <= *with,
        ">" => value > *with,
        _ => value >= *with,
    })
}

impl Row {
    fn is_missing(&self, column: &str) -> bool {
        match column {
            "whole" => self.whole.is_none(),
            "float" => self.float.is_none(),
            "text" => self.text.is_none(),
            "day" => self.day.is_none(),
            _ => self.flag.is_none(),
        }
    }
}

fn day(days: i32) -> String {
    let date = chrono::NaiveDate::from_epoch_days(days);
    date.unwrap().to_string()
}

fn whole() -> impl Strategy<Value = i64> {
    prop_oneof![-3..4_i64, Just(i64::MAX), Just(i64::MIN), any::<i64>()]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-3..4_i32).prop_map(f64::from),
        Just(0.1),
        -1e300..1e300,
        Just(1e-300)
    ]
}

/// Such that quotes, delimiters and ends of lines matter, and never nothing: in CSV that would be missing.
fn text() -> impl Strategy<Value = String> {
    prop::string::string_regex("[ab,\"\n\rü']{1,4}").unwrap()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        prop::option::weighted(0.8, whole()),
        prop::option::weighted(0.8, float()),
        prop::option::weighted(0.8, text()),
        prop::option::weighted(0.8, -800..800_i32),
        prop::option::weighted(0.8, any::<bool>()),
    );
    let row = row.prop_map(|(whole, float, text, day, flag)| Row {
        whole,
        float,
        text,
        day,
        flag,
    });
    prop::collection::vec(row, 1..40)
}

fn asked() -> impl Strategy<Value = Vec<Asked>> {
    let column = prop::sample::select(vec!["whole", "float", "text", "day", "flag"]);
    let one = prop_oneof![
        (0..6_usize, whole()).prop_map(|(operator, value)| Asked::Whole(operator, value)),
        (0..6_usize, float()).prop_map(|(operator, value)| Asked::Float(operator, value)),
        (0..6_usize, text()).prop_map(|(operator, value)| Asked::Text(operator, value)),
        (0..6_usize, -800..800_i32).prop_map(|(operator, value)| Asked::Day(operator, value)),
        (any::<bool>(), any::<bool>()).prop_map(|(equal, value)| Asked::Flag(equal, value)),
        (column, any::<bool>()).prop_map(|(column, missing)| Asked::Missing(column, missing)),
    ];
    prop::collection::vec(one, 1..3)
}

fn batch(rows: &[Row]) -> RecordBatch {
    let rows = || rows.iter();
    let columns: [(&str, ArrayRef); 5] = [
        (
            "whole",
            Arc::new(rows().map(|row| row.whole).collect::<Int64Array>()),
        ),
        (
            "float",
            Arc::new(rows().map(|row| row.float).collect::<Float64Array>()),
        ),
        (
            "text",
            Arc::new(
                rows()
                    .map(|row| row.text.as_deref())
                    .collect::<StringArray>(),
            ),
        ),
        (
            "day",
            Arc::new(rows().map(|row| row.day).collect::<Date32Array>()),
        ),
        (
            "flag",
            Arc::new(rows().map(|row| row.flag).collect::<BooleanArray>()),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn write_arrow(path: &Path, batch: &RecordBatch) {
    let mut writer = FileWriter::try_new(fs::File::create(path).unwrap(), &batch.schema()).unwrap();
    for from in (0..batch.num_rows()).step_by(7) {
        writer
            .write(&batch.slice(from, 7.min(batch.num_rows() - from)))
            .unwrap();
    }
    writer.finish().unwrap();
}

fn write_parquet(path: &Path, batch: &RecordBatch) {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(5))
        .build();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// The first row decides on the types; it has a value in each column.
fn write_csv(path: &Path, rows: &[Row]) {
    let mut file = fs::File::create(path).unwrap();
    writeln!(file, "whole,float,text,day,flag").unwrap();
    for row in rows {
        let shown = |value: Option<String>| value.unwrap_or_default();
        let text = row
            .text
            .as_ref()
            .map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
        let fields = [
            shown(row.whole.map(|value| value.to_string())),
            shown(row.float.map(|value| format!("{value:?}"))),
            shown(text),
            shown(row.day.map(day)),
            shown(row.flag.map(|value| value.to_string())),
        ];
        write!(file, "{}\r\n", fields.join(",")).unwrap();
    }
}

/// What all parts of a file come to together.
fn found(path: &Path, size: u64, task: &Columns) -> Found {
    let cancelled = AtomicBool::new(false);
    let context = Context::new(0, 1, None, &cancelled);
    let size = Size(NonZeroU64::new(size).unwrap());
    let parts = Parts::of(path, size, &task.csv);
    parts.fold(Found::default(), |sum, part| {
        sum.and(task.find(&Table::Part(part), &context).unwrap())
    })
}

/// The figures of the rows that match, by the plainest means.
fn expected(rows: &[Row], asked: &[Asked], column: &str) -> Found {
    let kept = || {
        rows.iter()
            .filter(|row| asked.iter().all(|asked| asked.holds(row)))
    };
    let wholes: Vec<i128> = kept().filter_map(|row| row.whole).map(i128::from).collect();
    let floats: Vec<f64> = kept().filter_map(|row| row.float).collect();
    let texts: Vec<&String> = kept().filter_map(|row| row.text.as_ref()).collect();
    let (count, figures) = match column {
        "whole" => (
            wholes.len(),
            wholes.first().map(|_| aggregate::Figures::Whole {
                sum: wholes.iter().sum(),
                least: *wholes.iter().min().unwrap(),
                most: *wholes.iter().max().unwrap(),
            }),
        ),
        "float" => (
            floats.len(),
            floats.first().map(|_| {
                let mut sum = aggregate::Exact::default();
                floats.iter().for_each(|value| sum.add(*value));
                aggregate::Figures::Float {
                    sum,
                    least: floats.iter().copied().fold(f64::INFINITY, f64::min),
                    most: floats.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                }
            }),
        ),
        _ => (
            texts.len(),
            texts.first().map(|_| aggregate::Figures::Text {
                least: (*texts.iter().min().unwrap()).clone(),
                most: (*texts.iter().max().unwrap()).clone(),
            }),
        ),
    };
    let figures = figures.unwrap_or(aggregate::Figures::Nothing);
    Found::new(rows.len() as u64, count as u64, figures)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_form_and_split_finds_what_the_rows_hold(
        mut rows in rows(),
        asked in asked(),
        column in prop::sample::select(vec!["whole", "float", "text"]),
        size in 1..200_u64,
    ) {
        rows.insert(0, Row {
            whole: Some(1),
            float: Some(0.5),
            text: Some("a".to_owned()),
            day: Some(0),
            flag: Some(true),
        });
        let predicate = asked.iter().map(Asked::text).collect::<Vec<_>>().join(" and ");
        let options = CsvOptions { typed_rows: 1, ..CsvOptions::default() };
        let task = Columns::new(column, predicate.parse().unwrap(), options);
        let expected = serde_json::to_string(&expected(&rows, &asked, column)).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write_arrow(&path("a.arrow"), &batch(&rows));
        write_parquet(&path("a.parquet"), &batch(&rows));
        write_csv(&path("a.csv"), &rows);
        for name in ["a.arrow", "a.parquet", "a.csv"] {
            for size in [size, u64::MAX] {
                let found = serde_json::to_string(&found(&path(name), size, &task)).unwrap();
                prop_assert_eq!(&found, &expected, "{} of {} in parts of {}", predicate, name, size);
            }
        }
    }
}

/// Lines end in each of three ways, may have nothing in them, and may stand in quotes.
#[test]
fn parts_of_csv_lie_between_records_and_count_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let task = Columns::new("x", Predicate::default(), CsvOptions::default());
    for text in [
        "x\n1\n22\n333\n4444\n55555\n666666\n7777777\n88888888\n",
        "x\r\n1\r\n22\r\n333\r\n\"4444\"\r\n55555\r\n666666\r\n7777777\r\n",
        "x\r1\r22\r333\r4444\r55555\r666666\r7777777\r88888888",
        "x\n1\n\n22\n\n\n333\n\r\n4444\n55555\n\n666666\n7777777\n",
        "x,y\n1,\n\n22,\n\n\n333,\n4444,\n\n55555,\n666666,\n",
        "x\n\"1\"\n\"22\"\n\"333\"\n\"4444\"\n\"55555\"\n\"666666\"\n\"\"\n",
        "x,y\n1,\n\n22,\"\n\n\"\n333,\"\"\"\n\"\n4444,\r\n\r\n55555,\n",
    ] {
        fs::write(&path, text).unwrap();
        let rows = found(&path, u64::MAX, &task).rows();
        for size in 1..text.len() as u64 {
            let size = Size(NonZeroU64::new(size).unwrap());
            let mut next = 1;
            for part in Parts::of(&path, size, &task.csv) {
                if let Extent::Bytes { row, .. } = part.extent {
                    assert_eq!(row, next, "{text:?}: {part:?}");
                }
                let cancelled = AtomicBool::new(false);
                let context = Context::new(0, 1, None, &cancelled);
                next += task.find(&Table::Part(part), &context).unwrap().rows();
            }
            assert_eq!(next - 1, rows, "{text:?} in parts of {size:?}");
        }
    }
}
