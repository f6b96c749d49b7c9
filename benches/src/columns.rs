//! Filtering and adding up eight million whole numbers: in memory and from files, beside Polars; and 800 MB in shared
//! memory, on threads and on processes.

use std::{
    error::Error,
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    num::NonZeroUsize,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Model, Outcome, Task};
use triway_exec::{Blob, Job, Sink};
use triway_tasks::columns::{Columns, CsvOptions, Found, Part, Table, generate};

use crate::rounds::median;

const ROUNDS: usize = 15;
const ROWS: u64 = 1_000_000;
const FILES: u64 = 8;
/// Each has eight million bytes and a little.
const SHARED: u64 = 100;
const LANES: NonZeroUsize = NonZeroUsize::new(2).expect("two is more than none");

/// Prints the tables; a Python with Polars is in `peers`/bin.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(peers: &str) -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("triway-columns-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let measured = Polars::start(peers, &folder).and_then(|polars| beside(polars, &folder));
    fs::remove_dir_all(&folder)?;
    if let Err(error) = measured {
        println!(
            "beside Polars: not measured: {error} (a Python with polars has to be {peers}/bin/python)"
        );
    }
    shared()
}

/// Polars in a process of its own.
struct Polars {
    process: Child,
    words: ChildStdin,
    figures: BufReader<ChildStdout>,
    version: String,
}

impl Polars {
    fn start(peers: &str, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(format!("{peers}/bin/python"))
            .arg("benches/peers/columns.py")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let words = process.stdin.take().ok_or("no pipe")?;
        let mut figures = BufReader::new(process.stdout.take().ok_or("no pipe")?);
        let mut version = String::new();
        figures.read_line(&mut version)?;
        let version = version
            .trim()
            .strip_prefix("ready ")
            .ok_or("it is not ready")?;
        Ok(Self {
            version: version.to_owned(),
            process,
            words,
            figures,
        })
    }

    /// How long it took, how many numbers there were and what they come to.
    fn ask(&mut self, word: &str) -> Result<(f64, u64, String), Box<dyn Error>> {
        writeln!(self.words, "{word}")?;
        let mut line = String::new();
        self.figures.read_line(&mut line)?;
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [took, count, sum] => Ok((took.parse()?, count.parse()?, (*sum).to_owned())),
            _ => Err(format!("it said `{line}`").into()),
        }
    }
}

impl Drop for Polars {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn beside(mut polars: Polars, folder: &Path) -> Result<(), Box<dyn Error>> {
    println!(
        "| 8 million numbers, {ROUNDS} rounds | triway sequential, ms | triway threads, ms | Polars {}, ms | threads to Polars |",
        polars.version
    );
    println!("|---|---|---|---|---|");
    for word in ["memory", "parquet", "csv", "arrow"] {
        let tables = tables(word, folder)?;
        let mut took = [const { Vec::new() }; 3];
        for round in 0..=ROUNDS {
            let (theirs, count, sum) = polars.ask(word)?;
            let (alone, found) = ours(&tables, Model::Sequential)?;
            let (threads, again) = ours(&tables, Model::Threads)?;
            // All three have done the same, or there is nothing to compare.
            assert_eq!(
                (found.count(), found.sum().to_string()),
                (count, sum),
                "{word}"
            );
            assert_eq!(found, again, "{word}");
            if round > 0 {
                let figures = [alone.as_secs_f64(), threads.as_secs_f64(), theirs];
                took.iter_mut()
                    .zip(figures)
                    .for_each(|(took, one)| took.push(one * 1e3));
            }
        }
        let [alone, threads, theirs] = took.each_mut().map(|took| median(took));
        let ratio = threads / theirs;
        println!("| {word} | {alone:.1} | {threads:.1} | {theirs:.1} | {ratio:.2} |");
    }
    Ok(())
}

fn tables(word: &str, folder: &Path) -> Result<Vec<Table>, Box<dyn Error>> {
    let table = |n: u64| -> Result<Table, Box<dyn Error>> {
        if word != "memory" {
            return Ok(Table::Part(Part::whole(folder.join(format!("{n}.{word}")))));
        }
        let bytes = fs::read(folder.join(format!("{n}.arrow")))?;
        Ok(Table::Memory {
            name: n.to_string().into(),
            bytes: Blob::from(bytes),
        })
    };
    (0..FILES).map(table).collect()
}

/// How long it took, and what the tables come to.
fn ours(tables: &[Table], model: Model) -> Result<(Duration, Found), Box<dyn Error>> {
    let task = Columns::new("x", "x > 50".parse()?, CsvOptions::default());
    let lanes = match model {
        Model::Sequential => NonZeroUsize::MIN,
        _ => LANES,
    };
    let job = Job::new(task, tables.to_vec())
        .model(model)
        .concurrency(lanes);
    let done = job.run_into(Total::default()).wait()?;
    Ok((done.summary.wall, done.sink.0))
}

/// Adds up what the tables come to.
#[derive(Default)]
struct Total(Found);

impl Sink<Columns> for Total {
    fn outcome(&mut self, outcome: Outcome<Table, Found>) -> io::Result<()> {
        let found = outcome
            .output
            .ok_or_else(|| io::Error::other("nothing is wrong with these files"))?;
        self.0 = std::mem::take(&mut self.0).and(found);
        Ok(())
    }
}

/// Does nothing with a table: what is left is how it comes to where it is worked on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Touch;

impl Task for Touch {
    type Input = Table;
    type Output = ();
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Blocking
    }

    fn run_blocking(&self, (): &mut (), _: &Table, _: &Context<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// How long it takes until worker processes have had all these tables.
fn touched(tables: &[Table]) -> Result<Duration, Box<dyn Error>> {
    let job = Job::new(Touch, tables.to_vec())
        .model(Model::Processes)
        .concurrency(LANES);
    Ok(job.run_each(|_| Ok(())).wait()?.summary.wall)
}

fn in_shared_memory(rows: u64) -> Result<Vec<Table>, Box<dyn Error>> {
    let bytes = generate::numbers(1, rows)?;
    let table = |n: u64| -> Result<Table, Box<dyn Error>> {
        Ok(Table::Memory {
            name: n.to_string().into(),
            bytes: Blob::shared(&bytes)?,
        })
    };
    (0..SHARED).map(table).collect()
}

/// The first touch of a page by a process is the kernel's work, which the threads of one that has them already do not
/// need. It is what handing over these tables takes longer than handing over as many with one row.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn shared() -> Result<(), Box<dyn Error>> {
    let (large, small) = (in_shared_memory(ROWS)?, in_shared_memory(1)?);
    let mut took = [const { Vec::new() }; 3];
    for round in 0..=ROUNDS {
        let (threads, found) = ours(&large, Model::Threads)?;
        let (processes, again) = ours(&large, Model::Processes)?;
        assert_eq!(found, again);
        let touch = touched(&large)?.saturating_sub(touched(&small)?);
        if round > 0 {
            let figures = [threads, processes, touch].map(|took| took.as_secs_f64() * 1e3);
            took.iter_mut()
                .zip(figures)
                .for_each(|(took, one)| took.push(one));
        }
    }
    let [threads, processes, touch] = took.each_mut().map(|took| median(took));
    let rest = processes - touch;
    println!("\n| 800 MB in shared memory, 2 at once, {ROUNDS} rounds | ms | to threads |");
    println!("|---|---|---|");
    for (what, took) in [
        ("threads, which have touched it before", threads),
        ("processes", processes),
        ("of which first touch", touch),
        ("processes without it", rest),
    ] {
        println!("| {what} | {took:.1} | {:.2} |", took / threads);
    }
    Ok(())
}
