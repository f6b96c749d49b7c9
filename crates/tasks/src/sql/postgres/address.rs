//! Where a server of PostgreSQL is, and how to be let in. A password is looked up by whoever connects and travels
//! nowhere: not to worker processes, not into a journal, a message or the list of processes.

use std::{env, fmt, path::Path};

use serde::{Deserialize, Serialize};
use tokio_postgres::{Config, config::SslMode};
use triway_core::Failure;

use super::{
    password::{self, Place},
    security::Security,
};
use crate::sql::kinds;

/// Where sockets of servers lie that are installed with Debian's packages.
const SOCKETS: &str = "/var/run/postgresql";

/// A server, as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    written: Written,
    /// The schemas in which names are looked for, where they are not the usual ones.
    search_path: Option<String>,
    /// Whether it is to let nothing be changed.
    reading: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Written {
    /// `postgres://…` without a password.
    Url(String),
    /// The name of the environment variable that has the URL, which may have a password.
    Variable(String),
}

/// How to connect.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) search_path: Option<String>,
    pub(super) reading: bool,
    pub(super) security: Security,
}

impl Server {
    /// Takes a URL that everybody may see.
    ///
    /// # Errors
    /// It has a password, or is no URL of a server.
    pub fn new(url: &str) -> Result<Self, Failure> {
        if settings(url)?.config.get_password().is_some() {
            return Err(refused(
                "a password on a command line can be seen by all users of this machine: leave it out and put it into \
                 PGPASSWORD or ~/.pgpass, or put the URL into a variable and write --db env:VARIABLE"
                    .to_owned(),
            ));
        }
        Ok(Self::of(Written::Url(url.to_owned())))
    }

    /// Takes the name of an environment variable that has the URL, which may have a password.
    #[must_use]
    pub fn of_variable(name: &str) -> Self {
        Self::of(Written::Variable(name.to_owned()))
    }

    fn of(written: Written) -> Self {
        Self {
            written,
            search_path: None,
            reading: false,
        }
    }

    /// The same server, where names are looked for in these schemas.
    pub(super) fn searching(&self, search_path: String) -> Self {
        Self {
            search_path: Some(search_path),
            ..self.clone()
        }
    }

    /// The same server, which lets nothing be changed.
    pub(crate) fn reading(&self) -> Self {
        Self {
            reading: true,
            ..self.clone()
        }
    }

    /// How to connect, with the password if there is one. Reads the environment, and files that it names.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = match &self.written {
            Written::Url(url) => settings(url)?,
            Written::Variable(name) => {
                let url =
                    env::var(name).map_err(|_| refused(format!("there is no variable {name}")))?;
                settings(&url)?
            }
        };
        let config = &mut settings.config;
        if config.get_password().is_none()
            && let Some(password) = password::found(&Place::of(config))?
        {
            config.password(password);
        }
        settings.search_path.clone_from(&self.search_path);
        settings.reading = self.reading;
        Ok(settings)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.written {
            Written::Url(url) => f.write_str(url),
            Written::Variable(name) => write!(f, "of the variable {name}"),
        }
    }
}

fn refused(message: String) -> Failure {
    Failure::permanent(kinds::CONNECT, message)
}

/// What a URL and the variables say that libpq has for what a URL leaves open.
fn settings(url: &str) -> Result<Settings, Failure> {
    let (url, security) = secured(url)?;
    let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
        // The message has no part of the URL, which may have a password.
        let source = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string);
        refused(format!("the URL of the server cannot be read: {source}"))
    })?;
    config.ssl_mode(match security {
        Security::None => SslMode::Disable,
        Security::Offered => SslMode::Prefer,
        Security::Unverified | Security::Verified(_) => SslMode::Require,
    });
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    if config.get_hosts().is_empty() {
        let usual = if Path::new(SOCKETS).exists() {
            SOCKETS
        } else {
            "localhost"
        };
        config.host(variable("PGHOST").unwrap_or_else(|| usual.to_owned()));
    }
    if config.get_ports().is_empty()
        && let Some(port) = variable("PGPORT")
    {
        let port = port.parse();
        config.port(port.map_err(|_| refused("PGPORT is no port".to_owned()))?);
    }
    if config.get_user().is_none()
        && let Some(user) = variable("PGUSER").or_else(|| variable("USER"))
    {
        config.user(user);
    }
    if config.get_dbname().is_none()
        && let Some(database) = variable("PGDATABASE")
    {
        config.dbname(database);
    }
    if config.get_application_name().is_none() {
        config.application_name("triway");
    }
    Ok(Settings {
        config,
        search_path: None,
        reading: false,
        security,
    })
}

/// The URL without what it says of TLS, and that.
fn secured(url: &str) -> Result<(String, Security), Failure> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut authorities) = (env::var("PGSSLMODE").ok(), env::var("PGSSLROOTCERT").ok());
    let mut others = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = || {
            percent_encoding::percent_decode_str(value)
                .decode_utf8_lossy()
                .into_owned()
        };
        match name {
            "sslmode" => mode = Some(value()),
            "sslrootcert" => authorities = Some(value()),
            _ => others.push(pair),
        }
    }
    let security = Security::of(mode.as_deref(), authorities).map_err(refused)?;
    let url = match others.is_empty() {
        true => base.to_owned(),
        false => format!("{base}?{}", others.join("&")),
    };
    Ok((url, security))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_do_not_stand_on_command_lines() {
        for url in [
            "postgres://ada:secret@host/db",
            "postgresql://host/db?user=ada&password=secret",
        ] {
            let refused = Server::new(url).unwrap_err().message;
            assert!(
                refused.contains("PGPASSWORD") && !refused.contains("secret"),
                "{refused}"
            );
        }
        for url in [
            "postgres://ada@host/db",
            "postgres://host:99999/db?password",
        ] {
            assert!(
                !format!("{:?}", Server::new(url)).contains("PGPASSWORD"),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_said_of_tls_is_taken_out() {
        for (url, rest, security) in [
            ("postgres://h/d", "postgres://h/d", Security::Offered),
            (
                "postgres://h/d?sslmode=disable",
                "postgres://h/d",
                Security::None,
            ),
            (
                "postgres://h/d?connect_timeout=3&sslmode=require&application_name=x",
                "postgres://h/d?connect_timeout=3&application_name=x",
                Security::Unverified,
            ),
            (
                "postgres://h/d?sslmode=verify-full&sslrootcert=/a%20b.pem",
                "postgres://h/d",
                Security::Verified(Some("/a b.pem".into())),
            ),
        ] {
            assert_eq!(secured(url), Ok((rest.to_owned(), security)), "{url}");
        }
        let refused = secured("postgres://h/d?sslmode=perhaps").unwrap_err();
        assert!(
            refused.message.contains("sslmode=perhaps"),
            "{}",
            refused.message
        );
    }
}
