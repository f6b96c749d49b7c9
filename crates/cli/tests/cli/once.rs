//! `sql` with a journal that is killed again and again: each row is there once. And requests that may not be sent twice.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::json;
use tempfile::tempdir;

use crate::{
    echo_clients::Python,
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

/// A server of Python's that answers one request of a connection, reads the next one and then closes; it prints what it was
/// asked for.
const FORGETFUL: &str = "import asyncio
async def request(reader):
    head = (await reader.readuntil(b'\\r\\n\\r\\n')).decode()
    print(head.split()[1], flush=True)
async def serve(reader, writer):
    try:
        await request(reader)
        writer.write(b'HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok')
        await writer.drain()
        await request(reader)
    except asyncio.IncompleteReadError: pass
    writer.close()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())";

/// A request that a closed connection swallowed is sent again, unless nothing may be.
#[test]
fn with_at_most_once_no_request_is_sent_twice() {
    for model in ["async", "threads", "processes"] {
        let mut python = Python::start(FORGETFUL);
        let port = python.port.clone();
        let urls = (0..6).map(|n| format!("http://127.0.0.1:{port}/{n}"));
        let mut once = triway(&format!("run http -c 1 -m {model} --at-most-once --"));
        let ended = start(once.args(urls.clone()).stdin(Stdio::null())).end();
        assert_eq!(ended.code, 1, "{model}: {ended:?}");
        let mut asked: Vec<_> = (0..6)
            .map(|_| python.says.next().unwrap().unwrap())
            .collect();
        asked.sort();
        asked.dedup();
        assert_eq!(asked.len(), 6, "{model}: {asked:?}");
        let mut again = triway(&format!("run http -c 1 -m {model} --"));
        let ended = start(again.args(urls).stdin(Stdio::null())).end();
        assert_eq!(ended.code, 0, "{model}: {ended:?}");
    }
}
