//! `columns` and `generate columns`: what users type, files that are not what they should be, and the total.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
    thread,
};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::program::{Ended, run, run_with, start, triway};

/// Files of each format with the same rows, made by the program itself.
fn generated(rows: u64, files: u64, format: &str) -> TempDir {
    let folder = tempdir().unwrap();
    let path = folder.path().display();
    let made = run(&format!(
        "generate columns --rows {rows} --files {files} --format {format} {path}"
    ));
    assert_eq!(made.code, 0, "{made:?}");
    assert!(
        made.err
            .contains(&format!("{files} files of {rows} rows each")),
        "{made:?}"
    );
    folder
}

fn files(folder: &TempDir) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// `columns` of x and price with a predicate, which has spaces in it.
fn ask(arguments: &str, predicate: &str, files: &[PathBuf]) -> Ended {
    let mut command = triway(arguments);
    command.args(["--where", predicate]).args(files);
    start(command.stdin(Stdio::null())).end()
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn each_format_and_model_and_split_comes_to_the_same() {
    let total = tempdir().unwrap();
    let total = total.path().join("total.json");
    let mut totals = Vec::new();
    for format in ["csv", "parquet", "arrow"] {
        let folder = generated(20_000, 3, format);
        for model in ["sequential", "threads", "processes", "async", "hybrid"] {
            for split in ["", "--split=100KiB"] {
                let arguments = format!(
                    "run columns --column price -m {model} {split} --total {}",
                    total.display()
                );
                let predicate = "x > 50 and kind == \"a\" and day >= 2026-03-01";
                let ended = ask(&arguments, predicate, &files(&folder));
                assert_eq!(ended.code, 0, "{ended:?}");
                let parts = ended.outcomes().len();
                assert_eq!(
                    parts > 3,
                    !split.is_empty() && format == "csv",
                    "{parts} {format}"
                );
                totals.push(read(&total));
            }
        }
    }
    assert_eq!(totals[0]["rows"], 60_000);
    assert!(totals[0]["count"].as_u64().unwrap() > 1000, "{}", totals[0]);
    assert!(totals.iter().all(|other| *other == totals[0]), "{totals:?}");
}

#[test]
fn the_example_is_compared_under_every_model() {
    let ended = run("compare columns --rounds 2");
    assert_eq!(ended.code, 0, "{ended:?}");
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["results_equal"], true, "{report}");
    assert_eq!(report["inputs"], 8);
    let ran = report["models"].as_array().unwrap();
    let ran = ran.iter().filter(|arm| arm["succeeded"] == 8);
    assert_eq!(ran.count(), 4, "{report}");
    assert!(
        ended.err.contains("8 batches of a million whole numbers"),
        "{}",
        ended.err
    );
}

#[test]
fn the_total_is_told_and_written() {
    let folder = tempdir().unwrap();
    let csv = folder.path().join("a.csv");
    fs::write(&csv, "x,y\n1,0.1\n2,0.2\n,\n4,0.3\n").unwrap();
    let csv = csv.display();
    let ended = run(&format!(
        "run columns --column y {csv} {csv} -o {}/out --total -",
        folder.path().display()
    ));
    assert_eq!(ended.code, 0, "{ended:?}");
    let expected = json!({"count": 6, "sum": 1.2, "avg": 0.2, "min": 0.1, "max": 0.3, "rows": 8});
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), expected);
    assert!(
        ended.err.contains("total: count 6 of 8 rows, sum 1.2,"),
        "{}",
        ended.err
    );

    let nothing = ask(
        "run columns --column x",
        "x > 9",
        &[folder.path().join("a.csv")],
    );
    let none = json!({"count": 0, "sum": null, "avg": null, "min": null, "max": null, "rows": 4});
    assert_eq!(nothing.outcomes()[0]["output"], none);
}

