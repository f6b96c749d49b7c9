//! `sql` on a real PostgreSQL: values of all types, bad rows, and what is refused.

use std::{
    fs,
    process::{Command, Stdio},
};

use serde_json::json;

use crate::{
    postgres::Postgres,
    program::{Ended, start, triway},
};

const SETUP: &str =
    "create table users(id serial primary key, name text not null, email text unique,
    age int check (age > 0), born date, tags text[], more jsonb, worth numeric)";
const INSERT: &str = "insert into users(name, email, age) values (:name, :email, :age)";

/// A statement on this server, in its folder.
pub(crate) fn command(server: &Postgres, statement: &str, arguments: &str) -> Command {
    let mut command = triway("run sql");
    command
        .arg(statement)
        .args(["--db", &server.url()])
        .args(arguments.split_whitespace())
        .current_dir(server.folder.path())
        .stdin(Stdio::null());
    command
}

fn sql(server: &Postgres, statement: &str, arguments: &str) -> Ended {
    start(&mut command(server, statement, arguments)).end()
}

#[test]
fn values_of_all_types_go_in_and_come_out() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    server.psql(SETUP);
    let row = json!({"name": "Ada", "email": null, "age": "36", "born": "1815-12-10", "tags": ["a b", "c\"d", null],
        "more": {"x": [1, 2.5]}});
    let row = row
        .to_string()
        .replace("\"age\"", "\"worth\":12345678901234567890.123,\"age\"");
    fs::write(server.folder.path().join("rows"), row).unwrap();
    let insert = "insert into users(name, email, age, born, tags, more, worth) \
                  values (:name, :email, :age, :born::date, :tags, :more, :worth) returning id, name;";
    for model in ["sequential", "threads", "processes", "async"] {
        let ended = sql(&server, insert, &format!("rows -m {model}"));
        assert_eq!(ended.code, 0, "{ended:?}");
        let output = &ended.outcomes()[0]["output"];
        assert_eq!(
            (&output["changes"], &output["rows"][0]["name"]),
            (&json!(1), &json!("Ada")),
            "{output}"
        );
    }
    assert_eq!(
        server.psql(
            "select count(*), min(age), min(tags[2]), min(more->'x'->>1), min(worth) from users"
        ),
        "4|36|c\"d|2.5|12345678901234567890.123"
    );
    let ended = sql(
        &server,
        "select *, now() > born as past from users where id = :id -- one",
        "-- {\"id\":1}",
    );
    let found = &ended.outcomes()[0]["output"]["rows"][0];
    assert_eq!(found["born"], "1815-12-10", "{ended:?}");
    assert_eq!(found["tags"], json!(["a b", "c\"d", null]));
    assert_eq!(found["more"], json!({"x": [1, 2.5]}));
    assert!(
        ended.out.contains("\"worth\":12345678901234567890.123"),
        "{}",
        ended.out
    );
    let with = "with n as (select :id::int as n) select n from n";
    let ended = sql(&server, with, "-- {\"id\":2}");
    assert_eq!(ended.outcomes()[0]["output"], json!({"rows": [{"n": 2}]}));
    let none = sql(&server, "delete from users where id > :id", "-- {\"id\":2}");
    assert_eq!(none.outcomes()[0]["output"], json!({"changes": 2}));
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
        "null value in column \"name\"",
    ),
    (
        r#"{"name":"Cid","email":"a@x","age":1}"#,
        "constraint",
        "Key (email)=(a@x) already exists",
    ),
    (
        r#"{"name":"Dan","email":null,"age":0}"#,
        "constraint",
        "violates check constraint",
    ),
    (
        r#"{"name":"Eve","email":null,"age":"old"}"#,
        "wrong-type",
        "type integer: \"old\" (parameter :age)",
    ),
    (
        r#"{"name":"Flo","email":null,"age":1.5}"#,
        "wrong-type",
        "type integer: \"1.5\" (parameter :age)",
    ),
    (
        r#"{"name":"Guy","email":null,"age":99999999999}"#,
        "wrong-type",
        "out of range",
    ),
    (
        r#"{"name":"Hal\u0000","email":null,"age":1}"#,
        "wrong-type",
        "0x00",
    ),
    (r#"["Flo"]"#, "bad-input", "no JSON object"),
    (
        r#"{"name":"'); drop table users; --","email":null,"age":7}"#,
        "",
        "",
    ),
];

#[test]
fn a_bad_row_costs_itself_alone() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    server.psql(SETUP);
    let rows: String = ROWS.iter().map(|(row, ..)| format!("{row}\n")).collect();
    fs::write(server.folder.path().join("rows"), rows).unwrap();
    for options in [
        "-m threads",
        "-m processes",
        "-m async",
        "-m threads --journal j",
        "-m async --journal k",
    ] {
        server.psql("truncate users");
        let ended = sql(&server, INSERT, &format!("rows {options} -c 1"));
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
        assert_eq!(
            server.psql("select name from users order by id"),
            "Ada\n'); drop table users; --"
        );
    }
}

