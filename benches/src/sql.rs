//! Rows that are written: to SQLite, beside plain loops on the same disk, and to PostgreSQL, beside pgbench.

use std::{
    fs,
    num::NonZeroUsize,
    path::PathBuf,
    process::Command,
    sync::OnceLock,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tempfile::TempDir;
use triway_core::{Model, Plan};
use triway_exec::Job;
use triway_tasks::sql::{Database, Row, Server, Sql};

use crate::{
    postgres::Postgres,
    rounds::{Contestant, nanos_per_input},
};

const ROUNDS: usize = 7;
/// Rows that have a commit each, and rows that share one.
const FEW: u64 = 20_000;
const MANY: u64 = 100_000;

const TABLE: &str =
    "create table t(id integer primary key, name text not null, email text not null)";
const INSERT: &str = "insert into t(name, email) values (:name, :email)";

/// Where the files are: on the disk that programs are built on, for a folder of temporary files may be in memory.
static FOLDER: OnceLock<TempDir> = OnceLock::new();
/// The local server, if there is one.
static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();

const SQLITE: &[Contestant] = &[
    Contestant {
        name: "one writer, a commit a row: a plain loop",
        inputs: FEW,
        run: |rows| plain(rows, 1),
    },
    Contestant {
        name: "triway, sequential",
        inputs: FEW,
        run: |rows| sqlite(rows, Model::Sequential, 1, false),
    },
    Contestant {
        name: "triway, 16 threads",
        inputs: FEW,
        run: |rows| sqlite(rows, Model::Threads, 16, false),
    },
    Contestant {
        name: "triway, 16 processes",
        inputs: FEW,
        run: |rows| sqlite(rows, Model::Processes, 16, false),
    },
    Contestant {
        name: "triway, 64 threads, --group",
        inputs: MANY,
        run: |rows| sqlite(rows, Model::Threads, 64, true),
    },
    Contestant {
        name: "triway, 64 async, --group",
        inputs: MANY,
        run: |rows| sqlite(rows, Model::Async, 64, true),
    },
    Contestant {
        name: "triway, 1024 async, --group",
        inputs: MANY,
        run: |rows| sqlite(rows, Model::Async, 1024, true),
    },
    Contestant {
        name: "all rows in one transaction: a plain loop",
        inputs: MANY,
        run: |rows| plain(rows, rows),
    },
];

const POSTGRES: &[Contestant] = &[
    Contestant {
        name: "pgbench -M prepared -c 32 -j 2",
        inputs: MANY,
        run: pgbench,
    },
    Contestant {
        name: "triway, 32 threads",
        inputs: MANY,
        run: |rows| postgres(rows, Model::Threads),
    },
    Contestant {
        name: "triway, 32 processes",
        inputs: MANY,
        run: |rows| postgres(rows, Model::Processes),
    },
    Contestant {
        name: "triway, 32 async",
        inputs: MANY,
        run: |rows| postgres(rows, Model::Async),
    },
];

/// Prints both tables, or the one that has this word in its title; the second one where there is PostgreSQL.
pub(crate) fn run(word: &str) -> Result<(), Box<dyn std::error::Error>> {
    if "SQLite".contains(word) {
        on_sqlite()?;
    }
    if "PostgreSQL".contains(word) {
        on_postgres();
    }
    Ok(())
}

fn on_sqlite() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::Builder::new()
        .prefix("sql-")
        .tempdir_in("target")?;
    let _once = FOLDER.set(folder);
    table("SQLite, WAL, synchronous=FULL", SQLITE);
    Ok(())
}