/// A file, and what is said of it.
const BAD: &[(&str, &[u8], &str, &str)] = &[
    ("empty.csv", b"", "bad-file", "the file is empty"),
    ("blank.csv", b"\n\n", "bad-file", "the file is empty"),
    ("header.csv", b"x,y\n", "bad-file", "a header and no row"),
    (
        "ragged.csv",
        b"x,y\n1,2\n3\n",
        "bad-file",
        "row 2: the record has 1 fields, and the header has 2",
    ),
    (
        "wide.csv",
        b"x,y\n1,2\n3,4,5\n",
        "bad-file",
        "row 2: the record has 3 fields",
    ),
    (
        "binary.csv",
        b"x,y\n1,2\n\0,4\n",
        "bad-file",
        "row 2: there is a NUL byte",
    ),
    (
        "latin.csv",
        b"x,\xe9\n1,2\n",
        "bad-file",
        "the header is not UTF-8",
    ),
    (
        "open.csv",
        b"x,y\n1,2\n3,\"4\n",
        "bad-file",
        "row 2: a quote is never closed",
    ),
    (
        "other.csv",
        b"a,b\n1,2\n",
        "no-such-column",
        "there is no column `x`; there are a, b",
    ),
    (
        "text.csv",
        b"x,y\na,2\n",
        "wrong-type",
        "the column `x` is one of texts, which does not compare with the number 0",
    ),
    (
        "packed.csv.gz",
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\x02",
        "bad-file",
        "the gzip file is damaged",
    ),
    (
        "plain.csv.gz",
        b"x,y\n1,2\n",
        "bad-file",
        "the gzip file is damaged",
    ),
    (
        "a.parquet",
        b"x,y\n1,2\n",
        "bad-file",
        "this is no Parquet file",
    ),
    (
        "b.parquet",
        b"PAR1 and nothing else",
        "bad-file",
        "the Parquet file is damaged or was cut off",
    ),
    (
        "a.arrow",
        b"x,y\n1,2\n",
        "bad-file",
        "this is no Arrow IPC file",
    ),
    (
        "b.arrow",
        b"ARROW1\0\0and nothing else",
        "bad-file",
        "the Arrow IPC file is damaged or was cut off",
    ),
];

#[test]
fn a_bad_file_costs_itself_alone() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut files = Vec::new();
    for (name, bytes, ..) in BAD {
        fs::write(path(name), bytes).unwrap();
        files.push(path(name));
    }
    fs::write(path("good.csv"), "x,y\n1,2\n3,4\n").unwrap();
    files.extend([
        path("missing.csv"),
        folder.path().to_owned(),
        path("good.csv"),
    ]);
    for split in ["", "--split=1"] {
        let ended = ask(
            &format!("run columns --column x -m threads {split}"),
            "x > 0",
            &files,
        );
        assert_eq!(ended.code, 1, "{ended:?}");
        let outcomes = ended.outcomes();
        let expected = BAD
            .iter()
            .map(|(name, _, kind, words)| (*name, *kind, *words))
            .chain([
                ("missing.csv", "no-file", "there is no such file"),
                ("", "unreadable", "this is a directory"),
            ]);
        let mut failed = outcomes
            .iter()
            .filter(|outcome| outcome["status"] == "failed");
        for (name, kind, words) in expected {
            let outcome = failed.next().unwrap_or_else(|| panic!("{name}: {ended:?}"));
            assert!(
                outcome["input"].as_str().unwrap().contains(name),
                "{name}: {outcome}"
            );
            assert_eq!(outcome["error"]["kind"], kind, "{name}: {outcome}");
            let message = outcome["error"]["message"].as_str().unwrap();
            assert!(message.contains(words), "{name}: {message}");
        }
        assert!(failed.next().is_none(), "{ended:?}");
        assert!(ended.err.contains("sum 4"), "{}", ended.err);
        assert!(ended.err.contains("are not in it"), "{}", ended.err);
    }
}

/// A file or a part of one, the kind of failure and what is said; nothing where all is well.
const PARTS: &[(&str, &str, &str)] = &[
    ("a.csv#bytes=4..8,row=1", "", ""),
    (
        "a.csv#bytes=5..8,row=1",
        "bad-file",
        "no line ends before byte 5",
    ),
    (
        "a.csv#bytes=4..7,row=1",
        "bad-file",
        "no line ends before byte 7",
    ),
    (
        "a.csv#bytes=4..900,row=1",
        "bad-file",
        "the file has 12 bytes",
    ),
    ("a.csv#bytes=8..4,row=1", "bad-file", "beyond them"),
    ("a.csv#row-groups=0..1", "bad-file", "no such parts"),
    ("ARROW#bytes=4..8,row=1", "bad-file", "no such parts"),
    (
        "ARROW#batches=0..2",
        "bad-file",
        "the file has 1 record batches",
    ),
    (
        "ARROW#batches=1..0",
        "bad-file",
        "the file has 1 record batches",
    ),
    (
        "twice.csv",
        "ambiguous-column",
        "several columns are called `x`",
    ),
    ("pipe", "unreadable", "only plain files can be read"),
];

/// A part is named by somebody who may be wrong about the file, and a file may be none that can be read.
#[test]
fn what_is_no_part_of_a_file_is_refused() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.csv"), "x,y\n1,2\n3,4\n").unwrap();
    fs::write(path("twice.csv"), "x,x\n1,2\n").unwrap();
    mknodat(
        CWD,
        path("pipe"),
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .unwrap();
    let arrow = generated(10, 2, "arrow");
    let arrow = arrow.path().join("part-0.arrow");
    for (name, kind, words) in PARTS {
        let name = name.replace("ARROW", &arrow.display().to_string());
        let ended = run(&format!(
            "run columns --column x -- {}",
            path(&name).display()
        ));
        let outcome = &ended.outcomes()[0];
        assert_eq!(
            outcome["error"]["kind"].as_str().unwrap_or_default(),
            *kind,
            "{outcome}"
        );
        let message = outcome["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{outcome}");
    }
}

