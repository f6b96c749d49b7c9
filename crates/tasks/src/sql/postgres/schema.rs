//! A schema of its own for a trial, with copies of the tables that a statement names.

use tokio_postgres::{Client, Error};
use triway_core::Failure;

use super::{address::Server, errors::said, whole::connected};
use crate::sql::{
    kinds,
    statement::{Statement, all_words},
    table::{Table, quoted},
};

/// Tables that are found by their names alone, and their columns; of each column whether its values are made by an
/// expression, whether by a sequence, and which sequence its default counts up in some other way.
const TABLES: &str = "select t.relname::text, n.nspname::text, a.attname::text, a.attgenerated <> '', \
    a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid) like 'nextval(%', false), \
    (select min(s.relname::text) from pg_depend p join pg_class s on s.oid = p.refobjid and s.relkind = 'S' \
    where p.classid = 'pg_attrdef'::regclass and p.objid = d.oid and p.refclassid = 'pg_class'::regclass) \
    from pg_class t join pg_namespace n on n.oid = t.relnamespace \
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped \
    left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum \
    where t.relkind in ('r', 'p') and pg_table_is_visible(t.oid) \
    and n.nspname not in ('pg_catalog', 'information_schema') order by t.relname, a.attnum";

const SCHEMAS: &str = "select nspname::text from pg_namespace \
    where nspname not like 'pg\\_%' and nspname <> 'information_schema'";

/// A schema, until it is dropped.
#[derive(Debug)]
pub(crate) struct Schema {
    server: Server,
    name: String,
}

/// A table as it is to be copied.
#[derive(Debug)]
struct Original {
    schema: String,
    table: Table,
    /// Columns whose values are copied.
    copied: Vec<String>,
    /// Columns whose values come from a sequence.
    counted: Vec<String>,
    /// A sequence that a default counts up in some other way.
    counts: Option<String>,
}

/// Makes a schema with copies of the tables that the statement names; and the server as it is found there, which finds
/// nothing of the user's besides.
pub(crate) fn copied(
    server: &Server,
    statement: &Statement,
    setup: Option<&str>,
) -> Result<(Schema, Server), Failure> {
    let schema = Schema {
        server: server.clone(),
        name: format!("triway_{:016x}", fastrand::u64(..)),
    };
    let words = statement.words();
    connected(server, async |session| {
        let client = &session.client;
        let originals = originals(client).await.map_err(|error| unusable(&error))?;
        let schemas = schemas(client).await.map_err(|error| unusable(&error))?;
        check(&schemas, &all_words(statement.text()), "the statement")?;
        if let Some(setup) = setup {
            let words = all_words(setup);
            check(&schemas, &words, "the setup")?;
            if words.iter().any(|(word, _)| word == "search_path") {
                return Err(refused("the setup sets the search_path, which decides whose tables it finds; a trial finds its own alone".to_owned()));
            }
        }
        let names: Vec<String> = words.iter().map(|(word, _)| word.clone()).collect();
        let named = originals
            .iter()
            .filter(|original| original.table.is_named(&names));
        let copies: Result<String, Failure> =
            named.map(|original| original.copy(&schema.name)).collect();
        let copies = copies?;
        let all = format!("begin; create schema {}; {copies} commit", schema.name);
        client
            .batch_execute(&all)
            .await
            .map_err(|error| unusable(&error))?;
        Ok(server.searching(schema.name.clone()))
    })
    .map(|server| (schema, server))
}

/// The tables that are found by their names alone.
pub(crate) fn tables(server: &Server) -> Result<Vec<Table>, Failure> {
    connected(server, async |session| {
        let originals = originals(&session.client)
            .await
            .map_err(|error| unusable(&error))?;
        Ok(originals
            .into_iter()
            .map(|original| original.table)
            .collect())
    })
}

async fn originals(client: &Client) -> Result<Vec<Original>, Error> {
    let mut originals: Vec<Original> = Vec::new();
    for row in client.query(TABLES, &[]).await? {
        let (name, schema, column): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let (made, counted): (bool, bool) = (row.try_get(3)?, row.try_get(4)?);
        let counts: Option<String> = row.try_get(5)?;
        if originals.last().is_none_or(|last| last.table.name != name) {
            originals.push(Original {
                schema,
                table: Table {
                    name,
                    columns: Vec::new(),
                },
                copied: Vec::new(),
                counted: Vec::new(),
                counts: None,
            });
        }
        let Some(last) = originals.last_mut() else {
            continue;
        };
        last.table.columns.push(column.clone());
        if counted {
            last.counted.push(column.clone());
        } else {
            last.counts = last.counts.take().or(counts);
        }
        if !made {
            last.copied.push(column);
        }
    }
    Ok(originals)
}

/// The schemas that are not the server's own.
async fn schemas(client: &Client) -> Result<Vec<String>, Error> {
    let all = client.query(SCHEMAS, &[]).await?;
    all.iter().map(|row| row.try_get(0)).collect()
}

/// What is named together with its schema would be the original.
fn check(schemas: &[String], words: &[(String, bool)], what: &str) -> Result<(), Failure> {
    let schema = words
        .iter()
        .find(|(word, qualifies)| *qualifies && schemas.contains(word));
    match schema {
        None => Ok(()),
        Some((schema, _)) => Err(refused(format!(
            "{what} names the schema {schema}, but each trial has a schema of its own; leave `{schema}.` out"
        ))),
    }
}

fn refused(message: String) -> Failure {
    Failure::permanent(kinds::BAD_STATEMENT, message)
}

impl Original {
    /// What makes the copy. A sequence of the original would go on counting, so the copy gets one of its own.
    fn copy(&self, schema: &str) -> Result<String, Failure> {
        if let Some(sequence) = &self.counts {
            return Err(refused(format!(
                "a default of the table {} counts up the sequence {sequence}, and a trial on a copy would do so as well; \
                 compare on a table without that default",
                self.table.name
            )));
        }
        let name = quoted(&self.table.name);
        let original = format!("{}.{name}", quoted(&self.schema));
        let copy = format!("{schema}.{name}");
        let columns: Vec<String> = self.copied.iter().map(|column| quoted(column)).collect();
        let columns = columns.join(", ");
        let mut text = format!(
            "create table {copy} (like {original} including all); \
             insert into {copy}({columns}) overriding system value select {columns} from {original};"
        );
        for (number, column) in self.counted.iter().enumerate() {
            let sequence = quoted(&format!("{}_{number}_counter", self.table.name));
            let column = quoted(column);
            text += &format!(
                "alter table {copy} alter column {column} drop identity if exists; \
                 create sequence {schema}.{sequence} owned by {copy}.{column}; \
                 select setval('{schema}.{sequence}', coalesce((select max({column}) from {copy}), 0) + 1, false); \
                 alter table {copy} alter column {column} set default nextval('{schema}.{sequence}');"
            );
        }
        Ok(text)
    }
}

impl Drop for Schema {
    /// What of a killed trial still holds a lock ends soon, and is waited for.
    fn drop(&mut self) {
        let all = format!(
            "set lock_timeout = '10s'; drop schema if exists {} cascade",
            self.name
        );
        let _dropped = connected(&self.server, async |session| {
            let dropped = session.client.batch_execute(&all).await;
            dropped.map_err(|error| unusable(&error))
        });
    }
}

fn unusable(error: &Error) -> Failure {
    Failure::permanent(
        kinds::DATABASE,
        format!("no copy of the tables can be made: {}", said(error)),
    )
}
