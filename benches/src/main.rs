//! Triway and what people would use instead, side by side in one run.
//!
//! `cargo run --release -p triway-benches -- empty` prints one table; without a word, the names of all of them. A
//! second word leaves only the rows whose name has it.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]

mod columns;
mod cost;
mod cpu;
mod echo;
mod empty;
mod ends;
mod faulty;
mod http;
mod kills;
mod labelled;
mod memory;
mod nginx;
mod pool;
#[path = "../../crates/cli/tests/cli/postgres.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "the server of the tests, which use all of it"
)]
mod postgres;
mod python;
mod rounds;
mod serve;
mod sh;
mod sql;
mod start;
mod verdicts;

use triway_exec::restart;
use triway_measure::registration;
use triway_tasks::{columns::Columns, cpu::Cpu, py::Py, sql::Sql};

const USAGE: &str = "\
cargo run --release -p triway-benches -- TABLE [WORD]

  empty [ROWS]      an empty task under each model, and the bare costs of peers
  pool [PEERS] [start|trip|payload]  worker processes: their start, one input there and back, large inputs
  kills [COUNT] [KILLS] [PEERS]  workers killed at random: what is lost, here and with the Pythons' pools
  cpu [PEERS]       square roots, beside plain loops and PEERS/bin/python with numpy
  columns [PEERS]   numbers filtered and added up, beside Polars in PEERS/bin/python; on processes too
  cost              what `compare` reports as wall time, against the same job by itself
  ends [TRIWAY]     how long until a job that is killed or interrupted is gone, and what a journal saves
  verdicts [COUNT]  how often equal arms have a winner, and how often a difference of 10 % is found
  memory [TRIWAY]   peak memory of the command line with 100 thousand and 10 million inputs
  http [COUNT] [PEERS]  URLs of a local nginx, beside oha and aiohttp in PEERS/bin, and curl
  faulty [COUNT]    URLs of which a tenth are faulty: whether each outcome is right
  serve [TRIWAY]    requests a second of `triway serve http`, beside nginx; needs nginx and wrk
  sh [COUNT]        `true` for each of COUNT inputs, beside xargs and, where it is there, GNU parallel
  sql [WORD]        rows written to SQLite and to a local PostgreSQL, beside plain loops and pgbench
  echo [TRIWAY] [PEERS]  messages to echo servers, beside asyncio and uvloop in PEERS/bin/python; 10 000 held
  python [PYTHON]   Python functions under each model, beside the standard library's pools; 20 at once; the parent's share
  labelled [NAME…] [--runs 3] [--triway TRIWAY] [--keep FILE] [--record DIR] [--auto]
                    is what `advise` says, and what `-m auto` does, as good as the best that can be measured?
  start [TRIWAY]    how long `triway --version` takes, and how large the binary is

TRIWAY is the release binary; without it, target/release/triway.
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    restart::init(vec![
        registration::<empty::Nothing>("nothing"),
        registration::<verdicts::Uneven>("uneven"),
        registration::<pool::Sum>("sum"),
        registration::<kills::Nap>("nap"),
        registration::<Cpu>("cpu"),
        registration::<Columns>("columns"),
        registration::<Sql>("sql"),
        registration::<Py>("py"),
        registration::<columns::Touch>("touch"),
    ]);
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = words.get(1).map(String::as_str);
    match words.first().map(String::as_str) {
        Some(pool::ECHO) => pool::echo()?,
        Some("kills") => {
            let number = |at: usize, other| words.get(at).map_or(Ok(other), |word| word.parse());
            let peers = words.get(3).map_or("peers", String::as_str);
            kills::run(number(1, 100_000)?, number(2, 1_000)?, peers)?;
        }
        Some("pool") => {
            let only = words.get(2).map_or("", String::as_str);
            pool::run(word.unwrap_or("peers"), only)?;
        }
        Some("empty") => empty::run(word.unwrap_or("")),
        Some("columns") => columns::run(word.unwrap_or("peers"))?,
        Some("sql") => sql::run(word.unwrap_or(""))?,
        Some("cost") => cost::run()?,
        Some("cpu") => cpu::run(word.unwrap_or("peers")),
        Some("verdicts") => verdicts::run(word.map_or(Ok(100), str::parse)?)?,
        Some("ends") => ends::run(word.unwrap_or(BINARY))?,
        Some("memory") => memory::run(word.unwrap_or(BINARY))?,
        Some("http") => {
            let count = word.map_or(Ok(20_000), str::parse)?;
            http::run(BINARY, count, words.get(2).map_or("peers", String::as_str))?;
        }
        Some("faulty") => faulty::run(BINARY, word.map_or(Ok(100_000), str::parse)?)?,
        Some("serve") => serve::run(word.unwrap_or(BINARY))?,
        Some("sh") => sh::run(word.map_or(Ok(2000), str::parse)?)?,
        Some("echo") => {
            let peers = words.get(2).map_or("peers", String::as_str);
            echo::run(word.unwrap_or(BINARY), peers)?;
        }
        Some("python") => python::run(word.unwrap_or("python3"))?,
        Some("labelled") => labelled::run(&words[1..], BINARY)?,
        Some("start") => start::run(word.unwrap_or(BINARY))?,
        _ => print!("{USAGE}"),
    }
    Ok(())
}

const BINARY: &str = "target/release/triway";
