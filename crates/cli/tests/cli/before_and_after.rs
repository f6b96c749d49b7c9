//! What comes before statements and after them: `--setup` and `--verify`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;
use tempfile::tempdir;

use crate::{
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
