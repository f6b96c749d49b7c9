//! The forms that scripts rely on.

use std::fs;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::program::{run, run_with};

const KEYS: [&str; 10] = [
    "attempts",
    "error",
    "index",
    "input",
    "output",
    "queued_s",
    "run_s",
    "started_s",
    "status",
    "worker",
];

#[test]
fn an_outcome_has_the_promised_keys_under_every_model() {
    for model in ["sequential", "threads", "processes", "async"] {
        let ended = run_with(&format!("run cpu - -m {model}"), b"4\nx\n");
        let outcomes = ended.outcomes();
        for outcome in &outcomes {
            let keys: Vec<_> = outcome.as_object().unwrap().keys().collect();
            assert_eq!(keys, KEYS, "{model}");
        }
        assert_eq!(outcomes[0]["output"], json!({"sum": 4.146_264_369_941_973}));
        assert_eq!(outcomes[0]["error"], Value::Null);
        assert_eq!(outcomes[1]["output"], Value::Null);
        assert_eq!(outcomes[1]["attempts"], 1);
        assert!(outcomes[0]["run_s"].as_f64().unwrap() < 10.0);
        assert!(
            ended.err.contains(&format!("cpu under {model}@")),
            "{}",
            ended.err
        );
    }
}

#[test]
fn json_is_one_document() {
    let ended = run("run cpu --work none --inputs 3 --format json");
    let document: Vec<Value> = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(document.len(), 3);
}

#[test]
fn csv_has_a_header_and_quotes_what_needs_it() {
    let ended = run_with(
        "run cpu - --format csv --keep-order --work none",
        b"1\na,\"b\n\xff\n",
    );
    let lines: Vec<_> = ended.out.split("\r\n").collect();
    assert!(lines[0].starts_with("index,input,input_b64,status,output,error_kind"));
    assert!(
        lines[1].starts_with("0,1,,ok,\"{\"\"n\"\":1}\",,,1,"),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with("1,\"a,\"\"b\",,failed,,bad-input,"),
        "{}",
        lines[2]
    );
    assert!(lines[3].starts_with("2,,/w==,failed,"), "{}", lines[3]);
}

#[test]
fn csv_is_safe_to_open_and_to_look_at() {
    let input = b"=HYPERLINK(1)\n\x1b[31mred\n-5\n";
    let ended = run_with("run cpu - --format csv --keep-order --work none", input);
    let lines: Vec<_> = ended.out.split("\r\n").collect();
    for (line, begins) in [
        (lines[1], "0,'=HYPERLINK(1),PUhZUEVSTElOSygxKQ==,failed,"),
        (lines[2], "1,\\u001b[31mred,G1szMW1yZWQ=,failed,"),
        (lines[3], "2,-5,,failed,"),
    ] {
        assert!(line.starts_with(begins), "{line}");
    }
    assert!(!ended.out.contains('\x1b'));
}

#[test]
fn tables_are_for_people_and_nothing_in_them_is_obeyed() {
    let input = b"1\n\x1b[31mred|<b>\n";
    let table = run_with("run cpu - --format table --keep-order --work none", input);
    let lines: Vec<_> = table.out.lines().collect();
    assert!(
        lines[0].starts_with('✓') && lines[0].ends_with("1  n 1"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with('✗') && lines[1].contains("\\u{1b}[31mred"),
        "{}",
        lines[1]
    );
    assert!(!table.out.contains('\x1b'));
    let markdown = run_with("run cpu - --format md --keep-order --work none", input);
    assert!(markdown.out.contains("red\\|\\<b\\>"), "{}", markdown.out);
}

#[test]
fn a_file_says_by_its_name_which_format_it_wants() {
    let folder = tempdir().unwrap();
    for (name, more, begins) in [
        ("o.jsonl", "", "{\"index\":"),
        ("o.json", "", "[\n{\"index\":"),
        ("o.csv", "", "index,input"),
        ("o.md", "", "| # |"),
        ("o.txt", "", "{\"index\":"),
        ("p.csv", "--format table", "✓"),
    ] {
        let path = folder.path().join(name);
        let ended = run(&format!("run cpu --n 5 -o {} {more}", path.display()));
        assert_eq!((ended.code, &*ended.out), (0, ""), "{name}");
        let written = fs::read_to_string(path).unwrap();
        assert!(written.starts_with(begins), "{name}: {written}");
    }
}

#[test]
fn quiet_means_that_only_errors_are_said() {
    let ended = run("run cpu --n 5 -q");
    assert_eq!((ended.code, &*ended.err), (0, ""));
    let ended = run("run cpu --n 5 -q -o /dev/full");
    assert!(ended.err.contains("No space left"));
}

#[test]
fn the_summary_says_what_people_want_to_know() {
    let ended = run_with("run cpu - -c 2", b"5\n5\nx\n");
    for says in [
        "cpu under sequential@1, while it was still measured which is best",
        "2 of 3 succeeded (66.6 %)",
        "latency p50",
        "failed: 1 bad-input",
    ] {
        assert!(ended.err.contains(says), "no {says}: {}", ended.err);
    }
}

#[test]
fn csv_tells_apart_what_it_shows_alike() {
    let list = b"\0\n\\u0000\n=1\n'=1\n1\n";
    let ended = run_with("run cpu - --work none --keep-order --format csv", list);
    let cells = |line: &str| {
        let cells: Vec<_> = line.split(',').map(str::to_owned).collect();
        (cells[1].clone(), cells[2].clone())
    };
    let shown: Vec<_> = ended.out.lines().skip(1).map(cells).collect();
    let expected = [
        ("\\u0000", "AA=="),
        ("\\u0000", ""),
        ("'=1", "PTE="),
        ("'=1", ""),
        ("1", ""),
    ];
    let expected = expected.map(|(input, bytes)| (input.to_owned(), bytes.to_owned()));
    assert_eq!(shown, expected, "{}", ended.out);
}
