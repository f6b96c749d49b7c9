//! What the options of `sql` mean: the statement, its rows, and what happens to the database before and after.

use std::{
    env, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use tempfile::TempDir;
use triway_core::Failure;
use triway_exec::journal::Journal;
use triway_measure::stage::{Left, Remains, Stage, Stages};
use triway_tasks::{
    catalog::Named,
    sql::{self, Copied, Server, Sql, Statement},
};

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
    at: sql::Database,
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
    path: PathBuf,
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
    let at = database(&db)?;
    check_options(&at, setup.is_some(), group)?;
    let setup = setup.map(|path| Script::read(&path)).transpose()?;
    let inputs = Inputs::rows(inputs)?.ok_or_else(|| {
        Fault::usage(anyhow!(
            "no rows: name files with a JSON object a line, or with CSV (.csv), or - for standard input"
        ))
    })?;
    Ok(Statements {
        task: Sql::new(statement.clone(), at.clone()).in_groups(group),
        inputs,
        note: None,
        database: Database {
            at,
            statement,
            setup,
            verify,
            _folder: None,
        },
    })
}

/// What --db names.
fn database(db: &str) -> Result<sql::Database, Fault> {
    let refused = |why: &str| Fault::usage(anyhow!("--db: {why}"));
    let of_url = |url: &str, server: &dyn Fn() -> Result<Server, Failure>| {
        match url.split_once(':') {
            Some(("sqlite", "" | ":memory:")) => Err(refused(
                "lanes have a connection each and can share a file alone; write sqlite:FILE",
            )),
            Some(("sqlite", path)) => Ok(sql::Database::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", _)) => server()
                .map(sql::Database::Postgres)
                .map_err(|failure| refused(&failure.message)),
            // It is not repeated here, for it may have a password.
            _ => Err(refused(
                "write sqlite:FILE, postgres://HOST/DATABASE, or env:VARIABLE for a variable with one of them",
            )),
        }
    };
    match db.strip_prefix("env:") {
        None => of_url(db, &|| Server::new(db)),
        Some(variable) => {
            let url = env::var(variable)
                .map_err(|_| refused(&format!("there is no variable {variable}")))?;
            of_url(&url, &|| Ok(Server::of_variable(variable)))
        }
    }
}

/// Refuses what this database cannot do.
fn check_options(at: &sql::Database, setup: bool, group: bool) -> Result<(), Fault> {
    let refused = match at {
        sql::Database::Sqlite(path) if !setup && !path.exists() => {
            format!("--db: there is no file {}; --setup FILE.sql makes one", path.display())
        }
        sql::Database::Postgres(_) if group => {
            "--group is for SQLite, where one writer has to do all commits; PostgreSQL groups the commits of its \
             connections by itself"
                .to_owned()
        }
        _ => return Ok(()),
    };
    Err(Fault::usage(anyhow!(refused)))
}

/// Users in a temporary file, each row a commit of its own.
fn example(group: bool) -> Result<Statements, Fault> {
    let folder = tempfile::Builder::new().prefix("triway-sql-").tempdir();
    let folder = folder
        .context("the embedded example")
        .map_err(Fault::could_not_run)?;
    let at = sql::Database::Sqlite(folder.path().join("users.db"));
    let parse = |text: &str| text.parse::<Statement>().map_err(Fault::usage);
    let row = |n| format!("{{\"name\":\"User {n}\",\"email\":\"user{n}@example.org\"}}");
    let (statement, verify) = (parse(EXAMPLE_STATEMENT)?, parse(EXAMPLE_VERIFY)?);
    Ok(Statements {
        task: Sql::new(statement.clone(), at.clone()).in_groups(group),
        inputs: Inputs::values((1..=EXAMPLE_ROWS).map(row).collect()),
        note: Some(format!(
            "nothing given: {EXAMPLE_ROWS} users in a temporary file of SQLite, each a commit of its own"
        )),
        database: Database {
            at,
            statement,
            setup: Some(Script {
                name: "the example's setup".to_owned(),
                path: PathBuf::new(),
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
        let path = path.to_owned();
        Ok(Self { name, path, text })
    }
}

impl Database {
    /// Executes the setup, if there is one and this run does not go on with another, and looks whether the statements go
    /// with what is there, and so many connections; with a journal, whether it can be written down there what is done.
    ///
    /// # Errors
    /// What the database says; nothing of a setup stays that fails.
    pub(crate) fn begin(&self, connections: usize, journal: Option<&Journal>) -> Result<(), Fault> {
        if let Some(script) = &self.setup
            && !self.has_begun(journal)?
        {
            self.at
                .script(&script.text)
                .map_err(refused(&script.name))?;
        }
        look(&self.at, &self.statement)?;
        if let Some(query) = &self.verify {
            look_at_query(&self.at, query)?;
        }
        if let Some(journal) = journal {
            let looked = self.at.check_job(&journal.job());
            looked.map_err(refused("--journal"))?;
        }
        self.at
            .check_room(connections)
            .map_err(refused("--concurrency"))
    }

    /// Whether rows of this job were executed by an earlier run. What they have changed is not to be undone by a setup that
    /// begins anew, for they are not executed again. Some may be committed and not be in the journal yet.
    fn has_begun(&self, journal: Option<&Journal>) -> Result<bool, Fault> {
        match journal {
            None => Ok(false),
            Some(journal) if journal.found().outcomes > 0 => Ok(true),
            Some(journal) => self
                .at
                .has_begun(&journal.job())
                .map_err(refused("--journal")),
        }
    }

    /// Refuses to write where the database is, or its setup.
    ///
    /// # Errors
    /// `path` is a file of theirs, under whatever name; `option` is what named it.
    pub(crate) fn spare(&self, option: &str, path: &Path) -> Result<(), Fault> {
        let mut own: Vec<PathBuf> = self
            .setup
            .iter()
            .map(|script| script.path.clone())
            .collect();
        if let sql::Database::Sqlite(database) = &self.at {
            // SQLite puts its other files beside the one that a link leads to.
            let database = fs::canonicalize(database).unwrap_or_else(|_| database.clone());
            let beside = ["-wal", "-shm", "-journal"].map(|ending| {
                let mut name = database.clone().into_os_string();
                name.push(ending);
                PathBuf::from(name)
            });
            own.push(database);
            own.extend(beside);
        }
        match own.iter().find(|own| is_same(own, path)) {
            None => Ok(()),
            Some(own) => Err(Fault::usage(anyhow!(
                "{option} {}: that is {}, which must stay as it is; name another file",
                path.display(),
                own.display()
            ))),
        }
    }

    /// How many connections there may be that nobody asked for; `None` where the server does not answer, which the job says
    /// in its own way.
    pub(crate) fn spare_room(&self) -> Option<usize> {
        self.at.room().ok().map(|room| match room {
            usize::MAX => room,
            // The other half is for those who come meanwhile.
            room => room / 2,
        })
    }

    /// Gives each trial a copy, on which the setup is executed if there is one. The first copy shows whether the
    /// statements go with it, and so many connections.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) fn stages(
        self,
        task: &Sql,
        connections: usize,
        ignored: &[String],
    ) -> Result<Stages<Named>, Fault> {
        let first = self.copied().map_err(|why| Fault::usage(anyhow!(why)))?;
        let at = first.database();
        look(at, &self.statement)?;
        if let Some(query) = &self.verify {
            look_at_query(at, query)?;
        }
        self.at
            .check_room(connections)
            .map_err(refused("--concurrency"))?;
        let (task, ignored) = (task.clone(), ignored.to_vec());
        Ok(Box::new(move |_| {
            let copy = self.copied()?;
            let task = Named::new(task.clone().on(copy.database().clone()));
            let verify = self.verify.clone();
            Ok(Stage {
                task: task.with_digests(ignored.clone()),
                remains: Remains::new(move || left(&copy, verify.as_ref())),
            })
        }))
    }

    fn copied(&self) -> Result<Copied, String> {
        let setup = self.setup.as_ref().map(|script| &*script.text);
        let copied = self.at.copied(&self.statement, setup);
        copied.map_err(|failure| format!("a trial's own copy: {}", failure.message))
    }

    /// What the query of --verify finds; `None` if there is none.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) fn verified(&self) -> Result<Option<String>, Fault> {
        let Some(query) = &self.verify else {
            return Ok(None);
        };
        let answer = self.at.verify(query).map_err(|failure| {
            Fault::could_not_run(anyhow!("--verify: {}: {}", failure.kind, failure.message))
        })?;
        let shown = serde_json::to_string(&answer).map_err(Fault::could_not_run)?;
        Ok(Some(format!("verify: {shown}")))
    }
}

/// Looks whether the database knows what the statement names.
fn look(at: &sql::Database, statement: &Statement) -> Result<(), Fault> {
    at.check(statement).map_err(refused("the statement"))
}

/// The same for the query of --verify, which is to change nothing and belongs to no row.
fn look_at_query(at: &sql::Database, query: &Statement) -> Result<(), Fault> {
    match query.names().first() {
        None => at.check_query(query).map_err(refused("--verify")),
        Some(name) => Err(Fault::usage(anyhow!(
            "--verify: there is no row for :{name}; it is executed once, after all rows"
        ))),
    }
}

/// What a trial left in its copy, as the statement names it and as the query of --verify finds it.
fn left(copy: &Copied, verify: Option<&Statement>) -> Result<Left, String> {
    let told = |failure: Failure| format!("what it left cannot be read: {}", failure.message);
    let left = copy.left().map_err(told)?;
    let Some(query) = verify else {
        return Ok(Left::Changed(left));
    };
    let found = copy.database().verify(query).map_err(told)?;
    let found = serde_json::to_string(&found).map_err(|error| error.to_string())?;
    Ok(Left::Changed(format!("{left}, {found}")))
}

fn refused(name: &str) -> impl FnOnce(Failure) -> Fault {
    let name = name.to_owned();
    move |failure| Fault::usage(anyhow!("{name}: {}", failure.message))
}

/// Whether two names lead to the same file; of one that is not there yet, to the same place.
fn is_same(one: &Path, other: &Path) -> bool {
    if let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) {
        return (one.dev(), one.ino()) == (other.dev(), other.ino());
    }
    let place = |path: &Path| {
        let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
        let parent = fs::canonicalize(parent.unwrap_or(Path::new("."))).ok()?;
        Some(parent.join(path.file_name()?))
    };
    place(one).is_some_and(|one| place(other) == Some(one))
}
