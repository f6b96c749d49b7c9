//! `sql` on SQLite: what users type, rows that cannot be written, many writers, and other programs on the same file.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::program::{Ended, run, start, triway};

const SETUP: &str =
    "create table users(id integer primary key, name text not null, email text unique,
    age integer check (age > 0)) strict;";
const INSERT: &str = "insert into users(name, email, age) values (:name, :email, :age)";

/// A folder with a setup, and with rows.
fn folder(rows: &str) -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("setup.sql"), SETUP).unwrap();
    fs::write(folder.path().join("rows.jsonl"), rows).unwrap();
    folder
}

/// Runs a statement on the database in this folder.
fn sql(folder: &TempDir, statement: &str, arguments: &str) -> Ended {
    start(&mut command(folder, statement, arguments)).end()
}

fn command(folder: &TempDir, statement: &str, arguments: &str) -> Command {
    let mut command = triway("run sql");
    command
        .arg(statement)
        .args(["--db", "sqlite:users.db"])
        .args(arguments.split_whitespace())
        .current_dir(folder.path())
        .stdin(Stdio::null());
    command
}

/// What Python's own SQLite finds.
pub(crate) fn python(folder: &Path, query: &str) -> Value {
    let script = "import json, sqlite3, sys\n\
                  print(json.dumps(sqlite3.connect('users.db').execute(sys.argv[1]).fetchall()))";
    let output = Command::new("python3")
        .args(["-c", script, query])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn rows(count: u64) -> String {
    let row =
        |n| json!({"name": format!("User {n}"), "email": format!("u{n}@x"), "age": n}).to_string();
    (1..=count).map(|n| row(n) + "\n").collect()
}

#[test]
fn rows_are_written_and_read_by_others() {
    let folder = folder("");
    fs::write(
        folder.path().join("rows.csv"),
        "name,email,age\nAda,ada@x,36\n\"Grace \"\"G\"\"\nHopper\",,85\n",
    )
    .unwrap();
    let ended = sql(
        &folder,
        INSERT,
        "rows.csv --setup setup.sql -m sequential --verify select/**/count(*)/**/as/**/n/**/from/**/users",
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.err.contains("verify: {\"rows\":[{\"n\":2}]}"),
        "{}",
        ended.err
    );
    assert!(
        ended
            .outcomes()
            .iter()
            .all(|outcome| outcome["output"] == json!({"changes": 1}))
    );
    assert_eq!(
        python(
            folder.path(),
            "select name, email, age from users order by id"
        ),
        json!([["Ada", "ada@x", 36], ["Grace \"G\"\nHopper", null, 85]])
    );
    let found = sql(
        &folder,
        "select name, age from users where age > :age",
        "-- {\"age\":40}",
    );
    assert_eq!(
        found.outcomes()[0]["output"],
        json!({"rows": [{"name": "Grace \"G\"\nHopper", "age": 85}]})
    );
}

/// A row, the kind of failure and what is said; nothing where all is well.
const ROWS: &[(&str, &str, &str)] = &[
    (r#"{"name":"Ada","email":"a@x","age":36}"#, "", ""),
    (
        r#"{"name":"Bob","email":"b@x"}"#,
        "bad-input",
        "no value for :age; it has email, name",
    ),
    (
        r#"{"name":null,"email":null,"age":1}"#,
        "constraint",
        "NOT NULL constraint failed: users.name",
    ),
    (
        r#"{"name":"Cid","email":"a@x","age":1}"#,
        "constraint",
        "UNIQUE constraint failed: users.email",
    ),
    (
        r#"{"name":"Dan","email":null,"age":0}"#,
        "constraint",
        "CHECK constraint failed",
    ),
    (
        r#"{"name":"Eve","email":null,"age":"old"}"#,
        "constraint",
        "cannot store TEXT value in INTEGER column users.age",
    ),
    (r#"["Flo"]"#, "bad-input", "no JSON object"),
    (
        r#"{"name":"'); drop table users; --","email":null,"age":7}"#,
        "",
        "",
    ),
    ("", "bad-input", "the input is empty"),
];

#[test]
fn a_bad_row_costs_itself_alone() {
    let lines: Vec<&str> = ROWS.iter().map(|(row, ..)| *row).collect();
    let folder = folder(&(lines.join("\n") + "\n"));
    for (time, model) in [
        "sequential",
        "threads",
        "processes",
        "async",
        "async --group",
    ]
    .into_iter()
    .enumerate()
    {
        let _fresh = fs::remove_file(folder.path().join("users.db"));
        let ended = sql(
            &folder,
            INSERT,
            &format!("rows.jsonl --setup setup.sql -m {model} -c 1"),
        );
        assert_eq!(ended.code, 1, "{ended:?}");
        for (outcome, (row, kind, words)) in ended.outcomes().iter().zip(ROWS) {
            let error = &outcome["error"];
            assert_eq!(
                error["kind"].as_str().unwrap_or_default(),
                *kind,
                "{row}: {outcome}"
            );
            let message = error["message"].as_str().unwrap_or_default();
            assert!(message.contains(words), "{row}: {message}");
        }
        let names = python(folder.path(), "select name from users order by id");
        assert_eq!(
            names,
            json!([["Ada"], ["'); drop table users; --"]]),
            "{time}"
        );
    }
}

/// In a commit that is shared, too.
#[test]
fn a_bad_row_in_a_group_costs_itself_alone() {
    let row = |n: u64| json!({"name": format!("User {n}"), "email": null, "age": n % 100});
    let text: String = (0..3000).map(|n| format!("{}\n", row(n))).collect();
    let folder = folder(&text);
    for model in ["async", "threads", "hybrid --processes 2"] {
        let _fresh = fs::remove_file(folder.path().join("users.db"));
        let options = format!("rows.jsonl --setup setup.sql --group -m {model} -c 64");
        let ended = sql(&folder, INSERT, &options);
        assert_eq!(ended.code, 1, "{}", ended.err);
        for (n, outcome) in ended.outcomes().iter().enumerate() {
            let bad = n % 100 == 0;
            let kind = &outcome["error"]["kind"];
            assert_eq!(kind.as_str(), bad.then_some("constraint"), "{outcome}");
        }
        let query = "select count(*), count(distinct name), min(age) from users";
        assert_eq!(
            python(folder.path(), query),
            json!([[2970, 2970, 1]]),
            "{model}"
        );
    }
}

/// Such a row takes the whole transaction with it, and what comes after it must not be written on its own.
#[test]
fn a_row_that_ends_the_transaction_of_its_group_has_nothing_written_twice() {
    let mut all = rows(200);
    all.insert_str(0, "{\"name\":\"twice\",\"email\":\"u7@x\",\"age\":1}\n");
    let folder = folder(&all);
    for model in ["threads", "async"] {
        let _fresh = fs::remove_file(folder.path().join("users.db"));
        let insert = "insert or rollback into users(name, email, age) values (:name, :email, :age)";
        let options = format!("rows.jsonl --setup setup.sql -m {model} -c 64 --group -q");
        let ended = sql(&folder, insert, &options);
        assert_eq!(ended.code, 1, "{ended:?}");
        let ok = ended
            .outcomes()
            .iter()
            .filter(|one| one["status"] == "ok")
            .count();
        assert_eq!(ok, 200, "{model}");
        assert_eq!(
            python(
                folder.path(),
                "select count(*), count(distinct email), max(id) >= 200 from users"
            ),
            json!([[200, 200, 1]]),
            "{model}"
        );
    }
}

#[test]
fn numbers_that_do_not_fit_are_not_rounded() {
    let folder = folder("");
    assert_eq!(sql(&folder, "select 1", "--setup setup.sql -- {}").code, 0);
    for number in ["12345678901234567890", "1e400"] {
        let ended = sql(&folder, "select :n as n", &format!("-- {{\"n\":{number}}}"));
        let error = &ended.outcomes()[0]["error"];
        assert_eq!(error["kind"], "wrong-type", "{error}");
    }
    for (json, stored) in [
        ("9223372036854775807", "9223372036854775807"),
        ("1e2", "100.0"),
        ("-0.1", "-0.1"),
    ] {
        let ended = sql(
            &folder,
            "select :n as n, typeof(:n) as type",
            &format!("-- {{\"n\":{json}}}"),
        );
        assert!(
            ended.out.contains(&format!("{{\"n\":{stored},")),
            "{}",
            ended.out
        );
    }
}

#[test]
fn sixteen_writers_never_find_it_locked() {
    let folder = folder(&rows(2000));
    for model in ["threads", "processes", "hybrid --processes 4"] {
        let _fresh = fs::remove_file(folder.path().join("users.db"));
        // A file as others make it: the lanes bring it into write-ahead mode while they open it together.
        python(folder.path(), SETUP);
        let ended = sql(
            &folder,
            INSERT,
            &format!("rows.jsonl -m {model} -c 16 -o out"),
        );
        assert_eq!(ended.code, 0, "{ended:?}");
        let query = "select count(*), count(distinct email), sum(age) from users";
        assert_eq!(
            python(folder.path(), query),
            json!([[2000, 2000, 2_001_000]]),
            "{model}"
        );
        assert_eq!(
            python(folder.path(), "pragma integrity_check"),
            json!([["ok"]])
        );
    }
}

/// Python with a lock on the database for so many seconds, once it has it.
fn locked(folder: &TempDir, seconds: &str) -> Child {
    let script = "import sqlite3, sys, time\n\
                  db = sqlite3.connect('users.db', isolation_level=None)\n\
                  db.execute('begin immediate')\n\
                  print('locked', flush=True)\n\
                  time.sleep(float(sys.argv[1]))\n\
                  db.execute('rollback')";
    let mut process = Command::new("python3")
        .args(["-c", script, seconds])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "locked\n");
    process
}

#[test]
fn another_programs_lock_is_waited_for_until_the_time_limit() {
    let folder = folder(&rows(20));
    assert_eq!(sql(&folder, "select 1", "--setup setup.sql -- {}").code, 0);
    let mut other = locked(&folder, "1");
    let ended = sql(&folder, INSERT, "rows.jsonl -m threads -c 8 --timeout 30s");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(other.wait().unwrap().success());

    let mut other = locked(&folder, "60");
    for model in ["threads", "processes"] {
        let ended = sql(
            &folder,
            "delete from users",
            &format!("-m {model} --timeout 300ms -- {{}}"),
        );
        assert_eq!(ended.code, 1, "{ended:?}");
        let outcome = &ended.outcomes()[0];
        assert_eq!(outcome["status"], "timeout", "{outcome}");
    }
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(
        python(folder.path(), "select count(*) from users"),
        json!([[20]])
    );
}

#[test]
fn files_that_are_no_database_say_so() {
    let folder = folder(&rows(1));
    let path = folder.path().join("users.db");
    fs::write(&path, "this is a letter and no database at all".repeat(100)).unwrap();
    let ended = sql(&folder, INSERT, "rows.jsonl");
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.err.contains("file is not a database"),
        "{}",
        ended.err
    );
}

/// Pages in the middle are overwritten: rows that need them fail, and it is said why.
#[test]
fn a_damaged_file_fails_what_needs_the_damaged_pages() {
    let folder = folder(&rows(3000));
    let setup = sql(
        &folder,
        INSERT,
        "rows.jsonl --setup setup.sql -m async -c 64 --group -o out",
    );
    assert_eq!(setup.code, 0, "{setup:?}");
    python(folder.path(), "pragma wal_checkpoint(truncate)");
    let path = folder.path().join("users.db");
    let mut bytes = fs::read(&path).unwrap();
    let pages = bytes.len() / 4096;
    for page in pages / 2..pages * 3 / 4 {
        bytes[page * 4096..][..4096].fill(0xa5);
    }
    fs::write(&path, &bytes).unwrap();
    let select = "select count(*) as n from users where id between :a and :a + 5 and name > ''";
    let asked: String = (0..30)
        .map(|n| format!("{{\"a\":{}}}\n", n * 100))
        .collect();
    fs::write(folder.path().join("asked"), asked).unwrap();
    let ended = sql(&folder, select, "asked -m threads -c 2");
    assert_eq!(ended.code, 1, "{ended:?}");
    let outcomes = ended.outcomes();
    let kinds: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome["error"]["kind"].as_str())
        .collect();
    assert!(!kinds.is_empty() && kinds.len() < 30, "{kinds:?}");
    assert!(kinds.iter().all(|kind| *kind == "corrupt"), "{kinds:?}");
}

