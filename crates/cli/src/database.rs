//! What the options of `sql` mean: the statement, its rows, and what happens to the database before and after.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use tempfile::TempDir;
use triway_tasks::sql::{self, Sql, Statement};

use crate::{arguments::SqlArguments, exit::Fault, inputs::Inputs};

/// The embedded example.
const EXAMPLE_ROWS: u64 = 1000;
const EXAMPLE_STATEMENT: &str = "insert into users(name, email) values (:name, :email)";
const EXAMPLE_SETUP: &str =
    "create table users(id integer primary key, name text not null, email text not null unique)";
const EXAMPLE_VERIFY: &str = "select count(*) as users from users";

/// A statement and its rows.
pub(crate) struct Statements {
    pub(crate) task: Sql,
    pub(crate) inputs: Inputs,
    pub(crate) note: Option<String>,
    pub(crate) database: Database,
}

/// What happens to a database before the job and after it.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    statement: Statement,
    setup: Option<Script>,
    verify: Option<Statement>,
    /// Holds the example's file as long as it is needed.
    _folder: Option<TempDir>,
}

#[derive(Debug)]
struct Script {
    /// Where it stands, as messages call it.
    name: String,
    text: String,
}

/// Makes of the arguments what they mean.
pub(crate) fn statements(arguments: SqlArguments) -> Result<Statements, Fault> {
    let SqlArguments {
        statement,
        inputs,
        db,
        group,
        setup,
        verify,
    } = arguments;
    let (statement, db) = match (statement, db) {
        (Some(statement), Some(db)) => (statement, db),
        (None, None) => return example(group),
        (None, Some(_)) => {
            return Err(Fault::usage(anyhow!(
                "which statement? It goes before the files"
            )));
        }
        (Some(_), None) => {
            return Err(Fault::usage(anyhow!(
                "on which database? Say it with --db sqlite:FILE"
            )));
        }
    };
    let path = sqlite(&db)?;
    let setup = setup.map(|path| Script::read(&path)).transpose()?;
    if setup.is_none() && !path.exists() {
        return Err(Fault::usage(anyhow!(
            "--db: there is no file {}; --setup FILE.sql makes one",
            path.display()
        )));
    }
    let inputs = Inputs::rows(inputs)?.ok_or_else(|| {
        Fault::usage(anyhow!(
            "no rows: name files with a JSON object a line, or with CSV (.csv), or - for standard input"
        ))
    })?;
    Ok(Statements {
        task: Sql::new(statement.clone(), sql::Database::Sqlite(path.clone())).in_groups(group),
        inputs,
        note: None,
        database: Database {
            path,
            statement,
            setup,
            verify,
            _folder: None,
        },
    })
}

/// The file of `sqlite:FILE`.
fn sqlite(db: &str) -> Result<PathBuf, Fault> {
    match db.split_once(':') {
        Some(("sqlite", "" | ":memory:")) => Err(Fault::usage(anyhow!(
            "--db {db}: lanes have a connection each and can share a file alone; write sqlite:FILE"
        ))),
        Some(("sqlite", path)) => Ok(PathBuf::from(path)),
        _ => Err(Fault::usage(anyhow!("--db {db}: write sqlite:FILE"))),
    }
}

/// Users in a temporary file, each row a commit of its own.
fn example(group: bool) -> Result<Statements, Fault> {
    let folder = tempfile::Builder::new().prefix("triway-sql-").tempdir();
    let folder = folder
        .context("the embedded example")
        .map_err(Fault::could_not_run)?;
    let path = folder.path().join("users.db");
    let parse = |text: &str| text.parse::<Statement>().map_err(Fault::usage);
    let row = |n| format!("{{\"name\":\"User {n}\",\"email\":\"user{n}@example.org\"}}");
    let (statement, verify) = (parse(EXAMPLE_STATEMENT)?, parse(EXAMPLE_VERIFY)?);
    Ok(Statements {
        task: Sql::new(statement.clone(), sql::Database::Sqlite(path.clone())).in_groups(group),
        inputs: Inputs::values((1..=EXAMPLE_ROWS).map(row).collect()),
        note: Some(format!(
            "nothing given: {EXAMPLE_ROWS} users in a temporary file of SQLite, each a commit of its own"
        )),
        database: Database {
            path,
            statement,
            setup: Some(Script {
                name: "the example's setup".to_owned(),
                text: EXAMPLE_SETUP.to_owned(),
            }),
            verify: Some(verify),
            _folder: Some(folder),
        },
    })
}

impl Script {
    fn read(path: &Path) -> Result<Self, Fault> {
        let name = format!("--setup {}", path.display());
        let text = fs::read_to_string(path)
            .with_context(|| name.clone())
            .map_err(Fault::usage)?;
        Ok(Self { name, text })
    }
}

impl Database {
    /// Executes the setup, if there is one, and looks whether the statements go with what is there.
    ///
    /// # Errors
    /// What the database says; nothing of a setup stays that fails.
    pub(crate) fn begin(&self) -> Result<(), Fault> {
        if let Some(script) = &self.setup {
            sql::script(&self.path, &script.text)
                .map_err(|failure| Fault::usage(anyhow!("{}: {}", script.name, failure.message)))?;
        }
        let check = |name: &str, statement| {
            sql::check(&self.path, statement)
                .map_err(|failure| Fault::usage(anyhow!("{name}: {}", failure.message)))
        };
        check("the statement", &self.statement)?;
        self.verify
            .as_ref()
            .map_or(Ok(()), |query| check("--verify", query))
    }

    /// What the query of --verify finds, in a line; `None` if there is none.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) fn verified(&self) -> Result<Option<String>, Fault> {
        let Some(query) = &self.verify else {
            return Ok(None);
        };
        let answer = sql::verify(&self.path, query).map_err(|failure| {
            Fault::could_not_run(anyhow!("--verify: {}: {}", failure.kind, failure.message))
        })?;
        let shown = serde_json::to_string(&answer).map_err(Fault::could_not_run)?;
        Ok(Some(format!("verify: {shown}")))
    }
}