/// What is typed, and what is said about it.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "insert into users valeus (:a)",
        "rows",
        "syntax error at or near \"valeus\" (line 1, character 19 of the statement)",
    ),
    (
        "select\n  :a::int, wrong",
        "rows",
        "column \"wrong\" does not exist (line 2, character 12 of the statement)",
    ),
    (
        "insert into nobody values (:a)",
        "rows",
        "relation \"nobody\" does not exist",
    ),
    ("select :a", "rows --group", "--group is for SQLite"),
    (
        "select 1",
        "rows --setup bad.sql",
        "bad.sql: syntax error at or near \"tabel\" (line 2, character 8 of the script)",
    ),
    (
        "select 1",
        "rows --verify select/**/x",
        "--verify: column \"x\" does not exist",
    ),
    (
        "select 1",
        "rows -c 64",
        "more than the 17 that the server has left; run fewer at once with -c 17",
    ),
];

/// The same for --db; `PORT` is the server's.
const NO_SERVERS: &[(&str, &str)] = &[
    (
        "postgres://owner:secret@127.0.0.1/x",
        "can be seen by all users",
    ),
    ("mysql://secret@host", "write sqlite:FILE"),
    ("env:NOTHING", "there is no variable NOTHING"),
    (
        "postgres://owner@127.0.0.1:1/postgres",
        "Connection refused",
    ),
    (
        "postgres://owner@127.0.0.1:PORT/none",
        "database \"none\" does not exist",
    ),
    (
        "postgres://owner@127.0.0.1:PORT/postgres?sslmode=require",
        "server does not support TLS",
    ),
];

#[test]
fn what_cannot_be_executed_is_refused() {
    let few = ["max_connections=20", "superuser_reserved_connections=3"];
    let Some(server) = Postgres::start(&few) else {
        return;
    };
    server.psql(SETUP);
    let file = |name, text| fs::write(server.folder.path().join(name), text).unwrap();
    file("rows", "{\"a\":1}\n");
    file(
        "bad.sql",
        "create table made(x int);\ncreate tabel t(x int);",
    );
    for (statement, arguments, said) in REFUSED {
        let ended = sql(&server, statement, arguments);
        assert_eq!(ended.code, 2, "{statement}: {ended:?}");
        assert!(ended.err.contains(said), "{statement}: {}", ended.err);
    }
    assert_eq!(server.psql("select to_regclass('made') is null"), "t");
    for (db, said) in NO_SERVERS {
        let db = db.replace("PORT", &server.port.to_string());
        let mut command = triway("run sql select(1) --db");
        let ended = start(command.args([&*db, "--", "{}"]).stdin(Stdio::null())).end();
        assert_eq!(ended.code, 2, "{db}: {ended:?}");
        let silent = !ended.err.contains("secret");
        assert!(silent && ended.err.contains(said), "{db}: {}", ended.err);
    }
}

/// The server does not go on with what nobody waits for, and the lane's connection serves the next row.
#[test]
fn a_statement_is_cancelled_at_its_time_limit() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    server.psql("create table t(n int, s float)");
    let insert = "insert into t select :n, :s from pg_sleep(:s)";
    let rows = ["{\"n\":1,\"s\":60}", "{\"n\":2,\"s\":0}"].join("\n");
    fs::write(server.folder.path().join("rows"), rows).unwrap();
    for options in [
        "-m threads",
        "-m async",
        "-m processes",
        "-m threads --journal j",
    ] {
        server.psql("truncate t");
        let ended = sql(
            &server,
            insert,
            &format!("rows -c 1 --timeout 2s {options}"),
        );
        let outcomes = ended.outcomes();
        assert_eq!(
            (&outcomes[0]["status"], &outcomes[1]["status"]),
            (&json!("timeout"), &json!("ok")),
            "{ended:?}"
        );
        assert_eq!(server.psql("select n from t"), "2", "{options}");
        let left = "select count(*) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()";
        assert_eq!(server.psql(left), "0", "{options}");
    }
}

#[test]
fn what_was_committed_late_is_told_as_committed() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    let rows: String = (1..=300).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    fs::write(server.folder.path().join("rows"), rows).unwrap();
    server.psql("create table t(n int)");
    for options in [
        "-m threads -c 4 --timeout 400us",
        "-m async -c 4 --timeout 400us",
        "-m processes -c 4 --timeout 400us",
        "-m threads -c 4 --timeout 1ms --retries 3",
        "-m async -c 16 --timeout 1ms --retries 3",
    ] {
        server.psql("truncate t");
        let insert = "insert into t(n) values (:n)";
        let ended = sql(&server, insert, &format!("rows -q --grace 30s {options}"));
        let outcomes = ended.outcomes();
        let committed = outcomes.iter().filter(|one| one["status"] == "ok").count();
        assert_eq!(outcomes.len(), 300, "{options}");
        assert_eq!(
            server.psql("select count(*), count(distinct n) from t"),
            format!("{committed}|{committed}"),
            "{options}"
        );
    }
}