/// As another user than root, who may write everywhere.
#[test]
fn a_file_that_may_not_be_written_says_so() {
    let folder = folder(&rows(3));
    assert_eq!(sql(&folder, "select 1", "--setup setup.sql -- {}").code, 0);
    python(folder.path(), "pragma journal_mode = delete");
    for (path, mode) in [
        (folder.path().join("users.db"), 0o444),
        (folder.path().to_owned(), 0o555),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut command = command(&folder, INSERT, "rows.jsonl");
    if rustix::process::geteuid().is_root() {
        let program = command.get_program().to_owned();
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        command = Command::new("setpriv");
        command
            .args("--reuid nobody --clear-groups --".split(' '))
            .arg(program)
            .args(arguments);
        command.current_dir(folder.path()).stdin(Stdio::null());
    }
    let ended = start(&mut command).end();
    let said = ended.err.contains("readonly") || ended.out.contains("readonly");
    assert!(ended.code != 0 && said, "{ended:?}");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

/// SQLite gets no more room in the middle of a run: what has an outcome that succeeded is there, and nothing else.
#[test]
fn a_full_disk_fails_what_is_not_there() {
    let folder = folder(&rows(3000));
    assert_eq!(sql(&folder, "select 1", "--setup setup.sql -- {}").code, 0);
    let mut triway = command(&folder, INSERT, "rows.jsonl -c 4 -q");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -f 300; exec \"$0\" \"$@\""])
        .arg(triway.get_program());
    shell
        .args(triway.get_args())
        .current_dir(folder.path())
        .stdin(Stdio::null());
    triway.stdin(Stdio::null());
    let ended = start(&mut shell).end();
    assert_eq!(ended.code, 1, "{}", ended.err);
    let outcomes = ended.outcomes();
    let written = outcomes
        .iter()
        .filter(|outcome| outcome["status"] == "ok")
        .count();
    assert!((1..3000).contains(&written), "{written}");
    let failed = outcomes
        .iter()
        .find(|outcome| outcome["status"] == "failed")
        .unwrap();
    let kind = failed["error"]["kind"].as_str().unwrap();
    assert!(["disk-full", "io"].contains(&kind), "{failed}");
    assert_eq!(
        python(folder.path(), "select count(*) from users"),
        json!([[written]])
    );
    assert_eq!(
        python(folder.path(), "pragma integrity_check"),
        json!([["ok"]])
    );
}

