//! `sql` writes nothing over the database it works on, and a comparison nothing but copies.

use std::{fs, os::unix::fs::symlink, path::Path, process::Stdio};

use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::{
    postgres::Postgres,
    program::{Ended, start, triway},
    statements::python,
};

const INSERT: &str = "insert into t(n) values (:n)";

/// A folder with a database `users.db` that has three rows, one more beside it, and two rows to insert.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    python(
        folder.path(),
        "create table t as select value as n from json_each('[1, 2, 3]')",
    );
    fs::copy(
        folder.path().join("users.db"),
        folder.path().join("other.db"),
    )
    .unwrap();
    fs::write(folder.path().join("rows.jsonl"), "{\"n\":7}\n{\"n\":8}\n").unwrap();
    folder
}

fn sql(folder: &Path, verb: &str, statement: &str, options: &str) -> Ended {
    let mut command = triway(&format!("{verb} sql"));
    command
        .args([statement, "rows.jsonl"])
        .args(options.split_whitespace())
        .current_dir(folder);
    start(command.stdin(Stdio::null())).end()
}

fn count(folder: &Path) -> serde_json::Value {
    python(folder, "select count(*) from t")
}

#[test]
fn outcomes_and_journals_do_not_go_over_the_database() {
    for option in ["-o", "--journal"] {
        for name in [
            "users.db",
            "link.db",
            "hard.db",
            "users.db-wal",
            "users.db-shm",
            "users.db-journal",
            "./users.db",
            "setup.sql",
        ] {
            let folder = folder();
            let path = folder.path();
            symlink("users.db", path.join("link.db")).unwrap();
            fs::hard_link(path.join("users.db"), path.join("hard.db")).unwrap();
            fs::write(path.join("setup.sql"), "select 1;").unwrap();
            for db in ["users.db", "link.db"] {
                let options = format!("--db sqlite:{db} --setup setup.sql {option} {name}");
                let ended = sql(path, "run", INSERT, &options);
                assert_eq!(ended.code, 2, "{options}: {ended:?}");
                assert!(
                    ended.err.contains("must stay as it is"),
                    "{options}: {}",
                    ended.err
                );
            }
            assert_eq!(count(path), json!([[3]]), "{option} {name}");
            assert_eq!(
                fs::read_to_string(path.join("setup.sql")).unwrap(),
                "select 1;"
            );
        }
    }
    let folder = folder();
    let ended = sql(
        folder.path(),
        "compare",
        INSERT,
        "--db sqlite:users.db -o users.db",
    );
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(count(folder.path()), json!([[3]]));
}

#[test]
fn a_comparison_attaches_no_other_file() {
    let folder = folder();
    let path = folder.path();
    let attach = "attach 'other.db' as other; insert into other.t values (99);";
    fs::write(path.join("setup.sql"), attach).unwrap();
    let before = fs::read(path.join("other.db")).unwrap();
    let ended = sql(
        path,
        "compare",
        INSERT,
        "--db sqlite:users.db --setup setup.sql --rounds 1",
    );
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("attaches another file"), "{}", ended.err);
    assert_eq!(fs::read(path.join("other.db")).unwrap(), before);
    // Whoever runs it wants it.
    let ended = sql(
        path,
        "run",
        INSERT,
        "--db sqlite:users.db --setup setup.sql",
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_ne!(fs::read(path.join("other.db")).unwrap(), before);
    for verb in ["run", "compare"] {
        let ended = sql(
            path,
            verb,
            "attach 'other.db' as other",
            "--db sqlite:users.db",
        );
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("what is attached"), "{}", ended.err);
    }
}

#[test]
fn a_comparison_finds_no_table_but_its_own() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    server.psql("create schema mine; create table mine.u(n integer); create table t(n integer); create table audit(n integer); insert into audit values (1)");
    let folder = tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("rows.jsonl"), "{\"n\":7}\n{\"n\":8}\n").unwrap();
    for (setup, said) in [
        ("delete from audit", "audit"),
        ("delete from public.audit", "names the schema public"),
        ("insert into mine.u values (1)", "names the schema mine"),
        (
            "set search_path to public; delete from audit",
            "search_path",
        ),
        (
            "delete from public /* … */ . audit",
            "names the schema public",
        ),
        (
            "do $$ begin delete from public.audit; end $$",
            "names the schema public",
        ),
        (
            "do 'begin perform $a$it''s$a$; delete from public.audit; end'",
            "names the schema public",
        ),
        (
            "do $$ begin set search_path to public; delete from audit; end $$",
            "search_path",
        ),
    ] {
        fs::write(path.join("setup.sql"), setup).unwrap();
        let options = format!("--db {} --setup setup.sql --rounds 1", server.url());
        let ended = sql(path, "compare", INSERT, &options);
        assert_eq!(ended.code, 2, "{setup}: {ended:?}");
        assert!(ended.err.contains(said), "{setup}: {}", ended.err);
    }
    let left = server.psql("select (select count(*) from audit), (select count(*) from mine.u), (select count(*) from t)");
    assert_eq!(left.trim(), "1|0|0", "{left}");
}

/// Only the server knows what a function does, and where a default comes from.
#[test]
fn a_comparison_changes_nothing_through_functions_and_sequences() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    server.psql(
        "create table t(n integer); create sequence s; \
         create table d(id text default 'no. ' || nextval('s'), n integer); \
         create function add(n integer) returns integer language sql as $$ insert into t values (n) returning n $$",
    );
    let folder = tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("rows.jsonl"), "{\"n\":7}\n{\"n\":8}\n").unwrap();
    let options = format!("--db {} --rounds 1", server.url());
    for (statement, code, said) in [
        ("select add(:n)", 1, "read-only"),
        ("select :n::integer as n into made", 1, "already exists"),
        ("select n from t where n = :n for update", 0, ""),
        (
            "insert into t values (:n + nextval('public.s'))",
            2,
            "names the schema public",
        ),
        (
            "insert into d(n) values (:n)",
            2,
            "counts up the sequence s",
        ),
    ] {
        let ended = sql(path, "compare", statement, &options);
        assert_eq!(ended.code, code, "{statement}: {ended:?}");
        assert!(
            ended.err.contains(said) || ended.out.contains(said),
            "{statement}: {ended:?}"
        );
    }
    let left = server.psql(
        "select (select count(*) from t), (select is_called from s), to_regclass('made') is null",
    );
    assert_eq!(left.trim(), "0|f|t", "{left}");
}
