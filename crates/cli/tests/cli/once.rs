//! `sql` with a journal that is killed again and again: each row is there once.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use rustix::process::Signal;
use serde_json::json;
use tempfile::tempdir;

use crate::{
    program::{start, triway},
    statements::python,
};

/// Nothing in this table would refuse a row that is written twice.
const TABLE: &str = "create table log(n integer)";

fn writing(folder: &Path, options: &str) -> Command {
    let mut command = triway("run sql");
    command
        .arg("insert into log(n) values (:n)")
        .args(
            "rows.jsonl --db sqlite:users.db --journal journal --resume --durability flush -o out"
                .split(' '),
        )
        .args(options.split(' '))
        .current_dir(folder);
    command
}

#[test]
fn a_run_that_is_killed_again_and_again_writes_each_row_once() {
    for (options, rows) in [
        ("-m threads -c 4", 4000),
        ("-m processes -c 3", 3000),
        ("-m async -c 32 --group", 40_000),
        ("-m threads -c 32 --group", 40_000),
    ] {
        // A quick machine is done before it is killed.
        let mut more = (0..6).map(|doubled| rows << doubled);
        assert!(
            more.any(|rows| killed(options, rows) > 1),
            "{options}: it was not killed often enough"
        );
    }
}

/// Kills a run until one comes to its end, and looks whether each row is there once; how often it was killed.
fn killed(options: &str, rows: u64) -> u64 {
    let folder = tempdir().unwrap();
    let lines: String = (0..rows).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    fs::write(folder.path().join("rows.jsonl"), lines).unwrap();
    python(folder.path(), TABLE);
    let mut kills = 0;
    loop {
        let run = start(&mut writing(folder.path(), options));
        // Longer each time, so that it comes to an end on a slow machine as well.
        thread::sleep(Duration::from_millis(40 + 20 * kills + fastrand::u64(..60)));
        run.signal(Signal::KILL);
        let ended = run.end();
        if ended.code == 0 {
            break;
        }
        assert_eq!(ended.code, 1009, "{options}: {ended:?}");
        kills += 1;
    }
    assert_eq!(
        python(
            folder.path(),
            "select count(*), count(distinct n), sum(n) from log"
        ),
        json!([[rows, rows, rows * (rows - 1) / 2]]),
        "{options}: {kills} kills"
    );
    let outcomes = fs::read_to_string(folder.path().join("out")).unwrap();
    assert_eq!(
        outcomes.matches("{\"changes\":1}").count() as u64,
        rows,
        "{options}"
    );
    assert_eq!(
        python(folder.path(), "pragma integrity_check"),
        json!([["ok"]])
    );
    kills
}