/// What is typed, and what is said about it. All of it ends with 2.
#[test]
fn what_cannot_be_executed_is_refused() {
    let folder = folder(&rows(1));
    assert_eq!(sql(&folder, "select 1", "--setup setup.sql -- {}").code, 0);
    for (statement, arguments, said) in [
        (
            "insert into users valeus (:a)",
            "rows.jsonl",
            "near \"valeus\": syntax error (line 1, character 19",
        ),
        (
            "insert into nobody values (:a)",
            "rows.jsonl",
            "no such table: nobody",
        ),
        (
            "select 1; select 2",
            "rows.jsonl",
            "a second statement begins here",
        ),
        (
            "select 'a",
            "rows.jsonl",
            "character 8: this quote is never closed",
        ),
        ("select 1", "", "no rows"),
        (
            "select 1",
            "rows.jsonl --setup users.db",
            "stream did not contain valid UTF-8",
        ),
        (
            "select 1",
            "rows.jsonl --verify select/**/x",
            "--verify: no such column: x",
        ),
    ] {
        let ended = sql(&folder, statement, arguments);
        assert_eq!(ended.code, 2, "{statement}: {ended:?}");
        assert!(ended.err.contains(said), "{statement}: {}", ended.err);
    }
    let missing = run("run sql select+1 --db sqlite:/nowhere/x.db -- {}");
    assert!(
        missing.err.contains("there is no file /nowhere/x.db"),
        "{}",
        missing.err
    );
    let mut bad = fs::File::create(folder.path().join("bad.sql")).unwrap();
    writeln!(bad, "create table made(x); create tabel t(x);").unwrap();
    let ended = sql(&folder, "select 1", "--setup bad.sql -- {}");
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(
        python(
            folder.path(),
            "select count(*) from sqlite_master where name = 'made'"
        ),
        json!([[0]])
    );
}

