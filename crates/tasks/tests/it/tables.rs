//! `columns` on files that Polars and PyArrow made, beside what DuckDB and Polars find in them (see `tables.py`).
//!
//! Where they are not installed, the tests say so and pass, except under `CI=true`, where they fail.

use std::{
    fs,
    io::Write as _,
    num::NonZeroU64,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;
use tempfile::TempDir;
use triway_core::FailureKind;
use triway_tasks::columns::{Columns, CsvOptions, Figure, Found, Part, Parts, Size, Table, kinds};

use crate::{
    both::{both, run_blocking},
    python,
};

/// The files, and the questions with what is expected of each.
struct Made {
    folder: TempDir,
    questions: Vec<Value>,
}

impl Made {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Made once; `None` where nothing is installed that could make them.
fn made() -> Option<&'static Made> {
    static MADE: LazyLock<Option<Made>> = LazyLock::new(make);
    MADE.as_ref()
}

fn make() -> Option<Made> {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tables.py");
    let python = python::program("python");
    let mut command = Command::new(&python);
    let output = match command.arg(script).arg(folder.path()).output() {
        Ok(output) => output,
        Err(error) => {
            let python = python.display();
            assert!(
                std::env::var("CI").is_err(),
                "{python}: {error}; see ci/test.sh"
            );
            let _ = writeln!(std::io::stderr(), "SKIPPED: {python}: {error}");
            return None;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let questions = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    Some(Made {
        folder,
        questions: questions.collect(),
    })
}

fn asked(column: &str, predicate: Option<&str>) -> Columns {
    let predicate = predicate.map_or_else(Default::default, |text| text.parse().unwrap());
    Columns::new(column, predicate, CsvOptions::default())
}

#[track_caller]
fn same(found: &Figure, expected: &Value, of: &str) {
    if let Some(text) = expected["float"].as_str() {
        let float: f64 = text.parse().unwrap();
        assert_eq!(*found, Figure::Float(float), "{of}");
    } else {
        assert_eq!(found.to_string(), expected.as_str().unwrap(), "{of}");
    }
}

#[track_caller]
fn equal(found: &Found, question: &Value, of: &str) {
    assert_eq!(found.rows(), question["rows"], "{of}");
    assert_eq!(found.count(), question["count"], "{of}");
    same(&found.sum(), &question["sum"], of);
    same(&found.avg(), &question["avg"], of);
    same(&found.min(), &question["min"], of);
    same(&found.max(), &question["max"], of);
}

fn check(name: &str, without: &[&str]) {
    let Some(made) = made() else { return };
    let path = made.path(name);
    let size = Size(NonZeroU64::new(20_000).unwrap());
    let mut parts = 0;
    for question in &made.questions {
        let column = question["column"].as_str().unwrap();
        let predicate = question["where"].as_str();
        if without.contains(&column) {
            continue;
        }
        let of = format!("{name}: {column} where {predicate:?}");
        let task = asked(column, predicate);
        for (form, found) in both(&task, &Table::Part(Part::whole(&path)), None) {
            equal(&found.unwrap(), question, &format!("{form} {of}"));
        }
        let total =
            Parts::of(&path, size, &CsvOptions::default()).fold(Found::default(), |total, part| {
                parts += 1;
                total.and(run_blocking(&task, &Table::Part(part), None).unwrap())
            });
        equal(&total, question, &format!("in parts, {of}"));
    }
    assert!(parts > 0);
}

/// CSV has no unsigned numbers beyond 64 bits with a sign, and no narrow floats.
const NOT_IN_CSV: &[&str] = &["unsigned", "single"];

#[test]
fn csv_agrees_with_duckdb_and_polars() {
    for name in ["polars.csv", "polars.csv.gz", "polars.tsv"] {
        check(name, NOT_IN_CSV);
    }
}

#[test]
fn parquet_agrees_with_duckdb_and_polars() {
    for name in [
        "polars-snappy.parquet",
        "polars-gzip.parquet",
        "polars-zstd.parquet",
        "polars-lz4.parquet",
        "polars-uncompressed.parquet",
        "pyarrow-v2.parquet",
        "pyarrow-bare.parquet",
    ] {
        check(name, &[]);
    }
}

#[test]
fn arrow_agrees_with_duckdb_and_polars() {
    for name in ["polars.arrow", "polars-zstd.feather", "pyarrow.arrow"] {
        check(name, &[]);
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let Some(made) = made() else { return };
    let cases: [(&str, &str, &str, FailureKind, &str); 9] = [
        (
            "brotli.parquet",
            "small",
            "",
            kinds::CODEC,
            "`small` is compressed with brotli",
        ),
        ("truncated.parquet", "small", "", kinds::BAD_FILE, "cut off"),
        ("damaged.parquet", "price", "", kinds::BAD_FILE, "damaged"),
        ("truncated.arrow", "small", "", kinds::BAD_FILE, "cut off"),
        (
            "stream.arrow",
            "small",
            "",
            kinds::BAD_FILE,
            "a stream of Arrow messages",
        ),
        (
            "decimals.parquet",
            "small",
            "",
            kinds::WRONG_TYPE,
            "`small` is of type Decimal128",
        ),
        (
            "decimals.parquet",
            "list",
            "",
            kinds::WRONG_TYPE,
            "`list` is of type List",
        ),
        (
            "polars.arrow",
            "smal",
            "",
            kinds::NO_COLUMN,
            "no column `smal`; there are small, large",
        ),
        (
            "polars.csv",
            "small",
            "word > 5",
            kinds::WRONG_TYPE,
            "`word` is one of texts",
        ),
    ];
    for (name, column, predicate, kind, words) in cases {
        let predicate = (!predicate.is_empty()).then_some(predicate);
        let task = asked(column, predicate);
        for (form, found) in both(&task, &Table::Part(Part::whole(made.path(name))), None) {
            let failure = found.expect_err(name);
            assert_eq!(failure.kind, kind, "{form} {name}: {failure}");
            assert!(failure.message.contains(words), "{form} {name}: {failure}");
        }
    }
}

/// However a file is cut off, it is a failure and nothing worse, and never figures of a part.
#[test]
fn no_cut_goes_unnoticed() {
    let Some(made) = made() else { return };
    for name in ["polars-snappy.parquet", "pyarrow.arrow", "polars.csv.gz"] {
        let whole = fs::read(made.path(name)).unwrap();
        let cut = made.path(&format!("cut-{name}"));
        for at in (1..whole.len()).step_by(whole.len() / 40) {
            fs::write(&cut, &whole[..at]).unwrap();
            let table = Table::Part(Part::whole(&cut));
            let failure = run_blocking(&asked("price", None), &table, None).unwrap_err();
            assert_eq!(failure.kind, kinds::BAD_FILE, "{name} at {at}: {failure}");
        }
    }
}