/// The types are those of the first rows, as far as --typed-rows goes.
#[test]
fn a_value_of_another_type_is_named_with_its_row() {
    let folder = tempdir().unwrap();
    let csv = folder.path().join("a.csv");
    let rows: String = (0..1500).map(|n| format!("{n}\n")).collect();
    fs::write(&csv, format!("x\n{rows}2.5\n")).unwrap();
    let csv = csv.display();
    let ended = run(&format!("run columns --column x {csv}"));
    let error = &ended.outcomes()[0]["error"];
    assert_eq!(error["kind"], "bad-value");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("row 1501: `2.5` in the column `x`"),
        "{message}"
    );
    assert!(message.contains("--typed-rows"), "{message}");
    let ended = run(&format!("run columns --column x --typed-rows 2000 {csv}"));
    assert_eq!(ended.outcomes()[0]["output"]["max"], 1499.0);
}

#[test]
fn a_file_that_vanishes_in_between_is_missed_alone() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["a.csv", "b.csv"] {
        fs::write(path(name), "x\n1\n").unwrap();
    }
    let mut started = start(
        triway("run columns --column x --files-from - -m sequential -o")
            .arg(path("out"))
            .stdin(Stdio::piped()),
    );
    let mut names = started.stdin();
    writeln!(names, "{}", path("a.csv").display()).unwrap();
    while fs::read_to_string(path("out")).map_or(0, |text| text.lines().count()) < 1 {
        thread::yield_now();
    }
    fs::remove_file(path("b.csv")).unwrap();
    writeln!(
        names,
        "{}\n{}",
        path("b.csv").display(),
        path("a.csv").display()
    )
    .unwrap();
    drop(names);
    assert_eq!(started.end().code, 1);
    let out = BufReader::new(File::open(path("out")).unwrap());
    let out = out
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    let kinds: Vec<Value> = out
        .map(|line: Value| line["error"]["kind"].clone())
        .collect();
    assert_eq!(kinds, [json!(null), json!("no-file"), json!(null)]);
}

#[test]
fn csv_is_read_as_it_is_said_to_be_written() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.csv"), "x;y\n1,5;NA\n\"2;5\";7\nNA;-\n").unwrap();
    fs::write(path("a.tsv"), "x\ty\na,b\t5\n").unwrap();
    for (arguments, name, output) in [
        (
            "--column y --delimiter ; --null NA --null -",
            "a.csv",
            json!({"count": 1, "sum": 7, "avg": 7.0, "min": 7, "max": 7, "rows": 3}),
        ),
        (
            "--column x --delimiter ; --null NA",
            "a.csv",
            json!({"count": 2, "sum": null, "avg": null, "min": "1,5", "max": "2;5", "rows": 3}),
        ),
        (
            "--column y",
            "a.tsv",
            json!({"count": 1, "sum": 5, "avg": 5.0, "min": 5, "max": 5, "rows": 1}),
        ),
    ] {
        let ended = run(&format!("run columns {arguments} {}", path(name).display()));
        assert_eq!(ended.outcomes()[0]["output"], output, "{arguments} {name}");
    }
}

/// What is typed, and what is said about it. All of it ends with 2.
#[test]
fn what_cannot_be_asked_is_refused() {
    for (arguments, said) in [
        ("run columns LIST", "--column NAME"),
        (
            "run columns --column x --where x LIST",
            "at character 2: one of == !=",
        ),
        (
            "run columns --column x --where x>>5 LIST",
            "at character 3: a value is expected",
        ),
        (
            "run columns --column x --where x==null LIST",
            "write `is null`",
        ),
        (
            "run columns --column x --split=0 LIST",
            "no part can have nothing in it",
        ),
        (
            "run columns --column x --delimiter ab LIST",
            "one ASCII character",
        ),
        (
            "run columns --column x --total - LIST",
            "standard output has the outcomes",
        ),
        ("compare columns --total t", "a comparison has no total"),
        (
            "run columns --column x --files-from MISSING",
            "there is no file MISSING",
        ),
        ("generate columns --rows -1 d", "--rows"),
    ] {
        let ended = run_with(arguments, b"");
        assert_eq!(ended.code, 2, "{arguments}: {ended:?}");
        assert!(ended.err.contains(said), "{arguments}: {}", ended.err);
    }
    let folder = generated(10, 2, "csv");
    let path = folder.path().display();
    let again = run(&format!(
        "generate columns --rows 10 --files 2 --format csv {path}"
    ));
    assert_eq!(again.code, 2);
    assert!(
        again.err.contains("nothing is overwritten"),
        "{}",
        again.err
    );
}
