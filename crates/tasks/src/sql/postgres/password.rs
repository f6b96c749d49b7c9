//! Where passwords are looked for, as libpq does: `PGPASSWORD`, then the file `PGPASSFILE` or `~/.pgpass`.

use std::{env, fs, io, os::unix::fs::PermissionsExt as _, path::PathBuf};

use tokio_postgres::{Config, config::Host};
use triway_core::Failure;

use crate::sql::kinds;

/// What a password file knows a server by.
#[derive(Debug)]
pub(super) struct Place {
    host: String,
    port: String,
    database: String,
    user: String,
}

impl Place {
    pub(super) fn of(config: &Config) -> Self {
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            _ => "localhost".to_owned(),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let user = config.get_user().unwrap_or_default();
        Self {
            host,
            port: port.to_string(),
            database: config.get_dbname().unwrap_or(user).to_owned(),
            user: user.to_owned(),
        }
    }
}

/// The password for this place; `None` if there is none.
pub(super) fn found(place: &Place) -> Result<Option<String>, Failure> {
    if let Ok(password) = env::var("PGPASSWORD") {
        return Ok(Some(password));
    }
    let Some(path) = file() else {
        return Ok(None);
    };
    let failed =
        |why: String| Failure::permanent(kinds::CONNECT, format!("{}: {why}", path.display()));
    let metadata = match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(|error| failed(error.to_string()))?,
    };
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(failed(
            "others may read this file of passwords; chmod 600 it".to_owned(),
        ));
    }
    let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    Ok(text.lines().find_map(|line| password(line, place)))
}

fn file() -> Option<PathBuf> {
    let named = env::var_os("PGPASSFILE").filter(|name| !name.is_empty());
    named
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pgpass")))
}

/// The password of a line `host:port:database:user:password` that is for this place.
fn password(line: &str, place: &Place) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    for wanted in [&place.host, &place.port, &place.database, &place.user] {
        let (field, after) = field(rest);
        rest = after?;
        if field != "*" && field != *wanted {
            return None;
        }
    }
    Some(field(rest).0)
}

/// The text before the next colon, and what is behind it. A backslash takes the next character as it is.
fn field(text: &str) -> (String, Option<&str>) {
    let mut field = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            ':' => return (field, Some(&text[at + 1..])),
            '\\' => field.extend(characters.next().map(|(_, next)| next)),
            other => field.push(other),
        }
    }
    (field, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_libpq_does() {
        let place = Place {
            host: "db.example".to_owned(),
            port: "5432".to_owned(),
            database: "a:b".to_owned(),
            user: "ada".to_owned(),
        };
        for (line, found) in [
            ("db.example:5432:a\\:b:ada:secret", Some("secret")),
            ("*:*:*:*:se\\:cr\\\\et", Some("se:cr\\et")),
            ("*:*:*:ada:", Some("")),
            ("*:5433:*:ada:secret", None),
            ("*:*:a:ada:secret", None),
            ("# *:*:*:*:secret", None),
            ("*:*:*", None),
            ("", None),
        ] {
            assert_eq!(password(line, &place).as_deref(), found, "{line}");
        }
    }
}
