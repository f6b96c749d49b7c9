//! What a workload stands on while it is measured: a folder with its inputs, and its server as a child.

use std::{
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{
    limited,
    workloads::{Ground, Inputs, Needs, Server, Workload},
};
use crate::serve::Served;

/// A workload with all that it needs. Its server ends when this is dropped.
pub(super) struct Standing {
    workload: Workload,
    triway: String,
    folder: TempDir,
    inputs: PathBuf,
    server: Option<Served>,
}

impl Standing {
    /// With so many times the workload's inputs.
    pub(super) fn new(
        workload: &Workload,
        triway: &str,
        times: u64,
    ) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::Builder::new()
            .prefix("triway-labelled-")
            .tempdir()?;
        let server = match workload.server {
            Server::None => None,
            Server::Http => Some(Served::start(triway, &["http"])?),
            Server::Echo(options) => {
                Some(Served::start(triway, &[&["echo"][..], options].concat())?)
            }
        };
        let count = workload.count * times;
        let inputs = match workload.inputs {
            Inputs::Csv => csv(triway, folder.path(), count)?,
            Inputs::Lines(line) => {
                let path = folder.path().join("inputs");
                let address = server.as_ref().map_or("", |it| &*it.address);
                let ground = Ground {
                    folder: folder.path(),
                    server: address,
                };
                let mut file = BufWriter::new(File::create(&path)?);
                (0..count).try_for_each(|n| writeln!(file, "{}", line(&ground, n)))?;
                file.flush()?;
                path
            }
        };
        Ok(Self {
            workload: *workload,
            triway: triway.to_owned(),
            folder,
            inputs,
            server,
        })
    }

    /// The whole command: a verb with its options, and the task. What the task changes is made anew.
    pub(super) fn command(&self, verb: &[&str]) -> Result<Vec<String>, Box<dyn Error>> {
        prepare(self.workload.needs, self.folder.path())?;
        let address = self.server.as_ref().map_or("", |it| &*it.address);
        let address = address.trim_start_matches("tcp://");
        let fill = |word: &&str| {
            word.replace("{inputs}", &self.inputs.display().to_string())
                .replace("{folder}", &self.folder.path().display().to_string())
                .replace("{server}", address)
                .replace("{peers}", concat!(env!("CARGO_MANIFEST_DIR"), "/peers"))
        };
        let verb = verb.iter().map(|word| (*word).to_owned());
        let task = self.workload.task.iter().map(fill);
        let first = [self.triway.clone()].into_iter();
        Ok(first.chain(verb).chain(task).collect())
    }
}

fn csv(triway: &str, folder: &Path, rows: u64) -> Result<PathBuf, Box<dyn Error>> {
    let rows = rows.to_string();
    let target = folder.join("columns");
    let words = [triway, "generate", "columns", "--rows", &rows];
    let words = words
        .into_iter()
        .chain(["--files", "1", "--format", "csv"])
        .map(str::to_owned);
    let target_word = target.display().to_string();
    limited::run(&words.chain([target_word]).collect::<Vec<_>>(), MAKING)?;
    let made = fs::read_dir(&target)?
        .next()
        .ok_or("no file was generated")??;
    Ok(made.path())
}

const MAKING: std::time::Duration = std::time::Duration::from_secs(120);

fn prepare(needs: Needs, folder: &Path) -> Result<(), Box<dyn Error>> {
    let database = folder.join("rows.db");
    match needs {
        Needs::Nothing => {}
        Needs::NoDatabase => forget(&database)?,
        Needs::Table => {
            forget(&database)?;
            rusqlite::Connection::open(&database)?.execute_batch("create table t(a)")?;
        }
        Needs::Rows(_) if database.exists() => {}
        Needs::Rows(count) => {
            let mut connection = rusqlite::Connection::open(&database)?;
            connection.execute_batch("create table t(a integer primary key, b text)")?;
            let all = connection.transaction()?;
            let statement = "insert into t values (?1, 'row ' || ?1)";
            (0..i64::try_from(count)?).try_for_each(|n| all.execute(statement, [n]).map(drop))?;
            all.commit()?;
        }
        Needs::Files(count) => {
            let write = |n| {
                let path = folder.join(format!("file{n}"));
                fs::write(path, format!("file {n}\n").repeat(100))
            };
            (0..count).try_for_each(write)?;
        }
    }
    Ok(())
}

/// Removes a database and what SQLite keeps beside it.
fn forget(database: &Path) -> Result<(), std::io::Error> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let path = format!("{}{ending}", database.display());
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