fn on_postgres() {
    if let Some(server) = SERVER.get_or_init(|| Postgres::start(&[])) {
        server.psql(&TABLE.replace("integer primary key", "serial primary key"));
        table("PostgreSQL on a loopback socket", POSTGRES);
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn table(of: &str, contestants: &[Contestant]) {
    let figures = nanos_per_input(contestants, ROUNDS);
    let first = figures.first().copied().unwrap_or(f64::NAN);
    println!("| {of}, {ROUNDS} rounds | µs a row | rows a second | times the first |");
    println!("|---|---|---|---|");
    for (contestant, nanos) in contestants.iter().zip(&figures) {
        println!(
            "| {} | {:.1} | {:.0} | {:.2} |",
            contestant.name,
            nanos / 1e3,
            1e9 / nanos,
            first / nanos
        );
    }
}

/// A fresh file with an empty table.
fn fresh() -> PathBuf {
    let folder = FOLDER.get().expect("made before the first round").path();
    for name in ["t.db", "t.db-wal", "t.db-shm"] {
        let _there = fs::remove_file(folder.join(name));
    }
    let path = folder.join("t.db");
    let connection = Connection::open(&path).and_then(|connection| {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.execute(TABLE, ())?;
        Ok(connection)
    });
    connection.expect("a file that was made just now");
    path
}

/// So many rows a transaction, by one writer.
fn plain(rows: u64, together: u64) -> Duration {
    let connection = Connection::open(fresh()).expect("a file that was made just now");
    let write = || {
        connection.pragma_update(None, "synchronous", "FULL")?;
        let mut insert = connection.prepare("insert into t(name, email) values (?1, ?2)")?;
        for first in (0..rows).step_by(usize::try_from(together).unwrap_or(1)) {
            connection.execute_batch("begin immediate")?;
            for n in first..first + together {
                insert.execute((format!("User {n}"), format!("user{n}@example.org")))?;
            }
            connection.execute_batch("commit")?;
        }
        Ok::<_, rusqlite::Error>(())
    };
    let began = Instant::now();
    write().expect("rows that break no rule");
    began.elapsed()
}

fn sqlite(rows: u64, model: Model, lanes: usize, groups: bool) -> Duration {
    let at = Database::Sqlite(fresh());
    let task = Sql::new(INSERT.parse().expect("a statement"), at).in_groups(groups);
    ran(task, rows, model, lanes)
}

fn postgres(rows: u64, model: Model) -> Duration {
    let server = SERVER
        .get()
        .and_then(Option::as_ref)
        .expect("its rows are asked for where it is there");
    server.psql("truncate t");
    let server = Server::new(&server.url()).expect("a URL without a password");
    let task = Sql::new(
        INSERT.parse().expect("a statement"),
        Database::Postgres(server),
    );
    ran(task, rows, model, 32)
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn ran(task: Sql, rows: u64, model: Model, lanes: usize) -> Duration {
    let row = |n| {
        let text = format!("{{\"name\":\"User {n}\",\"email\":\"user{n}@example.org\"}}");
        Row::parse(text.as_bytes()).expect("an object")
    };
    let rows: Vec<Row> = (0..rows).map(row).collect();
    let inputs = rows.len() as u64;
    let plan = Plan::new(model, NonZeroUsize::new(lanes).unwrap_or(NonZeroUsize::MIN));
    let done = Job::new(task, rows).plan(plan).run().wait();
    match done {
        Ok(done) if done.summary.succeeded == inputs => done.summary.wall,
        other => {
            println!("{model}: {other:?}");
            Duration::ZERO
        }
    }
}

/// What pgbench says of its clients together, without the time to connect.
fn pgbench(rows: u64) -> Duration {
    let server = SERVER
        .get()
        .and_then(Option::as_ref)
        .expect("its rows are asked for where it is there");
    server.psql("truncate t");
    let script = server.folder.path().join("insert.sql");
    let text =
        format!("\\set name random(1, 100000000)\n\\set email random(1, 100000000)\n{INSERT};\n");
    fs::write(&script, text).expect("a folder that was made just now");
    let clients = 32;
    let output = Command::new("pgbench")
        .args([
            "-n",
            "-M",
            "prepared",
            "-c",
            &clients.to_string(),
            "-j",
            "2",
            "-h",
            "127.0.0.1",
            "-U",
            "owner",
        ])
        .args([
            "-p",
            &server.port.to_string(),
            "-t",
            &(rows / clients).to_string(),
            "-f",
        ])
        .arg(&script)
        .arg("postgres")
        .output();
    let said = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let rate = said.lines().find_map(|line| {
        line.strip_prefix("tps = ")?
            .split(' ')
            .next()?
            .parse::<f64>()
            .ok()
    });
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of rows are far below 2^53"
    )]
    let seconds = rows as f64 / rate.unwrap_or(f64::NAN);
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
