//! What comes before statements and after them: `--setup` and `--verify`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;
use tempfile::tempdir;

use crate::{
    postgres::Postgres,
    program::{start, triway},
    statements::python,
};

fn command(folder: &Path, db: &str, statement: &str, options: &[&str]) -> Command {
    let mut command = triway("run sql");
    command
        .args([statement, "--db", db, "-q"])
        .args(options)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// Each looks before it writes, and meanwhile another one may have written.
#[test]
fn setups_at_the_same_time_wait_for_each_other() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    let setup = "select count(*) from sqlite_schema; create table if not exists t(n); \
        insert into t with recursive c(x) as (select 1 union all select x + 1 from c limit 1000) select x from c;";
    fs::write(path.join("setup.sql"), setup).unwrap();
    let insert = "insert into t values (:n)";
    let options = ["--setup", "setup.sql", "--", "{\"n\":1}"];
    for round in 1..=5 {
        let started: Vec<_> = (0..6)
            .map(|_| start(&mut command(path, "sqlite:users.db", insert, &options)))
            .collect();
        for one in started {
            let ended = one.end();
            assert_eq!(ended.code, 0, "{ended:?}");
        }
        let rows = python(path, "select count(*) from t");
        assert_eq!(rows, json!([[round * 6 * 1001]]));
    }
}

/// A setup that begins anew would undo what is not executed again.
#[test]
fn a_run_that_goes_on_is_not_set_up_again() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    goes_on(path, "sqlite:users.db");
    assert_eq!(python(path, "select sum(n) from t"), json!([[15]]));
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    goes_on(server.folder.path(), &server.url());
    assert_eq!(server.psql("select sum(n) from t"), "15");
}

/// Three rows, of which the journal loses two; then two more, and all are there.
fn goes_on(path: &Path, db: &str) {
    let setup = "drop table if exists t; create table t(n integer);";
    fs::write(path.join("setup.sql"), setup).unwrap();
    let journal = path.join("journal");
    let mut cut = 0;
    for rows in [0, 3, 5] {
        let lines: String = (1..=rows).map(|n| format!("{{\"n\":{n}}}\n")).collect();
        fs::write(path.join("rows"), lines).unwrap();
        let options = "rows --setup setup.sql --journal journal --resume -m sequential";
        let options: Vec<_> = options.split(' ').collect();
        let ended = start(&mut command(
            path,
            db,
            "insert into t values (:n)",
            &options,
        ))
        .end();
        assert_eq!(ended.code, 0, "{ended:?}");
        let length = fs::metadata(&journal).unwrap().len();
        if rows == 3 {
            // As if it had been killed between a commit and what the journal says of it.
            let journal = fs::File::options().write(true).open(&journal).unwrap();
            journal.set_len(cut).unwrap();
        }
        cut = length;
    }
}

#[test]
fn a_query_that_verifies_changes_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    python(path, "create table t as select 1 as n");
    let insert = "insert into t values (:n)";
    for (query, said) in [
        ("delete from t", "--verify: it is to be a query"),
        ("insert into t values (7) returning n", "--verify: it is to"),
        ("select :n", "--verify: there is no row for :n"),
    ] {
        let options = ["--verify", query, "--", "{\"n\":2}"];
        let ended = start(&mut command(path, "sqlite:users.db", insert, &options)).end();
        assert!(
            ended.code == 2 && ended.err.contains(said),
            "{query}: {ended:?}"
        );
    }
    assert_eq!(python(path, "select count(*) from t"), json!([[1]]));
}

#[test]
fn a_query_that_verifies_changes_nothing_on_a_server() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    let path = server.folder.path();
    server.psql(
        "create table t(n int); create function add(n int) returns void language sql as $$ insert into t values (n) $$",
    );
    let insert = "insert into t values (:n)";
    for (query, code, said) in [
        ("delete from t", 2, "--verify: it is to be a query"),
        ("select :n::int", 2, "--verify: there is no row for :n"),
        // Only the server knows what a function does.
        ("select add(5)", 3, "in a read-only transaction"),
    ] {
        server.psql("truncate t");
        let options = ["--verify", query, "--", "{\"n\":2}"];
        let ended = start(&mut command(path, &server.url(), insert, &options)).end();
        assert!(
            ended.code == code && ended.err.contains(said),
            "{query}: {ended:?}"
        );
        let rows = server.psql("select count(*), max(n) from t");
        assert_eq!(rows, if code == 3 { "1|2" } else { "0|" }, "{query}");
    }
}