#[test]
fn the_example_counts_its_rows() {
    let ended = run("run sql -o /dev/null");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.err.contains("verify: {\"rows\":[{\"users\":1000}]}"),
        "{}",
        ended.err
    );
}

/// Whether a row is committed within its time limit or late, its outcome says so; nothing is written twice for it.
#[test]
fn what_was_committed_late_is_told_as_committed() {
    let folder = folder("");
    let rows: String = (1..=1500).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    fs::write(folder.path().join("rows.jsonl"), rows).unwrap();
    for options in [
        "-m threads -c 4 --timeout 300us",
        "-m async -c 4 --timeout 300us",
        "-m processes -c 4 --timeout 300us",
        "-m async -c 64 --group --timeout 300us",
        "-m hybrid --processes 2 --inner async -c 8 --timeout 300us",
        "-m threads -c 4 --timeout 1ms --retries 3",
        "-m async -c 4 --timeout 1ms --retries 3",
    ] {
        let _fresh = fs::remove_file(folder.path().join("users.db"));
        python(folder.path(), "create table t(n integer)");
        let insert = "insert into t(n) values (:n)";
        let ended = sql(
            &folder,
            insert,
            &format!("rows.jsonl -q --grace 30s {options}"),
        );
        let outcomes = ended.outcomes();
        let committed = outcomes.iter().filter(|one| one["status"] == "ok").count();
        assert_eq!(outcomes.len(), 1500, "{options}");
        assert_eq!(
            python(folder.path(), "select count(*), count(distinct n) from t"),
            json!([[committed, committed]]),
            "{options}"
        );
    }
}
