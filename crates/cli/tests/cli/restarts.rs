//! `sql` on a real PostgreSQL while the server or the run itself ends in the middle.

use std::{fs, thread, time::Duration};

use rustix::process::Signal;

use crate::{
    postgres::Postgres,
    program::{Ended, eventually, start},
    servers::command,
};

const INSERT: &str = "insert into log values (:n)";

/// A server with a table that refuses nothing, and rows for it.
fn server(rows: u64) -> Option<Postgres> {
    let server = Postgres::start(&[])?;
    server.psql("create table log(n int)");
    let rows: String = (0..rows).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    fs::write(server.folder.path().join("rows"), rows).unwrap();
    Some(server)
}

fn count(server: &Postgres, what: &str) -> usize {
    let found = server.psql(&format!("select count({what}) from log"));
    found.parse().unwrap()
}

/// A run during which the server is stopped and started, and ends at once and is started again.
fn disturbed(server: &mut Postgres, options: &str) -> Ended {
    server.psql("truncate log");
    let run = start(&mut command(server, INSERT, options));
    eventually(|| (count(server, "*") > 500).then_some(()));
    server.stop();
    thread::sleep(Duration::from_millis(300));
    server.again();
    eventually(|| (count(server, "*") > 1500).then_some(()));
    server.crash();
    server.again();
    run.end()
}

/// What was reported as written is there, once; of what was on its way it is said that nobody knows.
#[test]
fn a_server_that_ends_and_starts_loses_nothing() {
    const ALL: usize = 20_000;
    let Some(mut server) = server(ALL as u64) else {
        return;
    };
    for options in ["-m threads -c 4", "-m async -c 16", "-m processes -c 3"] {
        let ended = disturbed(&mut server, &format!("rows {options}"));
        let outcomes = ended.outcomes();
        let unknown = outcomes
            .iter()
            .filter(|outcome| outcome["error"]["kind"] == "unknown-commit")
            .count();
        let written = outcomes
            .iter()
            .filter(|outcome| outcome["status"] == "ok")
            .count();
        assert!(unknown > 0, "{options}: nothing was on its way");
        assert_eq!(written + unknown, ALL, "{options}: {}", ended.err);
        let there = count(&server, "*");
        assert_eq!(there, count(&server, "distinct n"), "{options}");
        assert!(
            (written..=ALL).contains(&there),
            "{options}: {written} {unknown} {there}"
        );
    }
}

/// With a journal it is looked up what was on its way.
#[test]
fn a_server_that_ends_and_starts_is_not_noticed_with_a_journal() {
    const ALL: usize = 8000;
    let Some(mut server) = server(ALL as u64) else {
        return;
    };
    for (round, options) in ["-m threads -c 4", "-m async -c 16", "-m processes -c 3"]
        .iter()
        .enumerate()
    {
        let ended = disturbed(&mut server, &format!("rows {options} --journal j{round}"));
        assert_eq!(ended.code, 0, "{options}: {}", ended.err);
        assert_eq!(
            (count(&server, "*"), count(&server, "distinct n")),
            (ALL, ALL),
            "{options}"
        );
    }
}

/// A server that stays away is waited for once, and then its rows fail one by one.
#[test]
fn a_server_that_stays_away_fails_its_rows() {
    let Some(mut server) = server(3000) else {
        return;
    };
    let run = start(&mut command(&server, INSERT, "rows -m threads -c 2"));
    eventually(|| (count(&server, "*") > 100).then_some(()));
    server.stop();
    let ended = run.end();
    assert_eq!(ended.code, 1, "{}", ended.err);
    let failed = ended
        .outcomes()
        .into_iter()
        .filter(|outcome| outcome["status"] == "failed");
    let kinds: Vec<_> = failed
        .map(|outcome| outcome["error"]["kind"].as_str().unwrap().to_owned())
        .collect();
    let refused = kinds.iter().filter(|kind| *kind == "connect").count();
    assert!(refused > 0 && kinds.len() - refused <= 2, "{kinds:?}");
    server.again();
    assert!(count(&server, "*") >= 3000 - kinds.len());
}

#[test]
fn a_run_that_is_killed_again_and_again_writes_each_row_once() {
    let Some(server) = server(20_000) else {
        return;
    };
    for (round, options) in ["-m threads -c 4", "-m async -c 16", "-m processes -c 3"]
        .into_iter()
        .enumerate()
    {
        server.psql("truncate log");
        let mut kills = 0;
        loop {
            let options =
                format!("rows {options} --journal j{round} --resume --durability flush -o out");
            let run = start(&mut command(
                &server,
                "insert into log values (:n)",
                &options,
            ));
            thread::sleep(Duration::from_millis(
                100 + 40 * kills + fastrand::u64(..100),
            ));
            run.signal(Signal::KILL);
            let ended = run.end();
            if ended.code == 0 {
                break;
            }
            assert_eq!(ended.code, 1009, "{options}: {ended:?}");
            kills += 1;
        }
        assert!(kills > 1, "{options}: {kills} kills");
        let found = server.psql("select count(*), count(distinct n), sum(n) from log");
        assert_eq!(
            found,
            format!("20000|20000|{}", 20_000 * 19_999 / 2),
            "{options}: {kills} kills"
        );
    }
}
